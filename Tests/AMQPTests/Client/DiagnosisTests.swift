// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("Why nothing moves, in one sentence")
struct DiagnosisTests {
  private static let epoch = AMQPEpoch(connection: 1, link: 1)

  private static func open(_ subject: AMQPClientState.Subject = .connection(.sending)) -> AMQPClientState {
    AMQPClientState(subject: subject, phase: .open, tier: .connection)
  }

  private static func link(
    _ role: AMQPLinkStatistics.Role, credit: Int = 0, unsettled: Int = 0, waiting: Int = 0, inFlight: Int = 0,
    oldest: Duration? = nil, oldestWaiting: Duration? = nil, activity: Duration = .zero, withdrawn: Int = 0
  ) -> AMQPLinkStatistics {
    AMQPLinkStatistics(
      role: role, address: "/queues/x", name: "n", epoch: Self.epoch, credit: credit, unsettled: unsettled,
      waitingSends: waiting, inFlight: inFlight, oldestUnsettledAge: oldest, oldestWaitingSendAge: oldestWaiting,
      lastActivityAge: activity, withdrawn: withdrawn)
  }

  private static func connection(
    _ links: [AMQPLinkStatistics] = [], silent: Duration = .zero, writable: Bool = true, attach: Duration? = nil
  ) -> AMQPConnectionStatistics {
    AMQPConnectionStatistics(
      state: .open, epoch: 1, lastFrameReceivedAge: silent, isWritable: writable, oldestAttachAge: attach, links: links)
  }

  private static let refused = AMQPError(.loginRefused, .connection, .remote, tried: "connect", seen: "login refused")

  private static let table: [([AMQPClientState], [AMQPConnectionStatistics], AMQPDiagnosis.Reason, String)] = [
    ([], [], .notStarted, "not connected: run() was not started"),
    (
      [
        AMQPClientState(
          subject: .connection(.sending), phase: .waiting, tier: .connection, cause: Self.refused, nextAttemptIn: .seconds(20))
      ], [], .notConnected, "sending connection: not connected: login refused (AMQP-105), next attempt in 20 s"
    ),
    (
      [AMQPClientState(subject: .connection(.sending), phase: .ended, tier: .connection, cause: Self.refused)], [], .ended,
      "sending connection has ended: login refused (AMQP-105)"
    ),
    (
      [
        Self.open(),
        AMQPClientState(subject: .receiver("/queues/x", number: 1), phase: .waiting, tier: .link, cause: Self.refused),
      ],
      [], .notAttached, "receiver from /queues/x: not attached: login refused (AMQP-105)"
    ),
    ([Self.open()], [Self.connection(attach: .seconds(9))], .attachUnanswered, "an attach has not been answered for 9 s"),
    (
      [Self.open()], [Self.connection(writable: false)], .notWritable,
      "the socket takes no bytes: the network or the bus does not read"
    ),
    ([Self.open()], [Self.connection(silent: .seconds(90))], .peerSilent, "nothing has come from the bus for 90 s"),
    (
      [Self.open()], [Self.connection([Self.link(.receiver, unsettled: 50, oldest: .seconds(840))])], .unsettled,
      "/queues/x: credit 0, 50 unsettled, oldest 14 min: the handlers have not settled"
    ),
    (
      [Self.open()],
      [Self.connection([Self.link(.sender, waiting: 3, oldestWaiting: .seconds(12))])], .noCredit,
      "3 sends wait, no credit for 12 s on /queues/x, link open: the bus may be in alarm"
    ),
    (
      [Self.open()], [Self.connection([Self.link(.sender, credit: 5, inFlight: 2, oldest: .seconds(30))])], .outcomesMissing,
      "2 sends to /queues/x wait for their outcome, the oldest for 30 s"
    ),
    (
      [Self.open()], [Self.connection([Self.link(.receiver, credit: 100, activity: .seconds(180))])], .idle,
      "/queues/x: idle: credit 100, nothing arrived for 3 min: the queue is empty or somebody else reads it"
    ),
    ([Self.open()], [Self.connection([Self.link(.receiver, credit: 10, unsettled: 1)])], .moving, "nothing stands still"),
  ]

  @Test("each state of things has its reason and sentence", arguments: 0..<Self.table.count)
  func sentences(_ row: Int) {
    let (states, statistics, reason, sentence) = Self.table[row]
    let diagnosis = AMQPDiagnosis(states: states, statistics: statistics)
    #expect(diagnosis.reason == reason)
    #expect(diagnosis.sentence == sentence)
  }

  @Test("taken back by the bus and not settled: that, rather than the missing credit")
  func withdrawn() {
    let link = Self.link(.receiver, unsettled: 2, oldest: .seconds(900), activity: .seconds(60), withdrawn: 2)
    #expect(AMQPDiagnosis(states: [Self.open()], statistics: [Self.connection([link])]).reason == .withdrawn)
  }

  private static func load(
    waiting: Int = 0, atWork: Int? = nil, oldest: Duration? = nil, held: Int = 0
  ) -> AMQPReceiverLoad {
    AMQPReceiverLoad(
      subject: .receiver("/queues/x", number: 1), epoch: Self.epoch, waiting: waiting, atWork: atWork, oldestAtWork: oldest,
      held: held)
  }

  private static let loads: [(AMQPReceiverLoad, AMQPDiagnosis.Reason, String)] = [
    (
      Self.load(waiting: 6, atWork: 4, oldest: .seconds(840)), .unsettled,
      "/queues/x: credit 0, 4 unsettled, oldest 14 min, 6 more wait behind them: the handlers have not settled"
    ),
    (Self.load(waiting: 6, atWork: 4, oldest: .seconds(1)), .moving, "nothing stands still"),
    (
      Self.load(waiting: 2, atWork: 0, held: 8), .held,
      "/queues/x: credit 0, 8 held back after their handlers failed, 2 more wait behind them"
    ),
    (
      Self.load(waiting: 10), .untaken,
      "/queues/x: credit 0, 10 have arrived, the oldest 14 min ago, and nobody takes them"
    ),
    (
      Self.load(waiting: 9), .unsettled,
      "/queues/x: credit 0, 1 unsettled, oldest 14 min, 9 more wait behind them: the handlers have not settled"
    ),
  ]

  @Test("what is buffered here and no handler has begun is not said to be the handlers'", arguments: 0..<Self.loads.count)
  func buffered(_ row: Int) {
    let (load, reason, sentence) = Self.loads[row]
    let link = Self.link(.receiver, unsettled: 10, oldest: .seconds(840))
    let diagnosis = AMQPDiagnosis(states: [Self.open()], statistics: [Self.connection([link])], loads: [load])
    #expect(diagnosis.reason == reason)
    #expect(diagnosis.sentence == sentence)
    #expect(diagnosis.address == (reason == .moving ? nil : "/queues/x"))
  }

  @Test("a client that processes tells handlers at work, those behind them, and those held after a failure, apart")
  func processing() async throws {
    struct Fault: Error {}
    try await PlayedBusHandle.run { bus in
      try await bus.put(["a", "b", "c"], in: "q")
      try await AMQPClient(bus.configuration()).withClient { client in
        let gate = OneShot<Void>()
        let begun = OneShot<Void>()
        let work = Task {
          try await client.process(from: "q", maxConcurrent: 1, policy: AMQPProcessPolicy(prefetch: 2)) { _ in
            begun.fulfil(())
            try await gate.wait()
            throw Fault()
          }
        }
        try await begun.wait()
        var limits = AMQPDiagnosis.Limits(waiting: .zero)
        func wait(for words: String...) async {
          // Until what has arrived has been read.
          while true {
            let found = await client.diagnoses(limits: limits)
            if found.contains(where: { one in words.allSatisfy { one.sentence.contains($0) } }) { return }
            await Task.yield()
          }
        }
        await wait(for: "1 unsettled, oldest", "2 more wait behind them: the handlers have not settled")
        limits.waiting = .seconds(3_600)
        #expect(await client.diagnoses(limits: limits).allSatisfy { $0.address == nil })
        gate.fulfil(())
        await wait(for: "3 held back after their handlers failed")
        work.cancel()
        _ = await work.result
        #expect(client.loads.isEmpty)
      }
    }
  }

  @Test("the heaviest of several reasons is told")
  func heaviest() {
    let links = [
      Self.link(.receiver, credit: 100, activity: .seconds(600)), Self.link(.sender, waiting: 1, oldestWaiting: .seconds(10)),
    ]
    #expect(AMQPDiagnosis(states: [Self.open()], statistics: [Self.connection(links)]).reason == .noCredit)
  }

  @Test("a client says it of itself")
  func client() async throws {
    var manners = PlayedBus.Manners()
    manners.credit = 0
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let send = Task { try await client.send(AMQPMessage(body: .data([1])), to: "q") }
        try await bus.see { $0.senders["q"] == 1 }
        var reason = AMQPDiagnosis.Reason.moving
        // The send reaches the link a moment after the attach was answered.
        while reason != .noCredit { reason = await client.diagnose(limits: .init(waiting: .zero)).reason }
        send.cancel()
        _ = await send.result
      }
    }
    #expect(await AMQPClient(AMQPClientConfiguration(endpoints: [])).diagnose().reason == .notStarted)
  }
}
