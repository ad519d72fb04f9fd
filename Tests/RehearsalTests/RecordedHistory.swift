// SPDX-License-Identifier: Apache-2.0

import ForeignPrograms
import Foundation
import Migration
import MigrationStore
import PowerCut
import Testing

/// A short history that `rehearsal history` wrote under `tools/power-cut`: every operation on its files.
struct RecordedHistory: Sendable {
  let operations: [DiskOperation]
  static let database = "history.sqlite"

  /// - Parameter arguments: beside the directory.
  static func record(_ arguments: [String] = []) async throws -> RecordedHistory {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recorded-\(UUID().uuidString)")
    let files = folder.appendingPathComponent("files")
    try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let library = folder.appendingPathComponent("power-cut.so").path
    let built = try await ForeignProgram.run(
      ForeignProgram.root.appendingPathComponent("tools/power-cut/build").path, [library])
    try #require(built.exitCode == 0, "\(built.errors)")
    let journal = folder.appendingPathComponent("journal")
    let ran = try await ForeignProgram.run(
      Self.program.path, ["history", "--directory", files.path] + arguments,
      environment: [
        "LD_PRELOAD": library, "POWER_CUT_DIRECTORY": files.path, "POWER_CUT_JOURNAL": journal.path,
        // The library comes before the sanitizer's, and does not mind.
        "ASAN_OPTIONS": "verify_asan_link_order=0",
      ])
    try #require(ran.exitCode == 0, "\(ran.errors)")
    let operations = try DiskJournal(Array(try Data(contentsOf: journal))).operations
    // Nothing was missed, or the rest would prove nothing.
    var disk = Disk([:])
    for operation in operations { disk.take(operation) }
    var there: [String: [UInt8]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: files.path) where !name.hasSuffix("-shm") {
      there[name] = Array(try Data(contentsOf: files.appendingPathComponent(name)))
    }
    #expect(disk.visible == there)
    return RecordedHistory(operations: operations)
  }

  /// `rehearsal` stands beside the test program.
  private static var program: URL {
    let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("rehearsal")
    if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("rehearsal")
  }

  /// What the store had said to be durable when so many operations had been begun.
  static func durable(_ disk: Disk) -> [ChainHead] {
    String(decoding: disk.visible("durable") ?? [], as: UTF8.self).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 2, let sequence = Int64(words[0]) else { return nil }
      return ChainHead(sequence: sequence, hash: String(words[1]))
    }
  }

  /// Opens the store that a power cut has left, as the daemon does at its next start, and writes on.
  ///
  /// - Returns: what is wrong with it; nil when nothing is.
  static func trouble(with files: [String: [UInt8]], durable: [ChainHead], in folder: URL) async -> String? {
    do {
      try? FileManager.default.removeItem(at: folder)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (name, bytes) in files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
      let path = folder.appendingPathComponent(Self.database).path
      let now = Instant(milliseconds: 1_770_000_900_000)
      let store = try await SQLiteEventStore.open(path: path, at: now)
      let found = try await store.load().head
      if let last = durable.last, found.sequence < last.sequence {
        return "\(found.sequence) events, and \(last.sequence) were durable"
      }
      let head = try await store.append([.daemonStarted], at: now, actor: "daemon")
      let heads = folder.appendingPathComponent("heads").path
      try await HeadLine(at: now, head: head).append(toFile: heads)
      let kept = try await HeadLine.heads(inFile: heads)
      if !(durable + [head]).allSatisfy(kept.contains) { return "\(kept.count) heads outside, and \(durable.count) were durable" }
      await store.close()
      _ = try await SQLiteEventReader.open(path: path).verify(heads: kept)
      return nil
    } catch { return "\(error)" }
  }
}
