// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Testing

@testable import Migration

/// What a person's command comes to: its record, what is so already, and the same command sent twice.
@Suite("Commands of people")
struct CommandTests {
  private static let name = Fixture.name_("pulje-1")
  private static let both = ["Kari", "Ola"]

  private var state = MigrationState()
  private var now = Fixture.start

  init() {
    let plan = Fixture.plan([200, 300])
    for input in [
      MigrationInput.seal(plan, by: "Kari"), .start(Self.name, planHash: plan.hash, approvals: Self.both),
    ] {
      for event in self.state.decide(input, now: self.now).events {
        let isKnown = self.state.apply(event, at: self.now)
        #expect(isKnown)
      }
    }
  }

  private func record(
    _ verb: String, key: String? = nil, fingerprint: String = "f", giver: CommandRecord.Giver = .token(name: "t")
  )
    -> CommandRecord
  {
    CommandRecord(by: ["Kari"], giver: giver, role: "operator", verb: verb, reason: "CHG-7", key: key, fingerprint: fingerprint)
  }

  private mutating func carryOut(_ inputs: MigrationInput..., as record: CommandRecord) -> CommandOutcome {
    let outcome = self.state.decide(inputs, as: record, now: self.now)
    let events: [MigrationEvent] =
      switch outcome {
      case .done(let record, let events): [.commanded(record: record)] + events
      case .already(let record, let isKept): isKept ? [.commanded(record: record)] : []
      default: []
      }
    for event in events {
      let isKnown = self.state.apply(event, at: self.now)
      #expect(isKnown, "\(event.kind)")
    }
    return outcome
  }

  private static func status(_ outcome: CommandOutcome) -> String? {
    switch outcome {
    case .done(let record, _), .already(let record, _): record.status
    case .repeated(let entry): "repeated \(entry.status)"
    case .keyReused: "key reused"
    case .refused(let refusal): refusal.code.rawValue
    }
  }

  @Test("the record says who, as what, why and what came of it, and it stands before that")
  mutating func recorded() throws {
    let outcome = self.carryOut(.pause(Self.name, by: "Kari", why: "storm"), as: self.record("pause", key: "k"))
    guard case .done(let record, let events) = outcome else { return #expect(Bool(false), "\(outcome)") }
    #expect(events == [.puljePaused(pulje: Self.name, by: "Kari", why: "storm")])
    #expect(record.kinds == ["pulje.paused"] && record.status == "done" && record.reason == "CHG-7")
    let event = MigrationEvent.commanded(record: record)
    #expect(event.kind == "command.given" && event.version == 5)
    let written = try CanonicalJSON.encode(event)
    #expect(try JSONDecoder().decode(MigrationEvent.self, from: written) == event)
    #expect(
      String(decoding: written, as: UTF8.self)
        == #"{"commanded":{"record":{"by":["Kari"],"fingerprint":"f","giver":{"token":{"name":"t"}},"herIDs":[],"key":"k","kinds":["pulje.paused"],"reason":"CHG-7","role":"operator","status":"done","verb":"pause"}}}"#
    )
  }

  @Test("what is so already is no refusal: it says so, and changes nothing")
  mutating func already() {
    let two = Self.both
    func party(_ herID: Int32) -> HerID { Fixture.herID(herID) }
    let twice: [(input: MigrationInput, status: String)] = [
      (.pause(Self.name, by: "Kari", why: "x"), "already_paused"), (.resume(Self.name, by: "Kari"), "already_resumed"),
      (.stopTheLine(by: "Kari", why: "x"), "already_stopped"), (.releaseTheLine(approvals: two), "already_released"),
      (.quarantine(Self.name, herID: party(200), by: "Kari", why: "x"), "already_quarantined"),
      (.readmit(Self.name, herID: party(200), by: "Kari"), "already_readmitted"),
    ]
    for (input, status) in twice {
      #expect(Self.status(self.carryOut(input, as: self.record("x"))) == "done", "\(status)")
      let before = self.state
      #expect(Self.status(self.carryOut(input, as: self.record("x"))) == status)
      #expect(self.state == before)
    }
    #expect(
      Self.status(self.carryOut(.start(Self.name, planHash: nil, approvals: two), as: self.record("x"))) == "already_started")
  }

  @Test("a real no stays a no, also where it sounds alike")
  mutating func refused() {
    #expect(Self.status(self.carryOut(.pause(Fixture.name_("none"), by: "Kari", why: "x"), as: self.record("x"))) == "MIG-205")
    #expect(Self.status(self.carryOut(.pause(Self.name, by: "", why: "x"), as: self.record("x"))) == "MIG-224")
    #expect(Self.status(self.carryOut(.accept(Self.name, approvals: Self.both), as: self.record("x"))) == "MIG-201")
    // No order was ever there: that is not one that has ended.
    #expect(
      Self.status(self.carryOut(.endForwarding(Self.name, herID: Fixture.herID(200), by: "Kari", why: "x"), as: self.record("x")))
        == "MIG-245")
  }

  @Test("all of a command or nothing; of parties that share a group the first one counts")
  mutating func allOrNothing() {
    let before = self.state
    let outcome = self.carryOut(
      .quarantine(Self.name, herID: Fixture.herID(200), by: "Kari", why: "x"),
      .quarantine(Self.name, herID: Fixture.herID(999), by: "Kari", why: "x"), as: self.record("quarantine"))
    #expect(Self.status(outcome) == "MIG-202" && self.state == before)
    let both = self.carryOut(
      .quarantine(Self.name, herID: Fixture.herID(200), by: "Kari", why: "x"),
      .quarantine(Self.name, herID: Fixture.herID(200), by: "Kari", why: "x"),
      .quarantine(Self.name, herID: Fixture.herID(300), by: "Kari", why: "x"), as: self.record("quarantine"))
    guard case .done(let record, _) = both else { return #expect(Bool(false), "\(both)") }
    #expect(record.kinds == ["group.quarantined", "group.quarantined"])
  }

  @Test("the same command with the same key is answered as it was, and not carried out again")
  mutating func repeated() {
    let pause = MigrationInput.pause(Self.name, by: "Kari", why: "x")
    #expect(Self.status(self.carryOut(pause, as: self.record("pause", key: "k1"))) == "done")
    #expect(Self.status(self.carryOut(.resume(Self.name, by: "Ola"), as: self.record("resume", key: "k2"))) == "done")
    let before = self.state
    #expect(Self.status(self.carryOut(pause, as: self.record("pause", key: "k1"))) == "repeated done")
    #expect(self.state == before && self.state.puljer[Self.name]?.pause == nil)
    // Another command under the key; another giver's key of the same name is another key.
    #expect(Self.status(self.carryOut(pause, as: self.record("pause", key: "k1", fingerprint: "g"))) == "key reused")
    let other = self.record("pause", key: "k1", giver: .login(uid: 7, name: nil))
    #expect(Self.status(self.carryOut(pause, as: other)) == "done")
    // What was so already is remembered as such.
    #expect(Self.status(self.carryOut(pause, as: self.record("pause", key: "k3"))) == "already_paused")
    #expect(Self.status(self.carryOut(.resume(Self.name, by: "Ola"), as: self.record("resume"))) == "done")
    #expect(Self.status(self.carryOut(pause, as: self.record("pause", key: "k3"))) == "repeated already_paused")
    #expect(self.state.puljer[Self.name]?.pause == nil)
    // Nothing came of a refused one: it may be given again.
    let none = MigrationInput.pause(Fixture.name_("none"), by: "Kari", why: "x")
    #expect(Self.status(self.carryOut(none, as: self.record("pause", key: "k4"))) == "MIG-205")
    #expect(Self.status(self.carryOut(none, as: self.record("pause", key: "k4"))) == "MIG-205")
  }

  @Test("keys are heeded for a day, and no more of them than the book holds")
  mutating func bounds() {
    let stop = MigrationInput.stopTheLine(by: "Kari", why: "x")
    #expect(Self.status(self.carryOut(stop, as: self.record("stop", key: "first"))) == "done")
    self.now = self.now + CommandBook.life
    #expect(Self.status(self.carryOut(stop, as: self.record("stop", key: "first"))) == "already_stopped")
    for index in 0..<(CommandBook.most + 5) {
      #expect(Self.status(self.carryOut(stop, as: self.record("stop", key: "k\(index)"))) == "already_stopped")
    }
    #expect(self.state.commands.entries.count == CommandBook.most)
    #expect(self.state.commands.entries.first?.key == "k5")
    #expect(Self.status(self.carryOut(stop, as: self.record("stop", key: "k5"))) == "repeated already_stopped")
  }
}
