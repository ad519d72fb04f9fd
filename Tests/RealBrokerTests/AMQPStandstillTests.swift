// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@Suite("AMQP against real brokers: what is taken back, drained, handed back and deleted", .timeLimit(.minutes(10)))
struct AMQPStandstillTests {
  // MARK: Taken back

  @Test("what is held too long is taken back by RabbitMQ 4.3, and by no other", arguments: RealBroker.proven)
  func withdrawn(_ broker: RealBroker) async throws {
    #expect(broker.dialect.capabilities.mayWithdraw || !broker.withdraws)
    let queue = try await broker.declareQueue("quorum", arguments: ["x-consumer-timeout": 2_000])
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await broker.send(0..<1, to: queue, on: connection)
      try await connection.withReceiver(from: broker.receiving(from: queue), credit: 5) { receiver in
        let delivery = try #require(try await receiver.next(1).first)
        guard broker.withdraws else {
          #expect(await self.isWithdrawn(delivery, within: .seconds(6)) == false)
          try delivery.accept()
          #expect(await connection.statistics().withdrawnDeliveries == 0)
          return
        }
        #expect(await delivery.waitUntilWithdrawn())
        #expect(delivery.isWithdrawn)
        #expect(await connection.statistics().withdrawnDeliveries == 1)
        let error = #expect(throws: AMQPError.self) { try delivery.accept() }
        #expect(error?.code == .deliveryWithdrawn)
        // The message is not lost by the accept that did not count, nor is the link locked for good.
        let again = try #require(try await receiver.next(1).first)
        #expect(try again.messageID() == "m-0")
        try again.accept()
      }
    }
  }

  private func isWithdrawn(_ delivery: AMQPDelivery, within limit: Duration) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask { await delivery.waitUntilWithdrawn() }
      group.addTask {
        // Waits by the clock: what is tested is that nothing happens in that time.
        try? await Task.sleep(for: limit)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }

  @Test(
    "a handler holds a message too long: where the bus takes it back the handler is cancelled, elsewhere it is not; nothing stands still",
    arguments: RealBroker.proven)
  func heldByHandler(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue("quorum", arguments: ["x-consumer-timeout": 2_000])
    let runs = Counter()
    let reports = Counter()
    let client = AMQPClient(try broker.configuration())
    let counts = try await client.withClient { client in
      let outcome = try await client.send(.numbered(0), to: broker.sending(to: queue))
      #expect(outcome == .accepted)
      var policy = AMQPProcessPolicy()
      policy.report = { if case .withdrawn = $0 { reports.add() } }
      return try await withThrowingTaskGroup(of: AMQPProcessCounts?.self) { group in
        group.addTask { [policy] in
          try await client.process(from: broker.receiving(from: queue), policy: policy) { _ in
            guard runs.add() == 1 else { return }
            // Twice the queue's time; where the bus takes it back for ever, unless it is cancelled.
            try await Task.sleep(for: .seconds(broker.withdraws ? 3_600 : 4))
          }
        }
        // Where the first run is cancelled, the second one accepts. Then a second message passes, so the link is not locked.
        try await runs.wait(for: broker.withdraws ? 2 : 1)
        let outcome = try await client.send(.numbered(1), to: broker.sending(to: queue))
        #expect(outcome == .accepted)
        try await runs.wait(for: broker.withdraws ? 3 : 2)
        await client.shutdown()
        return try await group.next() ?? nil
      }
    }
    #expect(counts?.withdrawn == (broker.withdraws ? 1 : 0))
    #expect(counts?.accepted == 2)
    #expect(reports.value == (broker.withdraws ? 1 : 0))
  }

  // MARK: Drained

  @Test(
    "drained, a receiver gets what there is and its credit back; where that ends the session, it is not asked",
    arguments: RealBroker.proven)
  func drain(_ broker: RealBroker) async throws {
    for kind in broker.queueKinds {
      let queue = try await broker.declareQueue(kind)
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        try await broker.send(0..<3, to: queue, on: connection)
        let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 10)
        let first = try await receiver.next(3)
        guard broker.dialect.capabilities.drains else {
          let error = await #expect(throws: AMQPError.self) { try await receiver.drain() }
          #expect(error?.code == .drainNotSupported)
          // And it goes on as it was.
          try receiver.settle(first, as: .accepted)
          try await broker.send(3..<4, to: queue, on: connection)
          try #require(try await receiver.next(1).first).accept()
          return
        }
        let result = try await receiver.drain()
        #expect(result == AMQPDrainResult(arrived: 0, creditGivenBack: 7), "\(kind)")
        try receiver.settle(first, as: .accepted)
        // No credit: what comes now stays until it is granted again.
        try await broker.send(3..<4, to: queue, on: connection)
        #expect(await connection.statistics().links.first { $0.epoch == receiver.epoch }?.credit == 0)
        receiver.resume()
        let later = try #require(try await receiver.next(1).first)
        #expect(try later.messageID() == "m-3")
        try later.accept()
      }
    }
  }

  @Test(
    "a drain begun before anything was read hands out all there is",
    arguments: RealBroker.proven.filter(\.dialect.capabilities.drains))
  func drainAtOnce(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      try await broker.send(0..<3, to: queue, on: connection)
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 10)
      try await receiver.drain()
      let deliveries = try await receiver.next(3)
      #expect(try deliveries.map { try $0.messageID() } == ["m-0", "m-1", "m-2"])
      try receiver.settle(deliveries, as: .accepted)
    }
  }

  // MARK: Handed back

  @Test("what a closed receiver had not handed out comes to the next one, in order and once", arguments: RealBroker.proven)
  func handedBack(_ broker: RealBroker) async throws {
    for kind in broker.queueKinds {
      let queue = try await broker.declareQueue(kind)
      try await AMQPConnection.withConnection(try broker.configuration()) { connection in
        let first = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 50)
        try await broker.send(0..<1, to: queue, on: connection)
        try #require(try await first.next(1).first).accept()
        // On their way to it, or in its buffer, when it closes.
        try await broker.send(1..<6, to: queue, on: connection)
        await first.close()
        try await connection.withReceiver(from: broker.receiving(from: queue), credit: 50) { receiver in
          let deliveries = try await receiver.next(5)
          #expect(try deliveries.map { try $0.messageID() } == (1..<6).map { "m-\($0)" }, "\(kind)")
          try receiver.settle(deliveries, as: .accepted)
        }
      }
    }
  }

  @Test("a loop that is left gives back what it did not take, and the next one takes it", arguments: RealBroker.proven)
  func leftLoop(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPClient(try broker.configuration()).withClient { client in
      for number in 0..<5 {
        let outcome = try await client.send(.numbered(number), to: broker.sending(to: queue))
        #expect(outcome == .accepted)
      }
      var ids: [String] = []
      for _ in 0..<5 {
        try await client.withReceiver(from: broker.receiving(from: queue), credit: 5) { deliveries in
          for try await delivery in deliveries {
            ids.append(try delivery.messageID())
            try delivery.accept()
            break
          }
        }
      }
      #expect(ids.sorted() == (0..<5).map { "m-\($0)" })
    }
  }

  // MARK: Stalled

  @Test(
    "credit is lost on the way: the link is ended as stalled, attached again by the client, and receives",
    arguments: RealBroker.proven)
  func stalled(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    let direct = try broker.configuration()
    try await FrameRecorder.withRecorder(to: direct.host, port: direct.port) { recorder in
      var configuration = direct
      configuration.host = "127.0.0.1"
      configuration.port = recorder.port
      configuration.stalledLinkTimeout = .milliseconds(300)
      try await AMQPClient(configuration).withClient { client in
        let states = client.states
        try await client.withReceiver(from: broker.receiving(from: queue), credit: 5) { deliveries in
          let cause = await self.lossOfLink(in: states) { try await self.takeBackCredit(5, by: recorder) }
          #expect(cause?.code == .linkStalled, "\(cause.map { "\($0)" } ?? "never stalled")")
          try await AMQPConnection.withConnection(broker.configuration()) { try await broker.send(0..<1, to: queue, on: $0) }
          let delivery = try #require(try await deliveries.nextBatch()?.first)
          #expect(try delivery.messageID() == "m-0")
          try delivery.accept()
        }
      }
    }
  }

  /// Has the credit taken back once the link stands, and waits until it was lost and stands again. - Returns: why it was lost.
  private func lossOfLink(
    in states: AsyncStream<AMQPClientState>, by takeBack: @escaping @Sendable () async throws -> Void
  ) async -> AMQPError? {
    await withTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      var (hasStood, cause) = (false, AMQPError?.none)
      for await state in states {
        guard case .receiver = state.subject else { continue }
        if hasStood, let seen = state.cause {
          cause = cause ?? seen
          group.cancelAll()
        }
        guard state.phase == .open else { continue }
        if cause != nil { return cause }
        guard !hasStood else { continue }
        hasStood = true
        group.addTask {
          // Again and again: a flow of the broker's own that is read together with ours puts the count right.
          while !Task.isCancelled {
            try? await takeBack()
            try? await Task.sleep(for: .seconds(1))
          }
        }
      }
      return cause
    }
  }

  /// Tells the client that its credit is used up, as no broker does: the delivery-count moves on, and no message has come.
  private func takeBackCredit(_ credit: UInt32, by recorder: FrameRecorder) async throws {
    let frames = try await recorder.frames()
    func last(_ code: UInt64, _ direction: FrameDirection) -> (connection: Int, channel: UInt16, fields: [AMQPValue])? {
      for recorded in frames.reversed() where recorded.direction == direction {
        if case .performative(let channel, false, code, let fields, _) = recorded.frame {
          return (recorded.connection, channel, fields)
        }
      }
      return nil
    }
    let attach = try #require(last(AMQPFrame.Code.attach, .toClient))
    let ours = try #require(last(AMQPFrame.Code.begin, .toServer))
    let theirs = try #require(last(AMQPFrame.Code.begin, .toClient))
    let count = attach.fields.count > 9 ? attach.fields[9].integer ?? 0 : 0
    let flow = AMQPFrame.amqp(
      AMQPFrame.Code.flow, channel: attach.channel,
      [
        ours.fields[1], .uint(1_000), theirs.fields[1], .uint(1_000), attach.fields[1],
        .uint(UInt32(truncatingIfNeeded: count) &+ credit), .uint(0),
      ])
    try await recorder.inject(flow, on: attach.connection, .toClient)
  }

  // MARK: Deleted

  @Test("a queue deleted under its receiver: told as deleted, or the connection breaks", arguments: RealBroker.all)
  func deleted(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let receiver = try await connection.openReceiver(from: broker.receiving(from: queue), credit: 5)
      try await broker.deleteQueue(queue)
      let error = await #expect(throws: AMQPError.self) { try await receiver.nextBatch() }
      if broker.dialect.capabilities.tellsDeletedQueue {
        #expect(error?.code == .notFound)
        #expect(error?.condition?.name == AMQPCondition.resourceDeleted)
      } else {
        // RabbitMQ 3's session does not survive it: TCP ends some seconds later, without a word.
        #expect(error?.code == .connectionLost)
      }
    }
  }

  @Test("a queue deleted under a client: it attaches again, and is told that the queue is not there", arguments: RealBroker.all)
  func deletedUnderClient(_ broker: RealBroker) async throws {
    let queue = try await broker.declareQueue()
    try await AMQPClient(try broker.configuration()).withClient { client in
      let outcome = try await client.send(.numbered(0), to: broker.sending(to: queue))
      #expect(outcome == .accepted)
      let error = await #expect(throws: AMQPError.self) {
        try await client.withReceiver(from: broker.receiving(from: queue)) { deliveries in
          for try await delivery in deliveries {
            try delivery.accept()
            try await broker.deleteQueue(queue)
          }
        }
      }
      #expect(error?.code == .notFound)
    }
  }
}
