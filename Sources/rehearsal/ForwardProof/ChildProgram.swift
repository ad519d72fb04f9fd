// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A program as a child: run to its end, or followed line by line until it ends or is killed.
final class ChildProgram: Sendable {
  /// Held while a program is started: one must not inherit the ends of another's pipe.
  private static let starting = Mutex(())
  private let process = Mutex<Process?>(nil)

  /// Runs it to its end; what it writes goes to ours.
  static func run(_ program: URL, _ arguments: [String]) async throws -> Int32 {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    return try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try Self.starting.withLock { _ in try process.run() } } catch { continuation.resume(throwing: error) }
    }
  }

  /// Starts it. The lines end when it has ended.
  func lines(_ program: URL, _ arguments: [String], log: FileHandle) throws -> AsyncStream<String> {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardError = log
    let (lines, line) = AsyncStream.makeStream(of: String.self)
    let rest = Mutex(Data())
    let take: @Sendable (Data) -> Void = { data in
      let whole = rest.withLock { rest -> [String] in
        rest.append(data)
        var parts = rest.split(separator: 0x0A, omittingEmptySubsequences: false)
        rest = parts.popLast().map { Data($0) } ?? Data()
        return parts.map { String(decoding: $0, as: UTF8.self) }
      }
      for text in whole { line.yield(text) }
    }
    try Self.starting.withLock { _ in
      let pipe = Pipe()
      process.standardOutput = pipe
      pipe.fileHandleForReading.readabilityHandler = { take($0.availableData) }
      // A bus that was started meanwhile may hold the other end of the pipe, which then never ends: the child's own end counts.
      process.terminationHandler = { _ in
        pipe.fileHandleForReading.readabilityHandler = nil
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
          let count = read(descriptor, &buffer, buffer.count)
          guard count > 0 else { break }
          take(Data(buffer[..<count]))
        }
        try? pipe.fileHandleForReading.close()
        line.finish()
      }
      try process.run()
    }
    self.process.withLock { $0 = process }
    return lines
  }

  /// Asks it to stop in order.
  func stop() { self.process.withLock { if let process = $0, process.isRunning { process.terminate() } } }

  /// Ends it where it stands.
  func kill() {
    self.process.withLock { process in
      guard let process, process.isRunning else { return }
      _ = Self.send(SIGKILL, to: process.processIdentifier)
    }
  }

  private static func send(_ signal: Int32, to process: Int32) -> Int32 {
    #if canImport(Glibc)
      Glibc.kill(process, signal)
    #elseif canImport(Musl)
      Musl.kill(process, signal)
    #else
      Darwin.kill(process, signal)
    #endif
  }
}
