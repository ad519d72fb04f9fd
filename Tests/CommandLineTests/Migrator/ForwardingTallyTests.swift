// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Migration
import Testing

@testable import bus_migrator

@Suite("A forwarder's figures in the ledger's words")
struct ForwardingTallyTests {
  @Test(
    "what is held lies on the source still: open while it is held, left alone when it was given back; nothing is counted twice")
  func balance() {
    let tally = ForwardingTally(run: "r")
    var counts = ForwardingCounts()
    counts.received = 7
    counts.onTheirWay = 2
    counts.held = 1
    let begun = tally.count(counts)
    #expect(begun.received == 3 && begun.open == 3 && begun.settled == 0)
    counts.accepted = 2
    counts.onTheirWay = 0
    // Delivered again after a link was lost: a delivery more, and no message.
    counts.received = 12
    let carried = tally.count(counts)
    #expect(carried.received == 3 && carried.accepted == 2 && carried.open == 1)
    counts.held = 0
    let ended = tally.count(counts)
    #expect(ended.received == 3 && ended.open == 0 && ended.leftAlone == 1 && ended.setAsideInAll == 0)
    counts.possibleDuplicates = 5
    #expect(tally.count(counts).possibleDuplicates == 2)
  }

  @Test(
    "what is set aside is told by reason as the journal has it; what did not come again was not given back"
  )
  func asideAndLost() {
    let tally = ForwardingTally(run: "r")
    var counts = ForwardingCounts()
    counts.accepted = 3
    counts.notReturned = 2
    counts.held = 1
    func aside(_ reason: SetAside.Reason) -> SetAside {
      SetAside(messageID: "m", queue: "a/1 > b/1", at: 0, reason: reason, seen: "")
    }
    let count = tally.count(
      counts, aside: [aside(.tooLarge), aside(.expired), aside(.expired), aside(.poison)])
    #expect(
      count.aside == ["tooLarge": 1, "expired": 2, "poison": 1] && count.allAside == 2
        && count.allExpired == 2)
    #expect(
      count.received == 6 && count.notReturned == 2 && count.leftAlone == 0 && count.open == 1)
    counts.held = 0
    let ended = tally.count(counts, aside: [])
    #expect(ended.received == 6 && ended.leftAlone == 1 && ended.open == 0 && ended.allAside == 0)
  }

  @Test("an order's rules are the forwarder's, word for word")
  func rules() {
    var order = ForwardingOrder(approvals: ["Kari", "Ola"])
    #expect(order.rules(for: .asynchronous) == ForwardingRules())
    order.mode = .fast
    order.window = 7
    order.ratePerSecond = 3
    order.unknownAge = .whole
    let rules = order.rules(for: .asynchronous, retriesSetAside: true)
    #expect(rules.mode == .fast && rules.window == 7 && rules.rate == 3 && rules.unknownAge == .whole && rules.retriesSetAside)
    // No order names them; should one ever, none of their messages is sent.
    #expect(order.rules(for: .synchronous).leavesToExpire && order.rules(for: .synchronousReply).leavesToExpire)
    order.deliveryLimit = 7
    #expect(!order.rules(for: .error).leavesToExpire && order.rules(for: .error).deliveryLimit == 7)
  }
}
