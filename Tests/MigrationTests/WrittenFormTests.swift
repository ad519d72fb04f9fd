// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Computing
import Testing

@testable import Migration

/// Codes and the events' written form outlive every version: old databases and people's notes hold them.
@Suite("Written forms and codes", .serialized, .computing)
struct WrittenFormTests {
  @Test("every event survives being written and read")
  func roundTrip() async throws {
    var seen: Set<String> = []
    for phase in GroupPhase.allCases {
      await Task.yield()
      for event in GroupWalk.standing(in: phase).events
        + StateByInputTests.inputs.flatMap({ name -> [GroupEvent] in
          let walk = GroupWalk.standing(in: phase)
          return walk.send(StateByInputTests.input(name, walk)).events
        })
      {
        let whole = MigrationEvent.group(pulje: Fixture.name_("p"), group: GroupID(Fixture.herID(200)), event: event)
        let data = try CanonicalJSON.encode(whole)
        #expect(try JSONDecoder().decode(MigrationEvent.self, from: data) == whole)
        seen.insert(event.kind)
      }
    }
    let all: Set<String> = [
      "planned", "preflight-passed", "preflight-failed", "armed", "attestation-expired", "intent-recorded", "write-returned",
      "read-as-goal", "read-as-base", "read-failed", "conflict-found", "pinged", "ping-failed", "drain-began", "looked",
      "drained", "late-arrival", "watch-began", "accepted", "retired", "removal-approved", "roll-back-started", "restored",
      "withdrawn", "held",
      "released", "quarantined", "waived",
    ]
    #expect(all.subtracting(seen).subtracting(["attestation-expired", "released"]).isEmpty)
    let plan = MigrationEvent.puljeSealed(plan: Fixture.plan([100, 101, 102]), by: "Kari")
    #expect(try JSONDecoder().decode(MigrationEvent.self, from: CanonicalJSON.encode(plan)) == plan)
  }

  @Test(
    "events written by earlier versions read as they did",
    arguments: [
      #"{"daemonStarted":{}}"#,
      #"{"environmentNamed":{"name":"test"}}"#,
      #"{"puljePaused":{"by":"Kari","pulje":"p1","why":"storm"}}"#,
      #"{"puljeStarted":{"approvals":["Kari","Ola"],"pulje":"p1"}}"#,
      #"{"group":{"event":{"intentRecorded":{"base":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","direction":"forward","goal":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","herID":200,"operation":"p1/200/forward/1"}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"writeReturned":{"herID":200,"operation":"p1/200/forward/1","outcome":{"unknown":{"_0":"time-out"}}}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"readAsGoal":{"found":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","herID":200}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"held":{"hold":{"clearsItself":false,"code":"MIG-303","seen":"x"}}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"testSigned":{"by":"Kari","herID":200,"item":"own-ping","passed":true,"seen":"x"}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"hookAnswered":{"answer":{"vetoed":{"_0":"no"}},"hook":"board","retryAt":7}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"restChecked":{"report":{"baseline":[],"findings":[]},"wayBack":"source-bus: down"}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"stepHookAnswered":{"answer":{"vetoed":{"_0":"no"}},"retryAt":7,"step":{"hook":"board","point":"roll-back"}}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"measured":{"pings":[],"readings":[]}},"group":200,"pulje":"p1"}}"#,
      #"{"group":{"event":{"rollBackStarted":{"by":"Kari","why":"asked"}},"group":200,"pulje":"p1"}}"#,
    ])
  func golden(text: String) throws {
    let event = try JSONDecoder().decode(MigrationEvent.self, from: Data(text.utf8))
    #expect(String(decoding: try CanonicalJSON.encode(event), as: UTF8.self) == text)
  }

  @Test("an event of an unknown kind is an error, never skipped")
  func unknownKind() {
    for text in [#"{"puljeBlessed":{}}"#, #"{"group":{"event":{"blessed":{}},"group":200,"pulje":"p1"}}"#] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(MigrationEvent.self, from: Data(text.utf8)) }
    }
  }

  @Test("codes are stable and used once")
  func codes() {
    let codes =
      Obstacle.Code.allCases.map(\.rawValue) + Refusal.Code.allCases.map(\.rawValue) + Hold.Code.allCases.map(\.rawValue)
      + WaitReason.Code.allCases.map(\.rawValue)
    #expect(Set(codes).count == codes.count)
    for code in Refusal.Code.allCases { #expect(Refusal.words[code] != nil, "\(code) has words") }
    #expect(Refusal.Code.nothingToRollBack.rawValue == "MIG-210")
    #expect(Refusal.Code.conflict.rawValue == "MIG-225")
    #expect(Obstacle.Code.groupNotClosed.rawValue == "MIG-107")
    #expect(Hold.Code.pingFailed.rawValue == "MIG-303")
  }

  @Test(
    "lengths of time are read as people write them, and nothing else is",
    arguments: [
      ("14d", 1_209_600_000), ("24h", 86_400_000), ("90s", 90_000), ("5m", 300_000), ("250ms", 250), ("0s", 0),
      ("", nil), ("d", nil), ("1", nil), ("-1s", nil), ("1.5h", nil), ("1 h", nil), ("1w", nil), ("99999999999999999d", nil),
    ] as [(String, Int64?)])
  func spans(text: String, milliseconds: Int64?) {
    #expect(TimeSpan(text: text)?.milliseconds == milliseconds)
    if let span = TimeSpan(text: text) { #expect(TimeSpan(text: span.description) == span) }
  }

  @Test(
    "a pulje's name", arguments: [("pulje-7", true), ("A_b.c", true), ("", false), ("a b", false), ("a/b", false), ("æ", false)])
  func names(text: String, good: Bool) { #expect((PuljeName(text) != nil) == good) }
}
