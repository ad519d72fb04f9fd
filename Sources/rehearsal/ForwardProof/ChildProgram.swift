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

  /// Runs a program that leaves a server behind to its end.
  ///
  /// The server keeps open what it inherits, and Foundation takes a program for ended when nobody holds its end of a socket any more: so the
  /// program gets none of what is open here.
  static func run(_ program: URL, _ arguments: [String], seconds limit: Int = 120) async throws -> Int32 {
    let script = """
      for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done
      exec "$@" > /dev/null 2>&1 < /dev/null
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["--kill-after=5", "\(limit)", "/bin/bash", "-c", script, "bash", program.path] + arguments
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
    let pipe = try Self.starting.withLock { _ in
      let pipe = Pipe()
      // A bus that is started meanwhile must not hold the other end of it: the lines would never end.
      for end in [pipe.fileHandleForReading, pipe.fileHandleForWriting] { _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC) }
      process.standardOutput = pipe
      try process.run()
      return pipe
    }
    self.process.withLock { $0 = process }
    let (lines, line) = AsyncStream.makeStream(of: String.self)
    // A thread of its own: reading blocks.
    Thread.detachNewThread {
      var rest = Data()
      while true {
        let data = pipe.fileHandleForReading.availableData
        if data.isEmpty { break }
        rest.append(data)
        while let end = rest.firstIndex(of: 0x0A) {
          line.yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
          rest = Data(rest[(end + 1)...])
        }
      }
      try? pipe.fileHandleForReading.close()
      line.finish()
    }
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
