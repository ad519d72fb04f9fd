// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import AMQP

@Suite("What a connection tells of itself")
struct GaugeTests {
  private let message = AMQPMessage(body: .data([1, 2, 3]))

  @Test("a sender without credit: who waits, for how long, and since when there is none")
  func sender() async throws {
    var manners = LoopbackServer.Manners()
    manners.credit = 0
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let sender = try await connection.openSender(to: "q")
        let sends = (0..<3).map { _ in Task { try await sender.send(self.message, within: .seconds(60)) } }
        let statistics = try await self.until(connection) { $0.links.first?.waitingSends == 3 }
        let link = try #require(statistics.links.first)
        #expect(link.role == .sender)
        #expect(link.address == "q")
        #expect(link.epoch == sender.epoch)
        #expect(link.credit == 0)
        #expect(link.hasHadCreditFor == nil)
        #expect(link.inFlight == 0)
        #expect(link.oldestWaitingSendAge != nil)
        #expect(statistics.state == .open)
        #expect(statistics.lastFrameReceivedAge != nil)
        #expect(statistics.lastFrameSentAge != nil)
        for send in sends { send.cancel() }
        for send in sends { _ = await send.result }
      }
    }
  }

  @Test("the error of a send without credit says what the link looks like")
  func noCreditWords() async throws {
    var manners = LoopbackServer.Manners()
    manners.credit = 0
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let sender = try await connection.openSender(to: "q")
        let error = await #expect(throws: AMQPError.self) { try await sender.send(self.message, within: .milliseconds(50)) }
        #expect(error?.code == .noCredit)
        let seen = try #require(error?.seen)
        #expect(seen.hasPrefix("no credit for "), "\(seen)")
        #expect(seen.contains("link open, 0 in flight, 0 more waiting, broker may be in alarm"), "\(seen)")
      }
    }
  }

  @Test("an outcome that is owed is seen as in flight, with its age")
  func inFlight() async throws {
    var manners = LoopbackServer.Manners()
    manners.answers = false
    manners.credit = 1
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let sender = try await connection.openSender(to: "q")
        let first = Task { try await sender.send(self.message, within: .seconds(60)) }
        let statistics = try await self.until(connection) { $0.links.first?.inFlight == 1 }
        #expect(statistics.links.first?.oldestUnsettledAge != nil)
        #expect(statistics.links.first?.transfers == 1)
        let error = await #expect(throws: AMQPError.self) { try await sender.send(self.message, within: .milliseconds(50)) }
        #expect(error?.seen.contains("1 in flight, 0 more waiting, the broker owes outcomes") == true)
        first.cancel()
        #expect(try await first.value == .unknown(.cancelled))
      }
    }
  }

  @Test("a receiver: buffered, then unsettled, then neither; credit and these never exceed the window")
  func receiver() async throws {
    try await LoopbackServer.run(.sending(3)) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 10)
        let arrived = try await self.until(connection) { $0.links.first?.buffered == 3 }
        #expect(arrived.links.first?.credit == 7)
        #expect(arrived.links.first?.unsettled == 0)
        #expect(arrived.links.first?.bufferedBytes == 3 * self.message.encoded().count)
        let batch = try #require(try await receiver.nextBatch())
        let taken = await connection.statistics()
        #expect(taken.links.first?.buffered == 0)
        #expect(taken.links.first?.unsettled == 3)
        #expect(taken.links.first?.oldestUnsettledAge != nil)
        try receiver.settle(batch, as: .accepted)
        let settled = await connection.statistics()
        #expect(settled.links.first?.unsettled == 0)
        #expect(settled.links.first?.oldestUnsettledAge == nil)
        await receiver.close()
        #expect(await connection.statistics().links.isEmpty)
      }
    }
  }

  @Test("an attach that is not answered is counted; a closed connection says so")
  func attaches() async throws {
    var manners = LoopbackServer.Manners()
    manners.answersAttach = false
    try await LoopbackServer.run(manners) { configuration in
      let connection = try await AMQPConnection.open(configuration)
      let attach = Task { try await connection.openSender(to: "q") }
      let statistics = try await self.until(connection) { $0.unansweredAttaches == 1 }
      #expect(statistics.oldestAttachAge != nil)
      attach.cancel()
      _ = await attach.result
      await connection.close()
      #expect(await connection.statistics().state == .closed)
    }
  }

  /// Asks until `isSo`, giving way in between: what is waited for happens on the event loop and is sure to come.
  private func until(
    _ connection: AMQPConnection, _ isSo: (AMQPConnectionStatistics) -> Bool
  ) async throws -> AMQPConnectionStatistics {
    while true {
      let statistics = await connection.statistics()
      if isSo(statistics) { return statistics }
      try Task.checkCancellation()
      await Task.yield()
    }
  }
}

extension LoopbackServer.Manners {
  /// Sends `count` messages to the first receiver that has credit, as far as its credit goes, and drains when asked to.
  static func sending(_ count: Int, _ message: AMQPMessage = AMQPMessage(body: .data([1, 2, 3]))) -> LoopbackServer.Manners {
    var manners = LoopbackServer.Manners()
    let left = NIOLockedValueBox(count)
    let payload = message.encoded()
    manners.credited = { link, credit, drain, connection in
      for _
        in 0..<left.withLockedValue({ left in
          let now = min(left, max(0, credit))
          left -= now
          return now
        })
      { _ = connection.send(payload, on: link, settled: false) }
      if drain { connection.drained(link) }
    }
    return manners
  }
}
