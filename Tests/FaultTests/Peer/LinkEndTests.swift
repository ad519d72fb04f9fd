// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing
import TjenestebussTesting

@Suite("Links that a peer ends in every way there is", .timeLimit(.minutes(3)))
struct LinkEndTests {
  @Test("an empty Detach in mid-stream: the link is gone, the connection is not, and a new link receives")
  func emptyDetach() async throws {
    try await withConnection([
      .opening(), .receiver(from: "/queues/q"), .respond(.transfer(.test("a"))), .respond(.detach()),
      .receiver(from: "/queues/q", begins: false),
      .respond(.transfer(.test("b"))), .expect(.disposition(.accepted)),
    ]) { _, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q")
      var ids: [String] = []
      let error = await failure {
        while let batch = try await receiver.nextBatch() { for one in batch { ids.append(try one.id()) } }
      }
      #expect(error?.code == .linkDetached)
      #expect(error?.condition == nil)
      #expect(ids.allSatisfy { $0 == "a" })
      #expect(connection.closedReason == nil)
      let again = try await connection.openReceiver(from: "/queues/q")
      let delivery = try #require(try await again.first(1).first)
      #expect(try delivery.id() == "b")
      try delivery.accept()
    }
  }

  @Test("a delivery of a link that was detached can no longer be settled")
  func settlementLost() async throws {
    try await withConnection([
      .opening(), .receiver(), .respond(.transfer(.test("a"))), .hold("taken"), .respond(.detach()),
    ]) { peer, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q")
      let delivery = try #require(try await receiver.first(1).first)
      peer.release("taken")
      let end = await failure { _ = try await receiver.nextBatch() }
      #expect(end?.code == .linkDetached)
      #expect(await failure { try delivery.accept() }?.code == .settlementLost)
    }
  }

  @Test(
    "an attach refused as RabbitMQ 4.3 does it: no terminus, then a Detach with the reason", arguments: ["sender", "receiver"])
  func refused(_ role: String) async throws {
    let notFound = AMQPCondition(AMQPCondition.notFound, text: "no queue 'q'")
    try await withConnection([
      .opening(), .session(), .expect(.attach()), .respond(.attach(refused: true)), .respond(.detach(notFound)),
      .sender(to: "/queues/other", begins: false),
    ]) { _, connection in
      let error = await failure {
        if role == "sender" {
          _ = try await connection.openSender(to: "/queues/q")
        } else {
          _ = try await connection.openReceiver(from: "/queues/q")
        }
      }
      #expect(error?.code == .notFound)
      #expect(error?.condition == notFound)
      _ = try await connection.openSender(to: "/queues/other")
    }
  }

  @Test("an attach refused as RabbitMQ 3.10 and 4.0 do it: the End of its session", arguments: ["sender", "receiver"])
  func refusedByEnd(_ role: String) async throws {
    let denied = AMQPCondition(AMQPCondition.unauthorizedAccess, text: "write access refused")
    try await withConnection([
      .opening(), .session(), .expect(.attach()), .respond(.end(denied)), .sender(to: "/queues/other", begins: false),
    ]) { _, connection in
      let error = await failure {
        if role == "sender" {
          _ = try await connection.openSender(to: "/queues/q")
        } else {
          _ = try await connection.openReceiver(from: "/queues/q")
        }
      }
      #expect(error?.code == .unauthorized)
      #expect(error?.condition == denied)
      #expect(connection.closedReason == nil)
      _ = try await connection.openSender(to: "/queues/other")
    }
  }

  @Test("an End in mid-stream: what is in flight is unknown, what waits was not sent")
  func endInFlight() async throws {
    try await withConnection([
      .opening(), .sender(credit: 1), .expect(.transfer()), .hold("both"),
      .respond(.end(AMQPCondition(AMQPCondition.internalError, text: "shutdown"))),
    ]) { peer, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      async let first = sender.send(.test("a"))
      try await peer.waitUntilHeld("both")
      async let second = failure { _ = try await sender.send(.test("b")) }
      // The second may come before the End or after it: it has no credit either way.
      peer.release("both")
      guard case .unknown(.lost(let reason)) = try await first else {
        Issue.record("an outcome came")
        return
      }
      #expect(reason.code == .sessionEnded)
      #expect([.sessionEnded, .linkClosed].contains(await second?.code))
      #expect(connection.closedReason == nil)
    }
  }

  @Test(
    "a peer that takes all credit back unasked, and so could never send again: the link is ended as stalled, once, and another one receives"
  )
  func stalled() async throws {
    try await withConnection(
      [
        .opening(), .receiver(from: "/queues/q", credit: 5),
        // The delivery-count moves by five, and no message came: the credit is used up (specification 2.6.7).
        .respond(.flow(credit: 0) { $0[.deliveryCount] = .uint(5) }), .expect(.detach()), .respond(.detach()),
        .receiver(from: "/queues/q", begins: false), .respond(.transfer(.test("b"))), .expect(.disposition(.accepted)),
      ], ignoring: unasked.subtracting([.detach]), change: { $0.stalledLinkTimeout = .milliseconds(100) }
    ) { _, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q", credit: 5)
      let error = await failure { _ = try await receiver.nextBatch() }
      #expect(error?.code == .linkStalled)
      #expect(error?.isRetriable == true)
      #expect(await connection.statistics().stalledLinks == 1)
      let again = try await connection.openReceiver(from: "/queues/q")
      let delivery = try #require(try await again.first(1).first)
      #expect(try delivery.id() == "b")
      try delivery.accept()
    }
  }

  @Test("taken back, as RabbitMQ 4.3 does at its consumer timeout: the holder learns of it, and settling opens the link again")
  func withdrawn() async throws {
    try await withConnection(
      [
        .opening(), .receiver(credit: 1), .respond(.transfer(.test("a"))), .hold("taken"),
        .respond(.withdrawal(first: 0, settled: false)),
        .expect(.disposition(first: 0, settled: true)), .respond(.transfer(.test("b"))),
        .expect(.disposition(.accepted, first: 1)),
      ], ignoring: [.begin, .flow, .detach, .end]
    ) { peer, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q", credit: 1)
      let first = try #require(try await receiver.first(1).first)
      #expect(!first.isWithdrawn)
      peer.release("taken")
      #expect(await first.waitUntilWithdrawn())
      #expect(first.isWithdrawn)
      try? first.accept()
      let second = try #require(try await receiver.first(1).first)
      #expect(try second.id() == "b")
      #expect(!second.isWithdrawn)
      try second.accept()
      try await peer.verify()
    }
  }

  @Test("stolen: another client has attached with the link's name; that is told as what it is")
  func stolen() async throws {
    let stolen = AMQPCondition(AMQPCondition.linkStolen, text: "another container attached")
    try await withConnection([.opening(), .receiver(), .respond(.detach(stolen))]) { _, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q")
      let error = await failure { _ = try await receiver.nextBatch() }
      #expect(error?.code == .linkStolen)
      #expect(error?.isRetriable == false)
    }
  }

  @Test("two links have two names, so that one cannot steal the other")
  func names() async throws {
    try await ScriptedPeer.withPeer(
      [
        .opening(), .session(), .expect(.attach()), .respondWithCredit(1), .session(),
        .expect(.attach()), .respondWithCredit(1), .hold("two"),
        .expect(.transfer(messageID: "to the second")), .respond(.disposition(.accepted)),
      ], ignoring: unasked
    ) { peer in
      try await AMQPConnection.withConnection(peer.clientConfiguration()) { connection in
        _ = try await connection.openSender(to: "/queues/q")
        let second = try await connection.openSender(to: "/queues/q")
        peer.release("two")
        #expect(try await second.send(.test("to the second")) == .accepted)
      }
    }
  }

  @Test("an attach that is answered too late is no link, and the connection goes on")
  func lateAttach() async throws {
    try await withConnection(
      [
        .opening(), .session(), .expect(.attach(role: .receiver)), .hold("late"), .respond(.attach()), .respond(.flow()),
        .respond(.transfer(.test("nobody's"))), .receiver(from: "/queues/other", begins: false), .respond(.transfer(.test("a"))),
        .expect(.disposition(.accepted)),
      ], ignoring: unasked.union([.attach])
    ) { peer, connection in
      let error = await failure { _ = try await connection.openReceiver(from: "/queues/q", within: .milliseconds(50)) }
      #expect(error?.code == .attachTimedOut)
      peer.release("late")
      let other = try await connection.openReceiver(from: "/queues/other")
      let delivery = try #require(try await other.first(1).first)
      #expect(try delivery.id() == "a")
      try delivery.accept()
    }
  }

  @Test("a bus so slow that an attach times out before its session is begun: the Begin that comes late costs nothing")
  func lateBegin() async throws {
    try await withConnection(
      [
        .opening(), .sender(to: "/queues/first"), .expect(.begin), .expect(.attach(role: .receiver)), .hold("late"),
        .respond(.begin()), .respond(.attach()), .receiver(from: "/queues/other", begins: false), .respond(.transfer(.test("a"))),
        .expect(.transfer(messageID: "b")), .respond(.disposition(.accepted, link: 0)),
      ], ignoring: unasked.union([.attach])
    ) { peer, connection in
      let sender = try await connection.openSender(to: "/queues/first")
      let error = await failure { _ = try await connection.openReceiver(from: "/queues/q", within: .milliseconds(50)) }
      #expect(error?.code == .attachTimedOut)
      peer.release("late")
      let other = try await connection.openReceiver(from: "/queues/other")
      try (try #require(try await other.first(1).first)).accept()
      #expect(try await sender.send(.test("b")) == .accepted)
      #expect(connection.closedReason == nil)
    }
  }

  @Test("frames of a link that we have detached, still on their way, touch nothing")
  func lateFrames() async throws {
    try await withConnection(
      [
        .opening(), .receiver(from: "/queues/q"), .respond(.transfer(.test("a"))), .expect(.detach()),
        .respond(.transfer(.test("b"))), .respond(.transfer(.test("c"))), .respond(.detach()),
        .receiver(from: "/queues/q", begins: false), .respond(.transfer(.test("d"))), .expect(.disposition(.accepted)),
      ], ignoring: [.begin, .flow, .end, .disposition]
    ) { _, connection in
      let receiver = try await connection.openReceiver(from: "/queues/q")
      let old = try #require(try await receiver.first(1).first)
      await receiver.close()
      #expect(await failure { try old.accept() }?.code == .settlementLost)
      let again = try await connection.openReceiver(from: "/queues/q")
      let delivery = try #require(try await again.first(1).first)
      #expect(try delivery.id() == "d")
      try delivery.accept()
    }
  }

  @Test("a delivery of an earlier connection is no delivery of the next one, though their numbers are the same")
  func earlierConnection() async throws {
    let script: [PeerStep] = [.opening(), .receiver(), .respond(.transfer(.test("a")))]
    try await ScriptedPeer.withPeer(
      connections: [script + [.hold("taken"), .drop()], script + [.hold("settled"), .expect(.disposition(.released))]],
      ignoring: [.flow, .detach, .end]
    ) { peer in
      let first = try await AMQPConnection.open(peer.clientConfiguration())
      let old = try #require(try await first.openReceiver(from: "/queues/q").first(1).first)
      peer.release("taken")
      #expect(try await first.waitUntilClosed().code == .connectionLost)
      try await AMQPConnection.withConnection(peer.clientConfiguration()) { second in
        let new = try #require(try await second.openReceiver(from: "/queues/q").first(1).first)
        // Were it taken for the new one, the peer would see an accepted before the released.
        #expect(await failure { try old.accept() }?.code == .settlementLost)
        peer.release("settled")
        try new.release()
        try await peer.verify()
      }
    }
  }

  @Test("a peer whose channel and handle numbers are its own")
  func numbers() async throws {
    let channel: @Sendable (inout PeerFrame) -> Void = { $0.channel = 17 }
    let numbers: @Sendable (inout PeerFrame) -> Void = {
      $0.channel = 17
      $0[.handle] = .uint(200)
    }
    try await withConnection([
      .opening(), .expect(.begin), .respond(.begin(channel)), .expect(.attach()), .respond(.attach(numbers)),
      .respond(.flow(credit: 1, numbers)), .expect(.transfer(messageID: "a")), .respond(.disposition(.accepted, channel)),
    ]) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      #expect(try await sender.send(.test("a")) == .accepted)
    }
  }

  @Test("a session that the peer ended; its channel is used anew by both")
  func channelReuse() async throws {
    try await withConnection([
      .opening(), .sender(), .respond(.end()), .sender(), .expect(.transfer(messageID: "a")), .respond(.disposition(.accepted)),
      .respond(.end()), .sender(), .expect(.transfer(messageID: "b")), .respond(.disposition(.accepted)),
    ]) { _, connection in
      _ = try await connection.openSender(to: "/queues/q")
      let second = try await connection.openSender(to: "/queues/q")
      #expect(try await second.send(.test("a")) == .accepted)
      let third = try await connection.openSender(to: "/queues/q")
      #expect(try await third.send(.test("b")) == .accepted)
    }
  }

  @Test("a session and a link that the peer begins by itself are none of ours")
  func uninvited() async throws {
    try await withConnection([
      .opening(),
      .respond(.frame(PeerFrame(.begin, channel: 9, fields: [.null, .uint(0), .uint(100), .uint(100)]))),
      .respond(
        .frame(
          PeerFrame(
            .attach, channel: 9,
            fields: [
              .string("theirs"), .uint(0), true, .null, .null, .null, .null,
            ]))),
      .sender(), .expect(.transfer()), .respond(.disposition(.accepted)),
    ]) { _, connection in
      let sender = try await connection.openSender(to: "/queues/q")
      #expect(try await sender.send(.test("a")) == .accepted)
    }
  }
}
