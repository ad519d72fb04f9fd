// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// `bus-migrator`, the program itself: its daemon as a child process, and its commands beside it.
final class MigratorProcess: Sendable {
  struct CommandResult: Sendable {
    var exitCode: Int32
    var output: String
  }

  private let program: URL
  private let configuration: URL
  private let log: FileHandle
  private let daemon = Mutex<Process?>(nil)

  /// - Parameters:
  ///   - log: takes what the daemon writes, all starts after one another.
  init(program: URL, configuration: URL, log: URL) throws {
    self.program = program
    self.configuration = configuration
    if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
    self.log = try FileHandle(forWritingTo: log)
    try self.log.seekToEnd()
  }

  /// Starts the daemon and returns when it has ended.
  ///
  /// - Parameter crashAt: the daemon kills itself at this point of its work, counted from its start.
  /// - Returns: whether a signal ended it.
  func runDaemon(crashAt: Int? = nil) async throws -> Bool {
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
          continuation.resume(returning: ended.terminationReason == .uncaughtSignal)
        }
        do {
          try process.run()
          self.daemon.withLock { $0 = process }
          if Task.isCancelled { process.terminate() }
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
    self.daemon.withLock { process in
      if let process, process.isRunning { process.terminate() }
    }
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
        continuation.resume(returning: String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
      }
    }
  }
}
