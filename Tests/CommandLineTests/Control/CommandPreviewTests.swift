// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Testing

@testable import bus_migrator

@Suite("What a dry run says")
struct CommandPreviewTests {
  private static func answer(_ preview: CommandPreview?, events: [String] = [], status: String = "done")
    -> ControlAPI.CommandAnswer
  {
    var answer = ControlAPI.CommandAnswer(events: events)
    answer.executed = false
    answer.status = status
    answer.preview = preview
    return answer
  }

  @Test("every line of it, and that nothing was changed comes last")
  func words() throws {
    let ids = try [100, 101, 200].map { try #require(HerID($0)) }
    let pulje = try #require(PuljeName("p1"))
    var preview = CommandPreview(of: [], by: [], named: [], MigrationState(), now: Instant(milliseconds: 0))
    preview.groups = 2
    preview.herIDs = ids
    preview.alongside = [ids[1]]
    preview.warnings = [CommandPreview.Warning(kind: .paused, text: "Pulje p1 is paused.")]
    preview.afterwards = [
      CommandPreview.Afterwards(pulje: pulje, groups: 2, doing: "write"),
      CommandPreview.Afterwards(pulje: pulje, groups: 1, wait: .quietPeriod, text: "over soon"),
    ]
    let text = PreviewText.text(
      "rollback", Self.answer(preview, events: ["group.a", "group.a", "group.b"]), ending: PreviewText.ending)
    #expect(
      text == """
        dry run: rollback would come to: group.a (2 times), group.b
          concerns 2 groups with 3 parties: 100, 101, 200
          go along, because they share queues with those that are named: 101
          ! Pulje p1 is paused.
          then, pulje p1, 2 groups would begin: write
          then, pulje p1, 1 group would wait [MIG-403], over soon
        Nothing was changed. To do it, give the same command with --execute.
        """)
    let already = PreviewText.text("pause", Self.answer(nil, status: "already_paused"), ending: PreviewText.brakeEnding)
    #expect(already.hasPrefix("dry run: pause would come to: already_paused: it is so already\n"))
    #expect(already.hasSuffix("without --dry-run."))
  }

  @Test("a preview is no other command: a key that comes with it stands for the same one")
  func fingerprint() {
    var command = ControlAPI.Command(verb: .stop, by: ["Kari"], why: "CHG-7")
    let print = command.fingerprint
    command.preview = true
    #expect(command.fingerprint == print)
    command.why = "CHG-8"
    #expect(command.fingerprint != print)
  }
}
