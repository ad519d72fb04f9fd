// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A program of this package, run as a child: what it printed and how it ended.
struct ChildProgram: Sendable {
  struct Ending: Sendable {
    var exitCode: Int32
    var wasKilled: Bool
    var output: String
    var complaint: String

    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
      try JSONDecoder().decode(type, from: Data(self.output.utf8))
    }
  }

  /// The programs stand beside the test program.
  static func path(_ name: String) -> URL {
    let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name)
    if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name)
  }

  let process: Process
  private let out: URL
  private let complaints: URL
  private let ended: Task<Void, Never>

  /// Starts it. Its output goes to files, so that it can never block on a pipe that nobody reads.
  init(_ name: String, _ arguments: [String], environment: [String: String] = [:], folder: URL) throws {
    try self.init(at: Self.path(name), arguments, environment: environment, folder: folder)
  }

  /// As above, any program.
  init(at program: URL, _ arguments: [String], environment: [String: String] = [:], folder: URL) throws {
    let id = UUID().uuidString
    self.out = folder.appendingPathComponent("out-\(id)")
    self.complaints = folder.appendingPathComponent("err-\(id)")
    for file in [self.out, self.complaints] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = try FileHandle(forWritingTo: self.out)
    process.standardError = try FileHandle(forWritingTo: self.complaints)
    process.standardInput = FileHandle.nullDevice
    let (stream, signal) = AsyncStream.makeStream(of: Void.self)
    process.terminationHandler = { _ in signal.finish() }
    try process.run()
    self.process = process
    self.ended = Task { for await _ in stream {} }
  }

  func ending() async throws -> Ending {
    await self.ended.value
    return Ending(
      exitCode: self.process.terminationStatus, wasKilled: self.process.terminationReason == .uncaughtSignal,
      output: String(decoding: try Data(contentsOf: self.out), as: UTF8.self),
      complaint: String(decoding: try Data(contentsOf: self.complaints), as: UTF8.self))
  }

  func terminate() { self.process.terminate() }

  func signal(_ number: Int32) { Foundation.kill(self.process.processIdentifier, number) }

  /// What it has printed so far.
  var outputSoFar: String { (try? String(contentsOf: self.out, encoding: .utf8)) ?? "" }

  func kill() { Foundation.kill(self.process.processIdentifier, SIGKILL) }

  static func run(
    _ name: String, _ arguments: [String], environment: [String: String] = [:], folder: URL
  ) async throws -> Ending {
    try await ChildProgram(name, arguments, environment: environment, folder: folder).ending()
  }

  static func run(
    at program: URL, _ arguments: [String], environment: [String: String] = [:], folder: URL
  ) async throws -> Ending {
    try await ChildProgram(at: program, arguments, environment: environment, folder: folder).ending()
  }
}
