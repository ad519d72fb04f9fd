// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Testing

@testable import bus_migrator

/// Reports are looked up among what is there: no name leads anywhere else.
@Suite("Reports that are handed out")
struct ReportShelfTests {
  private static let name = "decision-20261206T101500Z.nb.html"

  private func withShelf(_ body: (ReportShelf, URL) async throws -> Void) async throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("shelf-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = root.appendingPathComponent("reports")
    for pulje in ["pulje-1", "pulje-2", "_.."] {
      try FileManager.default.createDirectory(at: folder.appendingPathComponent(pulje), withIntermediateDirectories: true)
    }
    try Data("secret".utf8).write(to: root.appendingPathComponent(Self.name))
    try Data("one".utf8).write(to: folder.appendingPathComponent("pulje-1/\(Self.name)"))
    try Data("two".utf8).write(to: folder.appendingPathComponent("pulje-2/\(Self.name)"))
    try await body(ReportShelf(folder: folder.path), folder)
  }

  @Test("what the daemon has written is listed and read, each pulje's own, and nothing else that lies there")
  func own() async throws {
    let one = try #require(PuljeName("pulje-1"))
    try await self.withShelf { shelf, folder in
      let place = folder.appendingPathComponent("pulje-1")
      for other in [".decision-20261206T101500Z.json.1234", "notes.txt", "decision-20261206T101500Z.nb.html.bak"] {
        try Data("x".utf8).write(to: place.appendingPathComponent(other))
      }
      try Data("{}".utf8).write(to: place.appendingPathComponent("done-20261206T101500Z.json"))
      #expect(Set(try await shelf.list([one]).map(\.file)) == [Self.name, "done-20261206T101500Z.json"])
      #expect(try await shelf.read(Self.name, of: one) == Data("one".utf8))
      #expect(try await shelf.read("notes.txt", of: one) == nil)
      #expect(try await shelf.read("done-20261206T101501Z.json", of: one) == nil)
    }
  }

  @Test("no name climbs out, and no link is followed")
  func hostile() async throws {
    let one = try #require(PuljeName("pulje-1"))
    try await self.withShelf { shelf, folder in
      let place = folder.appendingPathComponent("pulje-1")
      try FileManager.default.createSymbolicLink(
        at: place.appendingPathComponent("done-20261206T101500Z.json"), withDestinationURL: URL(fileURLWithPath: "/etc/passwd"))
      for name in [
        "../pulje-2/\(Self.name)", "../../\(Self.name)", "..", ".", "", "/etc/passwd", "done-20261206T101500Z.json",
        "\(Self.name)\u{0}", "%2e%2e/\(Self.name)", "./\(Self.name)",
      ] {
        #expect(try await shelf.read(name, of: one) == nil, "\(name)")
      }
      // A pulje may be called so; it leads nowhere above.
      let above = try #require(PuljeName(".."))
      #expect(try await shelf.list([above]) == [])
      #expect(try await shelf.read(Self.name, of: above) == nil)
    }
  }
}
