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
    /// By a signal nobody here has sent: a crash, or the kill point it was given.
    case killed
    /// By itself, though nobody has asked it to.
    case gaveUp(exitCode: Int32)
  }

  private struct State {
    var process: Process?
    var isStopping = false
  }

  private let program: URL
  private let configuration: URL
  private let logPlace: URL
  private let log: FileHandle
  private let daemon = Mutex(State())

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

  /// Starts the daemon and returns when it has ended.
  ///
  /// - Parameter crashAt: the daemon kills itself at this point of its work, counted from its start.
  func runDaemon(crashAt: Int? = nil) async throws -> DaemonEnd {
    let process = Process()
    process.executableURL = self.program
    process.arguments = ["run", "--config", self.configuration.path]
    var environment = ProcessInfo.processInfo.environment
    environment["TJENESTEBUSS_CRASH_AT"] = crashAt.map(String.init)
    process.environment = environment
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
              .killed
            } else {
              .gaveUp(exitCode: ended.terminationStatus)
            }
          continuation.resume(returning: end)
        }
        do {
          try process.run()
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
    guard let text = try? String(decoding: Data(contentsOf: self.logPlace), as: UTF8.self) else { return "no log" }
    return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
  }

  /// Runs one command to its end.
  func command(_ arguments: [String]) async throws -> CommandResult {
    let process = Process()
    process.executableURL = self.program
    process.arguments = arguments + ["--config", self.configuration.path]
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    async let output = Self.read(pipe)
    let exitCode = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
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
