// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

@testable import Forwarding

@Suite("Sending many messages with one waking", .timeLimit(.minutes(5)))
struct ParcelTests {
  /// The ends that were told, and a way to wait for so many.
  private final class Ends: Sendable {
    private let state = NIOLockedValueBox<[AMQPParcelEnd]>([])
    private let inbox = Inbox<Int>()

    var all: [AMQPParcelEnd] { self.state.withLockedValue { $0 } }

    func put(_ ends: [AMQPParcelEnd]) {
      self.state.withLockedValue { $0 += ends }
      self.inbox.put(ends.count)
    }

    func wait(for count: Int) async { while self.all.count < count { _ = await self.inbox.take() } }
  }

  private func parcel(_ number: Int, size: Int = 60) -> AMQPParcel {
    let message = AMQPMessage.health("m-\(number)", body: Array(repeating: UInt8(truncatingIfNeeded: number), count: size))
    let encoded = message.encoded()
    return AMQPParcel(
      number: UInt64(number), head: ForwardedForm.plainHeader, payload: encoded, start: StrandedMessage(encoded).bareStart)
  }

  @Test("all arrive in order, large ones between small ones, and each has one end")
  func inOrder() async throws {
    try await TwoBuses.with { buses in
      try await AMQPConnection.withConnection(try buses.target.clientConfiguration()) { connection in
        let sender = try await connection.openSender(to: buses.target.sendingAddress("q"))
        let ends = Ends()
        let parcels = (0..<400).map { self.parcel($0, size: $0 % 100 == 50 ? 700_000 : 60) }
        for first in stride(from: 0, to: 400, by: 40) {
          sender.send(parcels: Array(parcels[first..<first + 40])) { ends.put($0) }
        }
        await ends.wait(for: 400)
        #expect(ends.all.map(\.number).sorted() == (0..<400).map { UInt64($0) })
        #expect(ends.all.allSatisfy { $0.fate == .outcome(.accepted) })
      }
      let got = try await TwoBuses.take(400, from: buses.target)
      #expect(try got.map { try $0.message().properties.messageID?.description } == (0..<400).map { "m-\($0)" })
      #expect(try got.allSatisfy { try $0.message().header?.durable == true })
      for (number, delivery) in got.enumerated() {
        let size = number % 100 == 50 ? 700_000 : 60
        #expect(try delivery.message().body.bytes == Array(repeating: UInt8(truncatingIfNeeded: number), count: size))
      }
    }
  }

  @Test("a link that is lost ends each once: unknown what was handed over, not sent what waited, and what comes later too")
  func lost() async throws {
    try await TwoBuses.with { buses in
      try await buses.target.holdOutcomes()
      try await AMQPConnection.withConnection(try buses.target.clientConfiguration()) { connection in
        let sender = try await connection.openSender(to: buses.target.sendingAddress("q"))
        let ends = Ends()
        sender.send(parcels: (0..<900).map { self.parcel($0) }) { ends.put($0) }
        let there = try await buses.target.waitUntil { $0.depth(of: "q") > 0 }.depth(of: "q")
        try await buses.target.cutAllConnections()
        await ends.wait(for: 900)
        #expect(Set(ends.all.map(\.number)).count == 900)
        var unknown = 0
        for end in ends.all {
          switch end.fate {
          case .outcome(.unknown(.lost)): unknown += 1
          case .notSent: break
          case .outcome(let outcome): Issue.record("\(end.number) ended \(outcome)")
          }
        }
        #expect(unknown >= there)
        // What the bus has was handed over: never told as not sent.
        let ids = try await buses.target.messageIDs(in: "q").compactMap { $0?.description }
        let notSent = Set(ends.all.filter { if case .notSent = $0.fate { true } else { false } }.map { "m-\($0.number)" })
        #expect(notSent.isDisjoint(with: ids))
        sender.send(parcels: [self.parcel(1_000)]) { ends.put($0) }
        await ends.wait(for: 901)
        guard case .notSent? = ends.all.last?.fate else {
          Issue.record("a parcel for a link that is gone ended otherwise")
          return
        }
      }
    }
  }
}
