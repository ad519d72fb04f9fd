// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import Migration
import Testing

@testable import Telling

@Suite("What is to be told is neither forgotten nor told twice")
struct TellingStoreTests {
  private let start = Instant(milliseconds: 1_000_000)

  private func withStore(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("telling-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.appendingPathComponent("history.telling").path)
  }

  private func message(_ code: String) -> TellingMessage {
    var book = ConditionBook()
    let condition = StandingCondition(.init(code: code), weight: .alarm, since: self.start, seen: "seen")
    return TellingMessage(book.observe(.init(conditions: [condition]), now: self.start)[0], environment: "test", dashboard: nil)
  }

  @Test("kept over a restart, in order, and nothing overtakes what could not be told")
  func order() async throws {
    try await self.withStore { path in
      let first = try await TellingStore.open(path: path)
      let messages = ["MIG-417", "MIG-413"].map(self.message)
      try await first.keep([], messages.map { ("vakt", $0) }, at: self.start)
      // The same once more, as when the daemon is killed between keeping and telling.
      try await first.keep([], messages.map { ("vakt", $0) }, at: self.start + .seconds(1))
      first.close()
      let store = try await TellingStore.open(path: path)
      #expect(try await store.due("vakt", most: 10, now: self.start).map(\.message) == messages)
      #expect(try await store.due("other", most: 10, now: self.start) == [])
      try await store.failed([messages[0].id], over: "vakt", next: self.start + .minutes(5))
      #expect(try await store.due("vakt", most: 10, now: self.start + .minutes(1)) == [])
      #expect(try await store.nextDue("vakt") == self.start + .minutes(5))
      let due = try await store.due("vakt", most: 1, now: self.start + .minutes(5))
      #expect(due.map(\.attempts) == [1])
      try await store.ended(due.map(\.message.id), over: "vakt", givenUp: nil, at: self.start + .minutes(5))
      #expect(try await store.due("vakt", most: 10, now: self.start + .minutes(5)).map(\.message) == [messages[1]])
      #expect(try await store.waiting() == ["vakt": 1])
      store.close()
    }
  }

  @Test("what was told long ago is forgotten, and what a channel waits for that is no more")
  func forgetting() async throws {
    try await self.withStore { path in
      let store = try await TellingStore.open(path: path)
      let messages = ["MIG-417", "MIG-413"].map(self.message)
      try await store.keep([], [("vakt", messages[0]), ("gone", messages[1])], at: self.start)
      try await store.ended([messages[0].id], over: "vakt", givenUp: nil, at: self.start)
      #expect(try await store.adopt(["vakt"], reason: "gone", at: self.start) == ["gone": 1])
      #expect(try await store.newcomers(among: ["vakt", "mail"]) == ["mail"])
      try await store.forget(before: self.start + .days(1))
      #expect(try await store.waiting() == [:])
      // Told again only where it is new.
      try await store.keep([], [("vakt", messages[1])], at: self.start + .days(2))
      #expect(try await store.waiting() == ["vakt": 1])
      store.close()
    }
  }

  @Test("a file that cannot be used is an error with words")
  func unusable() async throws {
    try await self.withStore { path in
      try Data("this is no database, whatever its name says, and it is long enough".utf8).write(to: URL(fileURLWithPath: path))
      await #expect(throws: TellingError.self) { try await TellingStore.open(path: path) }
    }
  }
}

@Suite("When it is tried again")
struct RetryPaceTests {
  @Test("later and later, never later than half an hour, and not after three days")
  func pace() {
    let (pace, start) = (RetryPace(), Instant(milliseconds: 0))
    let spans = (1...8).map { pace.next(attempts: $0, toldFrom: start, now: start, asked: nil, chance: 0.5)?.milliseconds }
    #expect(spans == [5_000, 15_000, 45_000, 135_000, 405_000, 1_215_000, 1_800_000, 1_800_000])
    #expect(pace.next(attempts: 1, toldFrom: start, now: start, asked: .minutes(10), chance: 0)?.milliseconds == 600_000)
    #expect(pace.next(attempts: 1, toldFrom: start, now: start, asked: .days(10), chance: 0)?.milliseconds == 1_800_000)
    #expect(pace.next(attempts: 900, toldFrom: start, now: start + .days(3), asked: nil, chance: 0) == nil)
  }
}

@Suite("What people read")
struct TellingMessageTests {
  private func message(_ groups: [Int32], dashboard: String? = "https://migrator.example.no") throws -> TellingMessage {
    let pulje = try #require(PuljeName("pulje-1"))
    let conditions = try groups.map { group in
      StandingCondition(
        .init(code: "MIG-413", pulje: pulje, group: GroupID(try #require(HerID(group)))), weight: .alarm,
        since: Instant(milliseconds: 0),
        seen: "the entry was changed")
    }
    var book = ConditionBook()
    let changes = book.observe(.init(conditions: conditions), now: Instant(milliseconds: 60_000))
    return TellingMessage(try #require(changes.first), environment: "production", dashboard: dashboard)
  }

  @Test("a link names the alert that it is about, and the group where it is one; without an address there is none")
  func links() throws {
    #expect(try self.message([200]).link == "https://migrator.example.no/#pulje=pulje-1&code=MIG-413&group=200")
    #expect(try self.message([200, 201]).link == "https://migrator.example.no/#pulje=pulje-1&code=MIG-413")
    #expect(try self.message([200], dashboard: nil).link == nil)
  }

  @Test("the environment first, then what, since when, what it means and what to do")
  func text() throws {
    let message = try self.message([200])
    #expect(message.headline == "[production] MIG-413 pulje pulje-1, group-200: begun")
    for part in ["the entry was changed", message.meaning, message.next, "bus-migrator explain MIG-413"] {
      #expect(!part.isEmpty && message.text.contains(part), "\(part)")
    }
  }
}

@Suite("A webhook's signature")
struct WebhookSignatureTests {
  @Test("as the specification's own example has it")
  func example() throws {
    let signature = try #require(WebhookSignature(secret: Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
    let body = Data(#"{"test": 2432232314}"#.utf8)
    #expect(
      signature.sign(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }

  @Test("a short secret is none", arguments: ["", "short", "whsec_", "whsec_c2hvcnQ=", "whsec_!!"])
  func short(text: String) { #expect(WebhookSignature(secret: Secret(text)) == nil) }
}
