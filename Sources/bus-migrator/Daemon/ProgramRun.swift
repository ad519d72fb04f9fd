// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import NIOConcurrencyHelpers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One run of a program of the operator's own: given something on its standard input, and heard by its exit code and its first line.
final class ProgramRun: Sendable {
  struct Program: Sendable, Hashable {
    var executable: String
    var arguments: [String]
  }

  enum Outcome: Sendable, Hashable {
    /// With its exit code and its first line of output.
    case ended(Int32, String)
    /// It could not be run, was ended by a signal, or did not end in time.
    case failed(String)
  }

  static let longestWords = 200

  private let program: Program
  private let input: Data
  private let environment: [String: String]
  private let process = Process()
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bus-migrator-program-\(UUID().uuidString)")

  private struct Inside: Sendable {
    var isKilled = false
    var answer: (@Sendable (Outcome) -> Void)?
  }

  private let inside = NIOLockedValueBox(Inside())

  private init(program: Program, input: Data, environment: [String: String]) {
    self.program = program
    self.input = input
    self.environment = environment
  }

  /// Bounded by whoever asks: when the task is cancelled the program is killed.
  ///
  /// - Parameter environment: what it finds in its environment besides `PATH`, and nothing of ours: neither secrets' places nor the service
  ///   manager's sockets.
  static func run(_ program: Program, input: Data, environment: [String: String]) async -> Outcome {
    let run = ProgramRun(program: program, input: input, environment: environment)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Files and the start of a program block for a moment: not in the cooperative pool.
        DispatchQueue.global().async { run.start { continuation.resume(returning: $0) } }
      }
    } onCancel: {
      run.kill()
    }
  }

  /// Calls `answer` exactly once, when the program has ended or was killed.
  private func start(_ answer: @escaping @Sendable (Outcome) -> Void) {
    self.inside.withLockedValue { $0.answer = answer }
    do {
      try FileManager.default.createDirectory(
        at: self.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let (input, output) = (self.folder.appendingPathComponent("input"), self.folder.appendingPathComponent("output"))
      try self.input.write(to: input)
      // A file and no pipe: a program that writes much, or leaves a child behind, keeps nobody waiting.
      try Data().write(to: output)
      self.process.executableURL = URL(fileURLWithPath: self.program.executable)
      self.process.arguments = self.program.arguments
      self.process.environment = self.environment.merging(["PATH": "/usr/local/bin:/usr/bin:/bin"]) { $1 }
      self.process.standardInput = try FileHandle(forReadingFrom: input)
      self.process.standardOutput = try FileHandle(forWritingTo: output)
      self.process.standardError = FileHandle.nullDevice
      self.process.terminationHandler = { _ in
        self.settle(self.ended(output))
        try? FileManager.default.removeItem(at: self.folder)
      }
      try self.process.run()
      if self.inside.withLockedValue({ $0.isKilled }) { self.kill() }
    } catch {
      try? FileManager.default.removeItem(at: self.folder)
      self.settle(.failed("it cannot be run: \(String("\(error)".prefix(Self.longestWords)))"))
    }
  }

  /// May come before the start, and more than once. Children that the program left behind keep its end from being noticed: nobody
  /// waits for that.
  private func kill() {
    self.inside.withLockedValue { $0.isKilled = true }
    guard self.process.isRunning else { return }
    _ = signal(self.process.processIdentifier)
    self.settle(.failed("it had not answered in time, and was ended"))
  }

  private func settle(_ outcome: Outcome) {
    let answer = self.inside.withLockedValue { inside in
      defer { inside.answer = nil }
      return inside.answer
    }
    answer?(outcome)
  }

  private func signal(_ process: Int32) -> Int32 {
    #if canImport(Glibc)
      Glibc.kill(process, SIGKILL)
    #elseif canImport(Musl)
      Musl.kill(process, SIGKILL)
    #else
      Darwin.kill(process, SIGKILL)
    #endif
  }

  private func ended(_ output: URL) -> Outcome {
    let text = (try? FileHandle(forReadingFrom: output).read(upToCount: 4_096)).flatMap { $0 } ?? Data()
    let line = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
    guard self.process.terminationReason == .exit else {
      return .failed("it was ended by signal \(self.process.terminationStatus)")
    }
    return .ended(self.process.terminationStatus, String(line.prefix(Self.longestWords)))
  }
}
