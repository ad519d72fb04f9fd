// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A program that is not ours, run to its end.
package enum ForeignProgram {
  package struct Result: Sendable {
    package var exitCode: Int32
    package var output: String
    package var errors: String
  }

  private struct Missing: Error, CustomStringConvertible {
    let path: String
    var description: String { "\(path) is missing: run scripts/install-dependencies (`make test` does)" }
  }

  /// The root of the checkout, from this file's own place.
  package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Python with python-qpid-proton, as Debian ships it.
  package static func python(_ script: String, _ arguments: [String]) async throws -> Result {
    try await Self.run("/usr/bin/python3", [Self.root.appendingPathComponent("tools/foreign/\(script)").path] + arguments)
  }

  /// Proton's own C examples, compiled now into a folder of their own.
  package static func withCExamples<Value>(_ body: (_ send: String, _ receive: String) async throws -> Value) async throws
    -> Value
  {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("c-examples-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let built = try await Self.run(Self.root.appendingPathComponent("tools/foreign/build-c-examples").path, [folder.path])
    guard built.exitCode == 0 else { throw Missing(path: "what build-c-examples needs (\(built.errors))") }
    return try await body(folder.appendingPathComponent("send").path, folder.appendingPathComponent("receive").path)
  }

  package static func run(_ path: String, _ arguments: [String], environment: [String: String] = [:]) async throws -> Result {
    guard FileManager.default.isExecutableFile(atPath: path) else { throw Missing(path: path) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    async let text = Self.read(output)
    async let complaints = Self.read(errors)
    let exitCode = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    return Result(exitCode: exitCode, output: await text, errors: await complaints)
  }

  /// Runs a program that may leave a server behind, such as a broker's own; it is ended after `limit` seconds.
  ///
  /// A server keeps open what it inherits, and Foundation takes a program for ended when nobody holds its end of a socket any more. So
  /// the program gets none of what is open here, and writes to a file.
  package static func runBounded(_ path: String, _ arguments: [String], seconds limit: Int) async throws -> Result {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("program-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    let script = """
      out=$1; shift
      for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done
      exec "$@" > "$out" 2>&1 < /dev/null
      """
    var result = try await Self.run(
      "/usr/bin/timeout", ["--kill-after=5", "\(limit)", "/bin/bash", "-c", script, "bash", file.path, path] + arguments)
    result.output += (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return result
  }

  private static func read(_ pipe: Pipe) async -> String {
    await withCheckedContinuation { continuation in
      // A thread of its own: reading to the end blocks.
      Thread.detachNewThread {
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        continuation.resume(returning: String(decoding: data, as: UTF8.self))
      }
    }
  }
}
