// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import MigrationStore

@Suite("Chain heads kept outside")
struct HeadLineTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("heads-\(UUID().uuidString)")
  private let now = Instant(milliseconds: 1_770_000_000_000)

  private func with(_ body: (_ database: String, _ file: String) async throws -> Void) async throws {
    try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: self.folder) }
    try await body(self.folder.appendingPathComponent("m.sqlite").path, self.folder.appendingPathComponent("heads").path)
  }

  /// A history of some stops and releases, with a line for the head after each.
  private func write(_ database: String, _ file: String, who: String = "Kari") async throws {
    let store = try await SQLiteEventStore.open(path: database, at: self.now)
    _ = try await store.load()
    for number in 0..<3 {
      let event: MigrationEvent = number.isMultiple(of: 2) ? .lineStopped(by: who, why: "odd") : .lineReleased(by: [who, "Ola"])
      let head = try await store.append([event], at: self.now, actor: who)
      try await HeadLine(at: self.now, head: head).append(toFile: file)
    }
    await store.close()
  }

  private func code(_ body: () async throws -> Void) async -> String? {
    do { try await body() } catch let error as StoreError { return error.stableCode } catch { return "\(error)" }
    return nil
  }

  @Test("the history goes through every head; its file is for this user only")
  func whole() async throws {
    try await self.with { database, file in
      try await self.write(database, file)
      let heads = try await HeadLine.heads(inFile: file)
      #expect(heads.map(\.sequence) == [1, 2, 3])
      let audit = try await SQLiteEventReader.open(path: database).verify(heads: heads)
      #expect(audit.head == heads.last)
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber
      #expect(mode?.intValue == 0o600)
    }
  }

  @Test("a history written anew, whole in itself, is found out; so is one that was cut off")
  func rewritten() async throws {
    try await self.with { database, file in
      try await self.write(database, file)
      let heads = try await HeadLine.heads(inFile: file)
      try await self.write(database + "2", file + "2", who: "Mallory")
      let other = try await SQLiteEventReader.open(path: database + "2")
      #expect(try await other.verify().events == 3)
      #expect(await self.code { _ = try await other.verify(heads: heads) } == "STORE-014")
      let short = ChainHead(sequence: 4, hash: String(repeating: "a", count: 64))
      #expect(
        await self.code { _ = try await SQLiteEventReader.open(path: database).verify(heads: heads + [short]) } == "STORE-014")
    }
  }

  @Test("a line cut off by a stop is passed over and marked by the next; any other line that is none stops")
  func damaged() async throws {
    try await self.with { database, file in
      try await self.write(database, file)
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      try whole.dropLast(20).write(to: URL(fileURLWithPath: file))
      #expect(try await HeadLine.heads(inFile: file).map(\.sequence) == [1, 2])
      let head = ChainHead(sequence: 9, hash: String(repeating: "b", count: 64))
      try await HeadLine(at: self.now, head: head).append(toFile: file)
      #expect(try await HeadLine.heads(inFile: file).map(\.sequence) == [1, 2, 9])
      #expect(
        try HeadLine.heads(in: "2026-01-01T00:00:0\0\0\0\0\0bbb\n\(HeadLine(at: self.now, head: head))\n", path: "f") == [head])
      // Passed over is told: each could have held a head that is missing now.
      let lines = [
        "# mine", "\(HeadLine(at: self.now, head: head)) # cut off", "", "2026\0\0", "\(HeadLine(at: self.now, head: head))",
        "2026-",
      ]
      let kept = try HeadLine.kept(in: lines.joined(separator: "\n"), path: "f")
      #expect(kept == HeadLine.Kept(heads: [head], cutOff: [2, 4, 6]))
      #expect(try HeadLine.kept(in: "", path: "f") == HeadLine.Kept())
      for line in ["x", "2026-01-01T00:00:00Z 1 abc", "2026-01-01T00:00:00Z -1 \(head.hash)", "1 2 3 4"] {
        #expect(throws: StoreError.headsUnreadable(path: "f", line: 2)) { try HeadLine.heads(in: "# kept\n\(line)\n", path: "f") }
      }
      #expect(await self.code { _ = try await HeadLine.heads(inFile: file + "none") } == "STORE-016")
    }
  }
}
