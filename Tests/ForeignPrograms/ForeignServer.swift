// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A program that is not ours and serves: it says on its first line which port it listens on, and ends with its standard input.
package final class ForeignServer: Sendable {
  package let port: Int
  private let lines: AsyncStream<String>

  private struct NoPort: Error, CustomStringConvertible {
    let said: String
    var description: String { "the program listens on no port; it said: \(said)" }
  }

  private init(port: Int, lines: AsyncStream<String>) {
    self.port = port
    self.lines = lines
  }

  /// Runs one of `tools/foreign` for the time of `body`; it is gone at the end.
  package static func withPython<Result>(
    _ script: String, _ arguments: [String] = [], _ body: (ForeignServer) async throws -> Result
  ) async throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [ForeignProgram.root.appendingPathComponent("tools/foreign/\(script)").path] + arguments
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    let lines = Self.lines(of: output)
    let complaints = Self.lines(of: errors)
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    process.terminationHandler = { _ in end.finish() }
    try process.run()
    func stop() async {
      try? input.fileHandleForWriting.close()
      for await _ in ended {}
    }
    do {
      var first = lines.makeAsyncIterator()
      guard let line = await first.next(), line.hasPrefix("port "), let port = Int(line.dropFirst(5)) else {
        var said: [String] = []
        for await line in complaints { said.append(line) }
        throw NoPort(said: said.joined(separator: "\n"))
      }
      let result = try await body(ForeignServer(port: port, lines: lines))
      await stop()
      return result
    } catch {
      await stop()
      throw error
    }
  }

  /// The next line it prints; nil when it has ended.
  package func nextLine() async -> String? {
    var iterator = self.lines.makeAsyncIterator()
    return await iterator.next()
  }

  private static func lines(of pipe: Pipe) -> AsyncStream<String> {
    let (lines, continuation) = AsyncStream.makeStream(of: String.self)
    // A thread of its own: reading blocks.
    Thread.detachNewThread {
      var rest = Data()
      while true {
        let data = pipe.fileHandleForReading.availableData
        if data.isEmpty { break }
        rest += data
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          continuation.yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
          rest = Data(rest[rest.index(after: end)...])
        }
      }
      continuation.finish()
    }
    return lines
  }
}
