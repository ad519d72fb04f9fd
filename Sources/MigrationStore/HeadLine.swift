// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One line of a file of chain heads that is kept outside the database: when, how many events there were, and the last one's hash.
///
/// A chain proves nothing against somebody who writes the whole of it anew. Heads kept elsewhere do: the history must go through
/// every one of them (I-19).
public struct HeadLine: Sendable, Hashable, Codable, CustomStringConvertible {
  public var at: Instant
  public var head: ChainHead

  public init(at: Instant, head: ChainHead) {
    self.at = at
    self.head = head
  }

  /// Stands behind a line that was being written when the machine stopped.
  private static let cutOff = " # cut off"

  /// `2026-11-21T16:00:00Z 1234 9f86d0...`
  public var description: String { "\(self.at) \(self.head.sequence) \(self.head.hash)" }

  /// The heads of a file, in its order. Empty lines and those that begin with `#` are passed over; so is a line that was cut off when
  /// the machine stopped, the last one without an end among them, and one of which a part is zeros, which is what a power cut can leave
  /// of a line that lay across two sectors.
  ///
  /// - Throws: ``StoreError`` `headsUnreadable` for any other line.
  public static func heads(in text: String, path: String) throws(StoreError) -> [ChainHead] {
    try Self.kept(in: text, path: path).heads
  }

  /// What a file of heads holds.
  public struct Kept: Sendable, Hashable {
    /// In its order.
    public var heads: [ChainHead] = []
    /// Numbers of the lines that say nothing since the machine stopped while they were written: each could have held a head that the
    /// history must go through.
    public var cutOff: [Int] = []

    public init(heads: [ChainHead] = [], cutOff: [Int] = []) {
      self.heads = heads
      self.cutOff = cutOff
    }
  }

  /// The same as ``heads(in:path:)``, with the lines that were passed over.
  public static func kept(in text: String, path: String) throws(StoreError) -> Kept {
    var kept = Kept()
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == false { kept.cutOff.append(lines.count) }
    for (index, line) in lines.dropLast().enumerated() where !line.isEmpty && !line.hasPrefix("#") {
      if line.hasSuffix(Self.cutOff) || line.utf8.contains(0) {
        kept.cutOff.append(index + 1)
        continue
      }
      let words = line.split(separator: " ")
      guard words.count == 3, let sequence = Int64(words[1]), sequence >= 0, words[2].utf8.count == 64,
        words[2].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
      else { throw .headsUnreadable(path: path, line: index + 1) }
      kept.heads.append(ChainHead(sequence: sequence, hash: String(words[2])))
    }
    kept.cutOff.sort()
    return kept
  }

  /// The heads of the file at `path`.
  ///
  /// - Throws: ``StoreError`` `headsUnreadable`; line 0 when the file itself cannot be read.
  public static func heads(inFile path: String) async throws -> [ChainHead] { try await Self.kept(inFile: path).heads }

  /// The same, with the lines that were passed over.
  public static func kept(inFile path: String) async throws -> Kept {
    try await offThePool {
      guard let data = FileManager.default.contents(atPath: path), let text = String(validating: data, as: UTF8.self) else {
        throw StoreError.headsUnreadable(path: path, line: 0)
      }
      return try Self.kept(in: text, path: path)
    }
  }

  /// Puts the line at the end of the file, which is made when it is not there, for this user only. On disk when it returns.
  public func append(toFile path: String) async throws {
    let text = self.description + "\n"
    try await offThePool {
      if !FileManager.default.fileExists(atPath: path) {
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
          throw CocoaError(.fileWriteUnknown)
        }
      }
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      defer { try? file.close() }
      let end = try file.seekToEnd()
      var line = Data(text.utf8)
      if end > 0 {
        // What a line that was cut off by a stop left must not run into this one.
        try file.seek(toOffset: end - 1)
        if try file.read(upToCount: 1) != Data("\n".utf8) { line = Data((Self.cutOff + "\n").utf8) + line }
      }
      try file.seekToEnd()
      try file.write(contentsOf: line)
      try file.synchronize()
      // Each time: whoever made the file may have died before this, and without it the file itself may be gone after a power cut.
      try Self.synchronizeFolder(of: path)
    }
  }

  private static func synchronizeFolder(of path: String) throws {
    let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { throw CocoaError(.fileWriteUnknown) }
    defer { close(folder) }
    // Some file systems cannot do it for a folder, and say so: they have nothing to sync there.
    guard fsync(folder) == 0 || errno == EINVAL else { throw CocoaError(.fileWriteUnknown) }
  }
}
