// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A report's file: whole or not there at all, also after a power cut; for its owner, and its group to read.
enum ReportFile {
  static let mode: mode_t = 0o640
  static let folderMode: mode_t = 0o750

  /// - Throws: ``ReportError`` `notWritten`; a file that was there before is as it was.
  static func write(_ data: Data, to path: String) async throws {
    try await Self.offThePool { try Self.writeNow(data, to: path) }
  }

  /// Makes the folder, and those above it.
  static func makeFolder(_ path: String) async throws {
    try await Self.offThePool {
      do {
        guard !FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.createDirectory(
          atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: Int(Self.folderMode)])
        // As it was meant, whatever the process's mask is.
        guard chmod(path, Self.folderMode) == 0 else { throw ReportError.notWritten(path: path, seen: Self.words(errno)) }
      } catch let error as ReportError { throw error } catch {
        throw ReportError.notWritten(path: path, seen: "its folder cannot be made")
      }
    }
  }

  private static func writeNow(_ data: Data, to path: String) throws {
    func failed() -> ReportError { .notWritten(path: path, seen: Self.words(errno)) }
    let url = URL(fileURLWithPath: path)
    let half = url.deletingLastPathComponent().path + "/.\(url.lastPathComponent).\(UUID().uuidString.prefix(8))"
    let file = open(half, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failed() }
    var isWhole = false
    defer { if !isWhole { unlink(half) } }
    do {
      defer { close(file) }
      guard fchmod(file, Self.mode) == 0 else { throw failed() }
      try data.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
          let count = Self.write(file, UnsafeRawBufferPointer(rebasing: rest))
          if count < 0, errno == EINTR { continue }
          guard count > 0 else { throw failed() }
          rest = rest.dropFirst(count)
        }
      }
      guard fsync(file) == 0 else { throw failed() }
    }
    guard rename(half, path) == 0 else { throw failed() }
    isWhole = true
    let folder = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { throw failed() }
    defer { close(folder) }
    guard fsync(folder) == 0 || errno == EINVAL else { throw failed() }
  }

  private static func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(file, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      Musl.write(file, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(file, bytes.baseAddress, bytes.count)
    #endif
  }

  private static func words(_ error: Int32) -> String { String(cString: strerror(error)) }

  static func offThePool<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Swift.Result { try work() }) }
    }
  }
}
