// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import Testing

@testable import MigrationEngine

@Suite("What people are told of carrying over")
struct ForwardingNoticeTests {
  private func notice(_ event: GroupEvent) throws -> Notice? {
    Notice(
      .group(pulje: try #require(PuljeName("p")), group: GroupID(try #require(HerID(1))), event: event), state: MigrationState(),
      at: Instant(milliseconds: 1_800_000_000_000))
  }

  private func queue() throws -> QueueAddress { try QueueAddress(text: "a.example/NHN/1_async") }

  @Test("an order, its pause and its end are told with their names; each count is not")
  func orders() throws {
    let approved = try self.notice(.forwardingApproved(order: ForwardingOrder(approvals: ["Kari", "Ola"])))
    #expect(approved?.weight == .warning && approved?.words.contains("approved by Kari, Ola") == true)
    let paused = try self.notice(.forwardingPaused(by: "Ola", why: "lunch"))
    #expect(paused?.weight == .information && paused?.words.contains("by Ola: lunch") == true)
    #expect(try self.notice(.forwardingEnded(by: "Kari", why: "done"))?.words.contains("ended by Kari: done") == true)
    #expect(try self.notice(.forwarded(queue: try self.queue(), count: ForwardingCount(run: "1"))) == nil)
  }

  @Test("a queue that has stopped is an alarm with the code of what was met")
  func stopped() throws {
    let stopped = try self.notice(.forwardingStopped(queue: try self.queue(), code: "FWD-101", seen: "rejected"))
    #expect(stopped?.weight == .alarm && stopped?.code == "FWD-101" && stopped?.kind == "group.forwarding-stopped")
    #expect(stopped?.words.contains("1_async: rejected") == true)
  }

  @Test("a shovel that is not known to be gone is an alarm with a code of its own; that it stands, or is gone, is told")
  func shovels() throws {
    let shovel = StandingShovel(
      node: "b", name: "tjenestebuss.0a.1", virtualHost: "/", from: try self.queue(), to: try self.queue())
    #expect(try self.notice(.shovelIntended(shovel: shovel))?.weight == .information)
    let stays = try self.notice(.shovelStays(node: "b", name: shovel.name, code: "SHOVEL-003", seen: "no answer"))
    #expect(stays?.weight == .alarm && stays?.code == "SHOVEL-007")
    #expect(stays?.words.contains("[SHOVEL-003] no answer") == true && stays?.words.contains(shovel.name) == true)
    #expect(try self.notice(.shovelGone(node: "b", name: shovel.name))?.weight == .information)
  }
}
