// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussTesting

@testable import TjenestebussClient

@Suite("Why nothing moves, queue by queue, against brokers in memory", .timeLimit(.minutes(5)))
struct InMemoryDiagnosisTests {
  /// Looks until it is so; the suite's time limit bounds it.
  private func diagnosis(
    of client: TjenestebussClient, waiting: Duration = .zero, _ isSo: (ClientDiagnosis) -> Bool
  ) async -> ClientDiagnosis {
    while true {
      let diagnosis = await client.diagnose(limits: AMQPDiagnosis.Limits(waiting: waiting))
      if isSo(diagnosis) { return diagnosis }
      await Task.yield()
    }
  }

  private func put(_ id: String, into broker: InMemoryBroker) async throws {
    try await TwoBuses.put(
      try Fixture.incoming(id: id).amqpMessage(toQueue: "200_async", enqueued: .now), into: "200_async", of: broker)
  }

  @Test("A handler that does not end: its queue's sentence says how many it has, and how many merely wait behind it")
  func stuckHandler() async throws {
    try await TwoBuses.withClient {
      $0.serve.concurrency = [.asynchronous: 1]
    } _: { client, buses in
      let stuck = OneShot<Bool>()
      let handlers = MessageHandlers(messages: { _ in _ = try await stuck.wait() }, errorReports: { _ in })
      try await client.whileServing(handlers) {
        for id in ["a", "b", "c"] { try await self.put(id, into: buses.target) }
        let diagnosis = await self.diagnosis(of: client) { diagnosis in
          diagnosis.queues.contains { $0.sentence.contains("1 unsettled,") && $0.sentence.contains("1 more wait behind them") }
        }
        let queue = diagnosis.queues.first { $0.bus == "tjenestebuss" && $0.queue == "200_async" }
        #expect(queue?.sentence.contains("the handlers have not settled") == true)
        #expect(queue?.use == .receiving)
        // The same queue on the other bus has a sentence of its own.
        let other = diagnosis.queues.first { $0.bus == "servicebus" && $0.queue == "200_async" }
        #expect(other?.sentence.contains("unsettled") == false)
        #expect(diagnosis.queues.count == 6)
        #expect(client.status.receivers.reduce(0) { $0 + $1.atWork } == 1)
        stuck.fulfil(true)
        await client.wait { $0.counters.handled == 3 }
      }
    }
  }

  @Test("Sends that get no credit: the queue and the bus are named")
  func noCredit() async throws {
    try await TwoBuses.withClient { client, buses in
      try await buses.source.stopGrantingCredit()
      let send = Task { await client.send(try Fixture.answer(id: "m")) }
      let diagnosis = await self.diagnosis(of: client) { diagnosis in
        diagnosis.queues.contains { $0.use == .sending && $0.sentence.contains("no credit") }
      }
      let queue = diagnosis.queues.first { $0.use == .sending }
      #expect(queue?.queue == "100_async")
      #expect(queue?.bus == "servicebus")
      #expect(diagnosis.findings.contains { $0.weight == .fault && $0.owner == .bus })
      try await buses.source.grantCredit()
      #expect(try await send.value.isAccepted)
    }
  }

  @Test("Where nothing stands still each queue's sentence says so, and the whole is well")
  func well() async throws {
    try await TwoBuses.withClient { client, _ in
      try await client.whileServing(MessageHandlers(messages: { _ in }, errorReports: { _ in })) {
        await client.wait { $0.sending.values.allSatisfy { $0 == .connected } && $0.sending.count == 2 }
        let diagnosis = await client.diagnose(limits: AMQPDiagnosis.Limits(waiting: .seconds(3_600), silent: .seconds(3_600)))
        #expect(diagnosis.isWell)
        #expect(diagnosis.queues.count == 6)
        #expect(diagnosis.queues.allSatisfy { $0.sentence.hasSuffix("messages are received as they come") })
      }
    }
  }
}
