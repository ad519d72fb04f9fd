// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import bus_pinger

@Suite("bus-pinger: what it is given")
struct PingerInputTests {
  @Test("A list of HER-IDs: comments and blank lines passed over, each once, in order; what is no number stays, to be told of")
  func list() {
    #expect(HerIDList.read("# pulje 7\n93238\n\n 8143060  # Legekontoret\r\n93238\nx\n#\n") == ["93238", "8143060", "x"])
    #expect(HerIDList.read("").isEmpty)
  }

  @Test("A list that cannot be used says why")
  func listErrors() throws {
    let folder = FileManager.default.temporaryDirectory
    func said(_ path: String) -> String {
      do throws(PingerError) {
        _ = try HerIDList.file(path)
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(said(folder.appendingPathComponent("no-such-list").path).contains("[PING-107]"))
    let file = folder.appendingPathComponent("list-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data("# nobody\n".utf8).write(to: file)
    #expect(said(file.path).contains("there is no HER-ID in it"))
    try Data([0xFF, 0xFE, 0x31]).write(to: file)
    #expect(said(file.path).contains("no text in UTF-8"))
    #expect(said(folder.path).contains("cannot be read"))
  }

  @Test(
    "How often to look",
    arguments: [("5s", 5_000), ("5", 5_000), ("500ms", 500), ("1m", 60_000), ("1.5s", 1_500), ("24h", 86_400_000)])
  func intervals(text: String, milliseconds: Int) throws {
    let interval = try #require(WatchInterval(argument: text))
    #expect(interval.duration == .milliseconds(milliseconds))
  }

  @Test("What is no time", arguments: ["", "0", "0s", "50ms", "25h", "s", "5 s", "-5s", "5x", "1e3s", "99999999999999999999h"])
  func noIntervals(text: String) { #expect(WatchInterval(argument: text) == nil) }

  @Test(
    "Options that do not go together are wrong usage",
    arguments: [
      ["93238", "--batch", "x"], ["--batch", "x", "--pulje", "y"], [], ["93238", "--watch", "5s", "--compare", "a,b"],
      ["93238", "--compare", "a"], ["93238", "--send", "--no-send"], ["93238", "--exit", "step", "-w", "1"],
      ["93238", "-w", "speed=1"], ["93238", "--kind", "syncreply"], ["--batch", "x", "--address", "h/p/q"],
      ["93238", "--watch", "5s", "--output", "f"], ["93238", "--quit-after", "99"],
    ])
  func usage(arguments: [String]) {
    #expect(throws: (any Error).self) { try CheckCommand.parse(arguments) }
  }

  @Test("A file is replaced whole, or stays as it was; nothing is left beside it")
  func replaced() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("replaced-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("bus.prom").path
    try ReplacedFile.write("one\n", to: file)
    try ReplacedFile.write("two\n", to: file)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "two\n")
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect((mode ?? 0) & 0o400 != 0)
    #expect(throws: PingerError.self) { try ReplacedFile.write("x", to: folder.appendingPathComponent("no/such/bus.prom").path) }
    // A folder cannot be replaced by a file.
    #expect(throws: PingerError.self) { try ReplacedFile.write("x", to: folder.path) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["bus.prom"])
  }

  @Test("The progress of a batch")
  func progress() {
    #expect(ProgressLine.line(done: 0, of: 10, bad: 0) == "[..............................] 0 % 0/10")
    #expect(ProgressLine.line(done: 5, of: 10, bad: 2) == "[###############...............] 50 % 5/10, 2 !")
    #expect(ProgressLine.line(done: 10, of: 10, bad: 0) == "[##############################] 100 % 10/10")
  }
}
