// SPDX-License-Identifier: Apache-2.0

import Testing
import TjenestebussTesting

@Suite("The ledger of deliveries")
struct DeliveryLedgerTests {
  private func ledger(_ body: (inout DeliveryLedger) -> Void) -> DeliveryLedger.Balance {
    var ledger = DeliveryLedger()
    body(&ledger)
    return ledger.balance(window: 2)
  }

  @Test("sent, received, settled: all in order")
  func inOrder() {
    let balance = self.ledger {
      $0.sent("a", .accepted)
      $0.received("a", on: 1)
      $0.settled("a", on: 1)
    }
    #expect(balance.faults == [])
    #expect(balance.duplicates == [])
    #expect(balance.accepted == 1 && balance.received == 1)
  }

  @Test("accepted and nowhere is lost; accepted and on the queue is not")
  func lost() {
    let balance = self.ledger {
      $0.sent("a", .accepted)
      $0.sent("b", .accepted)
      $0.left("b")
    }
    #expect(balance.lost == ["a"])
    #expect(balance.left == 1)
    #expect(balance.faults == ["lost: a"])
  }

  @Test("a settlement that turned out not to get through explains the next receipt; without it nothing does")
  func settlementLost() {
    for isLost in [true, false] {
      let balance = self.ledger {
        $0.sent("a", .accepted)
        $0.received("a", on: 1)
        $0.settled("a", on: 1)
        $0.ended(1, inOrder: true)
        if isLost { $0.settlementLost("a") }
        $0.received("a", on: 2)
      }
      #expect(balance.duplicates.map(\.reason) == [isLost ? .notSettled : nil])
    }
  }

  @Test("an outcome that nobody knows is accounted for, arrived or not")
  func unknown() {
    let balance = self.ledger {
      $0.sent("a", .unknown)
      $0.sent("b", .unknown)
      $0.received("a", on: 1)
    }
    #expect(balance.unknownArrived == 1 && balance.unknownAbsent == 1)
    #expect(balance.faults == [])
  }

  @Test("what was told not to have left, and arrives, is a lie; what nobody sent is an alien")
  func denied() {
    let balance = self.ledger {
      $0.sent("a", .notSent)
      $0.received("a", on: 1)
      $0.received("x", on: 1)
    }
    #expect(balance.denied == ["a"])
    #expect(balance.aliens == ["x"])
    #expect(balance.faults.count == 2)
  }

  @Test("a second copy of what was sent once and settled in order has no reason")
  func unexplained() {
    let balance = self.ledger {
      $0.sent("a", .accepted)
      $0.received("a", on: 1)
      $0.settled("a", on: 1)
      $0.ended(1, inOrder: true)
      $0.received("a", on: 2)
    }
    #expect(balance.unexplained.map(\.id) == ["a"])
    #expect(balance.faults == ["came again without a reason: a"])
  }

  @Test("a copy that lies on the queue after it was received and settled is one, too")
  func lyingCopy() {
    let balance = self.ledger {
      $0.sent("a", .accepted)
      $0.received("a", on: 1)
      $0.settled("a", on: 1)
      $0.ended(1, inOrder: true)
      $0.left("a")
    }
    #expect(balance.unexplained.map(\.id) == ["a"])
  }

  @Test("sent again after an unknown outcome: one copy more, and no second one")
  func sentAgain() {
    let balance = self.ledger {
      $0.sent("a", .unknown)
      $0.sent("a", .accepted)
      for _ in 1...3 {
        $0.received("a", on: 1)
        $0.settled("a", on: 1)
      }
      $0.ended(1, inOrder: true)
    }
    #expect(balance.duplicates.map(\.reason) == [.sentAgain, nil])
  }

  @Test("not settled, or settled on a link that broke soon after: the bus may give it again, once for each")
  func redelivered() {
    let balance = self.ledger {
      $0.sent("a", .accepted)
      $0.received("a", on: 1)
      $0.ended(1, inOrder: true)
      $0.received("a", on: 2)
      $0.settled("a", on: 2)
      $0.ended(2, inOrder: false)
      $0.received("a", on: 3)
      $0.settled("a", on: 3)
      $0.received("a", on: 3)
    }
    #expect(balance.duplicates.map(\.reason) == [.notSettled, .settlementLost, .settlementLost])
    let again = self.ledger {
      $0.sent("a", .accepted)
      $0.received("a", on: 1)
      $0.settled("a", on: 1)
      $0.ended(1, inOrder: true)
      for _ in 1...2 { $0.received("a", on: 2) }
    }
    #expect(again.duplicates.map(\.reason) == [nil, .notSettled])
  }

  @Test("settled long before the link broke: the bus has read that, or it could not have sent so much more")
  func confirmed() {
    let balance = self.ledger {
      for id in ["a", "b", "c", "d", "e", "f"] {
        $0.sent(id, .accepted)
        $0.received(id, on: 1)
        $0.settled(id, on: 1)
      }
      $0.ended(1, inOrder: false)
      for id in ["a", "b", "c"] { $0.received(id, on: 2) }
    }
    // Window 2: after the receipt of a and b came four or more.
    #expect(balance.unexplained.map(\.id) == ["a", "b"])
    #expect(balance.duplicates.last?.reason == .settlementLost)
  }
}
