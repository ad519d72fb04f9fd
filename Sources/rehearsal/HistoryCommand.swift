// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Migration
import MigrationStore

/// `rehearsal history`: writes a short history to an event store and nothing else, for a test that cuts the power in the middle.
struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Writes a short history, and notes what the store has said to be durable.",
    discussion: """
      The history is `history.sqlite` in the directory, its heads are in `heads`. After an append and its head are said to be durable, \
      and only then, the head is written to `durable`, a line for each.
      """, shouldDisplay: false)

  @Option(help: "An existing folder.")
  var directory: String

  @Option(help: "How many appends.")
  var appends = 12

  @Option(help: "The store is closed and opened again after so many appends.")
  var reopen = 5

  @Option(help: "How long the longest event is, in characters.")
  var length = 6_000

  func run() async throws {
    let start = Instant(milliseconds: 1_770_000_000_000)
    let folder = URL(fileURLWithPath: self.directory)
    let path = folder.appendingPathComponent("history.sqlite").path
    let durable = folder.appendingPathComponent("durable")
    try Data().write(to: durable)
    let notes = try FileHandle(forWritingTo: durable)
    var store = try await SQLiteEventStore.open(path: path, at: start)
    _ = try await store.load()
    for number in 0..<self.appends {
      if number > 0, number % self.reopen == 0 {
        await store.close()
        store = try await SQLiteEventStore.open(path: path, at: start + .seconds(Int64(number)))
        let history = try await store.load()
        try await store.keepCheckpoint(history.state, at: history.head)
      }
      let now = start + .seconds(Int64(number))
      let head = try await store.append(self.events(number), at: now, actor: "rehearsal")
      try await HeadLine(at: now, head: head).append(toFile: folder.appendingPathComponent("heads").path)
      try notes.write(contentsOf: Data("\(head.sequence) \(head.hash)\n".utf8))
    }
    await store.close()
  }

  /// One to three events, short and long ones.
  private func events(_ number: Int) -> [MigrationEvent] {
    let why = String(repeating: "storm ", count: number % 4 == 3 ? self.length / 6 : 1 + number % 5)
    switch number % 3 {
    case 0: return [.daemonStarted]
    case 1: return [.lineStopped(by: "Kari", why: why)]
    default: return [.lineReleased(by: ["Kari", "Ola"]), .lineStopped(by: "Ola", why: why), .lineReleased(by: ["Kari", "Ola"])]
    }
  }
}
