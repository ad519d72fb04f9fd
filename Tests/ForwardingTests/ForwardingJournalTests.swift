// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOConcurrencyHelpers
import Testing

@testable import Forwarding

@Suite("The journal of a forwarder", .timeLimit(.minutes(5)))
struct ForwardingJournalTests {
  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("journal-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body("\(folder)/journal")
  }

  private static func print(_ number: Int) -> Fingerprint { Fingerprint(high: UInt64(number), low: 1) }

  private func write(_ journal: ForwardingJournal, _ records: [JournalRecord]) async -> ForwardingError? {
    await withCheckedContinuation { continuation in journal.write(records) { continuation.resume(returning: $0) } }
  }

  private func history(_ queue: UInt32) -> [JournalRecord] {
    [
      .sending(serial: 1, queue: queue, Self.print(1), id: "m-1"), .sending(serial: 2, queue: queue, Self.print(2), id: "m-2"),
      .accepted(serial: 1), .settled(serial: 1), .sending(serial: 3, queue: queue, Self.print(3), id: nil), .accepted(serial: 3),
      .setAside(queue: queue, Self.print(4), id: "m-4", .tooLarge, at: 5, seen: "too large"),
      .possibleDuplicate(queue: queue, Self.print(2), id: "m-2", .outcomeUnknown, at: 6),
    ]
  }

  @Test("what was written is there again: accepted, interrupted, set aside, listed")
  func remembers() async throws {
    try await self.withFolder { path in
      let journal = try await ForwardingJournal.open(at: path)
      let queue = try journal.take("a/q > b/q")
      #expect(await self.write(journal, self.history(queue)) == nil)
      await journal.close()
      let again = try await ForwardingJournal.open(at: path)
      #expect(again.key == journal.key)
      #expect(try again.take("a/q > b/q") == queue)
      #expect(
        again.standings([1, 2, 3, 4, 5].map(Self.print), in: queue) == [
          .accepted, .interrupted(serial: 2), .accepted, .setAside(.tooLarge, seen: "too large", interrupted: nil), .unknown,
        ])
      #expect(again.possibleDuplicates().map(\.messageID) == ["m-2"])
      #expect(again.setAside(of: "a/q > b/q").map(\.messageID) == ["m-4"])
      #expect(again.serials(2) == 4)
      #expect(again.serials(1) == 6)
      await again.close()
      await again.close()
    }
  }

  @Test("one process at a time, and one forwarder a queue")
  func alone() async throws {
    try await self.withFolder { path in
      let journal = try await ForwardingJournal.open(at: path)
      let error = await #expect(throws: ForwardingError.self) { _ = try await ForwardingJournal.open(at: path) }
      #expect(error?.code == .journalInUse)
      let queue = try journal.take("q")
      let second = #expect(throws: ForwardingError.self) { _ = try journal.take("q") }
      #expect(second?.code == .queueInUse)
      journal.giveBack(queue)
      #expect(try journal.take("q") == queue)
      await journal.close()
    }
  }

  @Test("cut off at every byte it opens with what was whole before, and what was synced is never silently missed")
  func everyByte() async throws {
    try await self.withFolder { path in
      let journal = try await ForwardingJournal.open(at: path)
      let queue = try journal.take("q")
      var ends: [Int] = []
      for record in self.history(queue) {
        #expect(await self.write(journal, [record]) == nil)
        ends.append(try Data(contentsOf: URL(fileURLWithPath: path)).count)
      }
      await journal.close()
      let whole = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      for length in 0...whole.count {
        var memory = JournalMemory(retained: 10)
        let kept = try ForwardingJournal.replay(Array(whole.prefix(length)), into: &memory)
        #expect(kept <= length)
        let batches = ends.count { $0 <= length }
        #expect((memory.standing(of: Self.print(1), in: queue) != .unknown) == (batches >= 1))
        #expect(memory.possibleDuplicates.isEmpty == (batches < ends.count))
      }
    }
  }

  @Test("a byte that is not what was synced there is found, wherever it is but in the last batch")
  func damaged() async throws {
    try await self.withFolder { path in
      let journal = try await ForwardingJournal.open(at: path)
      let queue = try journal.take("q")
      var last = 0
      for record in self.history(queue) {
        last = try Data(contentsOf: URL(fileURLWithPath: path)).count
        #expect(await self.write(journal, [record]) == nil)
      }
      await journal.close()
      let whole = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      for position in 0..<last {
        var bytes = whole
        bytes[position] ^= 0x40
        #expect(throws: ForwardingError.self, "byte \(position)") {
          var memory = JournalMemory(retained: 10)
          _ = try ForwardingJournal.replay(bytes, into: &memory)
        }
      }
    }
  }

  /// What a process leaves that is killed now.
  private func killed(_ path: String, _ name: String) throws -> String {
    let copy = "\(path)-\(name)"
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    return copy
  }

  @Test(
    "a process that is killed before it has written anything is known to have been there, and its link is doubted until something says otherwise"
  )
  func linkOfTheDead() async throws {
    try await self.withFolder { path in
      let first = try await ForwardingJournal.open(at: path)
      let queue = try first.take("a/q > b/q")
      try await first.settled()
      #expect(first.awaited(in: queue).isNoticed, "nobody was there before it")
      let left = try self.killed(path, "first")
      await first.close()

      let second = try await ForwardingJournal.open(at: left)
      #expect(second.isAfterCrash)
      #expect(!second.awaited(in: try second.take("a/q > b/q")).isNoticed)
      #expect(second.awaited(in: try second.take("a/new > b/new")).isNoticed, "no link can be left there")
      // It carries nothing, and leaves in order.
      await second.close()

      let third = try await ForwardingJournal.open(at: left)
      #expect(!third.isAfterCrash)
      #expect(!third.awaited(in: queue).isNoticed, "the first one's link may be there still")
      #expect(await self.write(third, [.nothingOwed(queue: queue)]) == nil)
      #expect(third.awaited(in: queue).isNoticed, "asked and answered once")
      await third.close()

      let fourth = try await ForwardingJournal.open(at: left)
      #expect(fourth.awaited(in: queue).isNoticed)
      await fourth.close()
    }
  }

  @Test("a process that left in order left no link")
  func noLinkOfWhoLeft() async throws {
    try await self.withFolder { path in
      let first = try await ForwardingJournal.open(at: path)
      let queue = try first.take("a/q > b/q")
      await first.close()
      let second = try await ForwardingJournal.open(at: path)
      #expect(second.awaited(in: queue).isNoticed)
      await second.close()
    }
  }

  @Test("a torn tail is cut off, and what is written after it is read")
  func tornTail() async throws {
    try await self.withFolder { path in
      let journal = try await ForwardingJournal.open(at: path)
      let queue = try journal.take("q")
      #expect(await self.write(journal, self.history(queue)) == nil)
      await journal.close()
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.seekToEnd()
      try handle.write(contentsOf: [0x46, 0x57, 0x4a, 0x31, 0xff, 0, 0, 0, 1, 2, 3])
      try handle.close()
      let again = try await ForwardingJournal.open(at: path)
      #expect(await self.write(again, [.sending(serial: 9, queue: queue, Self.print(9), id: nil)]) == nil)
      await again.close()
      let third = try await ForwardingJournal.open(at: path)
      #expect(third.standings([Self.print(1), Self.print(9)], in: queue) == [.accepted, .interrupted(serial: 9)])
      await third.close()
    }
  }

  @Test("a file that has grown is rewritten, says the same, and stays small")
  func rewritten() async throws {
    try await self.withFolder { path in
      let journal = try await ForwardingJournal.open(at: path, retained: 50, rewriteAt: 20_000)
      let queue = try journal.take("q")
      #expect(await self.write(journal, self.history(queue)) == nil)
      for number in 100..<1_100 {
        let serial = journal.serials(1)
        let records: [JournalRecord] = [
          .sending(serial: serial, queue: queue, Self.print(number), id: "message-\(number)"), .accepted(serial: serial),
          .settled(serial: serial),
        ]
        if number % 10 == 0 { #expect(await self.write(journal, records) == nil) } else { journal.note(records) }
      }
      await journal.close()
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count < 30_000)
      let again = try await ForwardingJournal.open(at: path)
      #expect(
        again.standings([2, 3, 4, 100, 1_099].map(Self.print), in: queue) == [
          .interrupted(serial: 2), .accepted, .setAside(.tooLarge, seen: "too large", interrupted: nil), .unknown, .accepted,
        ])
      #expect(again.possibleDuplicates().map(\.messageID) == ["m-2"])
      try await again.forgetPossibleDuplicates(before: 7)
      #expect(again.possibleDuplicates().isEmpty)
      await again.close()
    }
  }

  @Test("records are read as they were written")
  func records() {
    let all: [JournalRecord] =
      self.history(3) + [
        .key(.init(first: 1, second: .max)), .queue(3, "a/q > b/q"), .settledAgain(queue: 3, Self.print(8)), .notSent(serial: 12),
      ]
    for record in all {
      var bytes: [UInt8] = []
      record.append(to: &bytes)
      var rest = bytes[...]
      #expect(JournalRecord(&rest) == record)
      #expect(rest.isEmpty)
      for length in 0..<bytes.count {
        var cut = bytes.prefix(length)
        #expect(JournalRecord(&cut) == nil)
      }
    }
  }

  @Test("a full disk: what could not be written is told, and once there is room all of it is there, without a restart")
  func fullDisk() async throws {
    try await self.withFolder { path in
      let hasRoom = NIOLockedValueBox(true)
      let journal = try await ForwardingJournal.open(at: path, hasRoom: { hasRoom.withLockedValue { $0 } })
      let queue = try journal.take("a/q > b/q")
      #expect(await self.write(journal, [.sending(serial: 1, queue: queue, Self.print(1), id: "m-1")]) == nil)
      hasRoom.withLockedValue { $0 = false }
      for _ in 0..<3 {
        let failure = await self.write(journal, [.accepted(serial: 1), .settled(serial: 1)])
        #expect(failure?.code == .journalUnwritable)
      }
      hasRoom.withLockedValue { $0 = true }
      #expect(await self.write(journal, [.sending(serial: 2, queue: queue, Self.print(2), id: "m-2")]) == nil)
      #expect(await self.write(journal, [.sending(serial: 3, queue: queue, Self.print(3), id: "m-3")]) == nil)
      await journal.close()
      let again = try await ForwardingJournal.open(at: path)
      #expect(
        again.standings([1, 2, 3].map(Self.print), in: queue) == [.accepted, .interrupted(serial: 2), .interrupted(serial: 3)])
      await again.close()
    }
  }

  @Test("interrupted and never sent again: listed, on the way back too, also when nothing waits for it any more")
  func neverSentAgain() {
    var memory = JournalMemory(retained: 2)
    memory.apply(.opened(boot: "b", at: 7))
    memory.apply(.queue(1, "a/q > b/q"))
    memory.apply(.queue(2, "b/q > a/q"))
    memory.apply(.sending(serial: 1, queue: 1, Self.print(1), id: "m-1"))
    #expect(memory.possibleDuplicates.isEmpty, "it is on its way")
    memory.interruptAll()
    let listed = PossibleDuplicate(messageID: "m-1", queue: "a/q > b/q", at: 7, reason: .interrupted)
    #expect(memory.possibleDuplicates == [listed])
    memory.apply(.notAwaited(serial: 1))
    #expect(memory.possibleDuplicates == [listed])
    // After a roll-back it comes from there.
    memory.apply(.sending(serial: 2, queue: 2, Self.print(1), id: "m-1"))
    memory.apply(.accepted(serial: 2))
    memory.apply(.settled(serial: 2))
    #expect(memory.possibleDuplicates.map(\.queue) == ["a/q > b/q", "b/q > a/q"])
    // Written anew and read again it is the same.
    var again = JournalMemory(retained: 2)
    for record in memory.snapshot() { again.apply(record) }
    again.interruptAll()
    #expect(again.possibleDuplicates == memory.possibleDuplicates)
    // It goes again: one entry, not two.
    memory.goOn(1)
    memory.apply(.possibleDuplicate(queue: 1, Self.print(1), id: "m-1", .interrupted, at: 8))
    #expect(memory.possibleDuplicates.count == 1)
    // Those that are forgotten for want of room stay listed.
    for number in 10...13 {
      memory.apply(.sending(serial: UInt64(number), queue: 1, Self.print(number), id: "m-\(number)"))
      memory.interrupt(UInt64(number))
    }
    #expect(Set(memory.possibleDuplicates.map(\.messageID)) == ["m-1", "m-10", "m-11", "m-12", "m-13"])
  }

  @Test(
    "settled over a connection that broke: the source may not know, and gives them back after more others than are remembered")
  func doubted() {
    var memory = JournalMemory(retained: 10)
    memory.apply(.queue(1, "a/q > b/q"))
    func message(_ number: UInt64) -> Fingerprint { Fingerprint(high: number, low: 7) }
    func carry(_ numbers: ClosedRange<UInt64>, _ memory: inout JournalMemory) {
      for number in numbers {
        memory.apply(.sending(serial: number, queue: 1, message(number), id: "\(number)"))
        memory.apply(.accepted(serial: number))
        memory.apply(.settled(serial: number))
      }
    }
    carry(1...5, &memory)
    memory.apply(.doubted(queue: 1, count: 3, at: 1_000))
    carry(6...40, &memory)
    var again = JournalMemory(retained: 10)
    for record in memory.snapshot() {
      var bytes: [UInt8] = []
      record.append(to: &bytes)
      var rest = bytes[...]
      if let read = JournalRecord(&rest) { again.apply(read) }
    }
    for memory in [memory, again] {
      #expect((1...2).allSatisfy { memory.standing(of: message($0), in: 1) == .unknown })
      #expect((3...5).allSatisfy { memory.standing(of: message($0), in: 1) == .accepted })
      #expect((31...40).allSatisfy { memory.standing(of: message($0), in: 1) == .accepted })
    }
    // Half an hour later no bus keeps them any more; they are remembered as others are.
    memory.apply(.doubted(queue: 1, count: 0, at: 1_001 + JournalMemory.doubtedFor))
    carry(41...60, &memory)
    #expect((3...5).allSatisfy { memory.standing(of: message($0), in: 1) == .unknown })
  }
}
