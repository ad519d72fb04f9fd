// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// `bus-migrator`, the program itself: its daemon as a child process, and its commands beside it.
final class MigratorProcess: Sendable {
  struct CommandResult: Sendable {
    var exitCode: Int32
    var output: String
  }

  /// How a run of the daemon ended.
  enum DaemonEnd: Sendable {
    /// In order, after ``stop()``.
    case stopped
    /// By a signal nobody here has sent: a crash, or the point it was to die at, whose name it has said then.
    case killed(at: String?)
    /// By itself, though nobody has asked it to.
    case gaveUp(exitCode: Int32)
  }

  private struct State {
    var process: Process?
    var isStopping = false
    /// What every start of the program gets beside the environment of the rehearsal.
    var environment: [String: String] = [:]
  }

  private let program: URL
  private let configuration: URL
  private let logPlace: URL
  private let log: FileHandle
  private let daemon = Mutex(State())
  /// Held from before a program's pipes are made until it has been started. Whatever is open without a mark to the contrary goes to
  /// every program that is started meanwhile: a daemon that got the end of a command's pipe, or of the socket by which Foundation
  /// sees that it has ended, would keep the command from ever ending.
  private static let starting = Mutex(())
  /// Held while a command runs, and while somebody must be alone with the files.
  private let turn = Turn()

  /// - Parameters:
  ///   - log: takes what the daemon writes, all starts after one another.
  init(program: URL, configuration: URL, log: URL) throws {
    self.program = program
    self.configuration = configuration
    if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
    self.logPlace = log
    self.log = try FileHandle(forWritingTo: log)
    try self.log.seekToEnd()
  }

  /// What daemon and commands get in their environment from now on.
  func give(_ environment: [String: String]) { self.daemon.withLock { $0.environment = environment } }

  /// Runs `work` while no command runs.
  func withoutCommands<Value: Sendable>(_ work: @Sendable () async throws -> Value) async throws -> Value {
    try await self.turn.take(work)
  }

  private var environment: [String: String] {
    ProcessInfo.processInfo.environment.merging(self.daemon.withLock { $0.environment }) { $1 }
  }

  /// Starts the daemon and returns when it has ended.
  ///
  /// - Parameter environment: what this start alone gets.
  func runDaemon(_ environment: [String: String] = [:]) async throws -> DaemonEnd {
    let process = Process()
    process.executableURL = self.program
    process.arguments = ["run", "--config", self.configuration.path]
    process.environment = self.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = self.log
    process.standardError = self.log
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { ended in
          let wasAsked = self.daemon.withLock { $0.isStopping }
          let end: DaemonEnd =
            if wasAsked {
              .stopped
            } else if ended.terminationReason == .uncaughtSignal {
              .killed(at: self.lastPoint())
            } else {
              .gaveUp(exitCode: ended.terminationStatus)
            }
          continuation.resume(returning: end)
        }
        do {
          try Self.starting.withLock { _ in try process.run() }
          let isStopping = self.daemon.withLock { state in
            state.process = process
            return state.isStopping
          }
          if isStopping { process.terminate() }
        } catch {
          continuation.resume(throwing: error)
        }
      }
    } onCancel: {
      self.stop()
    }
  }

  /// Asks the daemon to stop in order.
  func stop() {
    self.daemon.withLock { state in
      state.isStopping = true
      if let process = state.process, process.isRunning { process.terminate() }
    }
  }

  /// The last lines the daemon has written: what says why it gave up.
  func lastWords(lines: Int = 15) -> String {
    guard let log = try? FileHandle(forReadingFrom: self.logPlace), let size = try? log.seekToEnd() else { return "no log" }
    defer { try? log.close() }
    try? log.seek(toOffset: size > 20_000 ? size - 20_000 : 0)
    guard let data = try? log.readToEnd() else { return "nothing in the log" }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").suffix(lines).joined(separator: "\n")
  }

  /// The point at which a daemon that killed itself said it would, when that is the last that was said.
  private func lastPoint() -> String? {
    let mark = "dies at "
    return self.lastWords(lines: 1).split(separator: "\n").last.flatMap { line in
      line.hasPrefix(mark) ? String(line.dropFirst(mark.count)) : nil
    }
  }

  /// Runs one command to its end.
  func command(_ arguments: [String]) async throws -> CommandResult {
    try await self.turn.take { try await self.commandNow(arguments) }
  }

  private func commandNow(_ arguments: [String]) async throws -> CommandResult {
    let process = Process()
    process.executableURL = self.program
    process.arguments = arguments + ["--config", self.configuration.path]
    process.environment = self.environment
    process.standardInput = FileHandle.nullDevice
    let (ending, signal) = AsyncStream.makeStream(of: Int32.self)
    process.terminationHandler = {
      signal.yield($0.terminationStatus)
      signal.finish()
    }
    let pipe = try Self.starting.withLock { _ in
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = pipe
      try process.run()
      return pipe
    }
    async let output = Self.read(pipe)
    var exitCode: Int32 = -1
    for await code in ending { exitCode = code }
    return CommandResult(exitCode: exitCode, output: await output)
  }

  private static func read(_ pipe: Pipe) async -> String {
    await withCheckedContinuation { continuation in
      // A thread of its own: reading to the end blocks.
      Thread.detachNewThread {
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        // Foundation keeps a process and its pipes for ever. With some 1,360 descriptors open its next `run()` reads past
        // the end of its own list of them, and crashes.
        try? pipe.fileHandleForReading.close()
        continuation.resume(returning: String(decoding: output, as: UTF8.self))
      }
    }
  }
}
