// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Migration
import MigrationSimulation
import Testing

/// The prepared situations of the drain-check, made on real buses (and on the Service Bus in memory): what the counters really show goes through the
/// same course as the made-up looks of `DrainSituation`. Only the course's clock is made up: a second between looks, ten of quiet.
@Suite("Verdicts on what real buses show", .timeLimit(.minutes(10)))
struct DrainOnRealBrokersTests {
  private func expect(
    _ party: LeftParty, _ result: DrainVerdict.Result, _ code: WaitReason.Code? = nil,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let verdict = try #require(party.course.verdict)
    #expect(verdict.result == result, "\(verdict.because)", sourceLocation: location)
    #expect(verdict.code == code?.rawValue, "\(verdict.because)", sourceLocation: location)
    #expect(party.course.recomputedVerdict == verdict, sourceLocation: location)
  }

  @Test("nothing lies there, as long as the quiet must last: drained", arguments: LeftBus.all)
  func nothing(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      await party.look(times: 8)
      try self.expect(party, .notDrained, .quietPeriod)
      await party.look(times: 4)
      try self.expect(party, .drained)
    }
  }

  @Test("messages lie there and nobody is attached: not drained", arguments: LeftBus.all)
  func messages(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      try await party.send(2)
      try await party.look { $0.depth(.asynchronous) == 2 }
      await party.look(times: 12)
      try self.expect(party, .notDrained, .messagesLeft)
    }
  }

  @Test("a receiver has taken a message and settles it never: not drained", arguments: LeftBus.all)
  func stuckLock(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      try await party.send()
      var held = party
      try await party.fetch { delivery in
        try await held.look { $0.depth(.asynchronous) == 1 }
        await held.look(times: 12)
        try self.expect(held, .notDrained, .messagesLeft)
        try delivery.accept()
      }
    }
  }

  @Test("a synchronous request, an error report: each queue counts", arguments: LeftBus.all, [QueueKind.synchronous, .error])
  func otherQueues(_ bus: LeftBus, _ kind: QueueKind) async throws {
    try await bus.withParty { party in
      try await party.begin()
      try await party.send(to: kind)
      try await party.look { $0.depth(kind) == 1 }
      await party.look(times: 12)
      try self.expect(party, .notDrained, .messagesLeft)
    }
  }

  @Test("a message one second after the quiet period: it is drained no more", arguments: LeftBus.all)
  func afterTheQuiet(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      await party.look(times: 12)
      try self.expect(party, .drained)
      try await party.send()
      try await party.look { $0.depth(.asynchronous) == 1 }
      try self.expect(party, .notDrained, .messagesLeft)
      #expect(party.course.phase == .draining)
    }
  }

  @Test("a message in the middle, fetched, and quiet since: drained, ten seconds after it", arguments: LeftBus.all)
  func fetched(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      await party.look(times: 5)
      try await party.send()
      try await party.look { $0.depth(.asynchronous) == 1 }
      try await party.fetch { try $0.accept() }
      try await party.look { $0.depth(.asynchronous) == 0 }
      await party.look(times: 6)
      try self.expect(party, .notDrained, .quietPeriod)
      await party.look(times: 6)
      try self.expect(party, .drained)
    }
  }

  @Test(
    "a message comes and goes between two looks: seen where the bus counts arrivals, and told where not", arguments: LeftBus.all)
  func betweenTwoLooks(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      let before = await party.readings().arrivals(.asynchronous)
      await party.look(times: 8)
      try await party.send()
      try await party.fetch { try $0.accept() }
      if await party.readings().first(where: { $0.kind == .asynchronous })?.arrivals != nil {
        try await party.look { $0.arrivals(.asynchronous) > before && $0.depth(.asynchronous) == 0 }
        await party.look(times: 4)
        try self.expect(party, .notDrained, .quietPeriod)
      } else {
        // Late counters may still show it for a while.
        try await party.look { $0.depth(.asynchronous) == 0 }
        await party.look(times: 4)
        let verdict = try #require(party.course.verdict)
        #expect(verdict.cannotProve.contains { $0.contains("the bus does not count arrivals") })
      }
    }
  }

  @Test(
    "a message is given up while the drain is on: dead letters grow", arguments: LeftBus.all.filter { $0.dialect != .activeMQ })
  func deadLettersGrow(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      try await party.send()
      try await party.fetch { try $0.reject() }
      try await party.look { readings in
        readings.contains { ($0.deadLettered ?? 0) > 0 || ($0.kind == .deadLetter && ($0.depth ?? 0) > 0) }
          && readings.depth(.asynchronous) == 0
      }
      await party.look(times: 12)
      try self.expect(party, .notDrained, .deadLettersGrow)
    }
  }

  @Test(
    "a message that is not due yet, on the bus that knows such", arguments: LeftBus.all.filter { $0.dialect == .azureServiceBus })
  func scheduled(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      let later = AMQPMap([.init(key: .symbol("x-opt-scheduled-enqueue-time"), value: .timestamp(4_102_444_800_000))])
      try await party.send(annotations: later)
      try await party.look { $0.first { $0.kind == .asynchronous }?.figures?.scheduled == 1 }
      await party.look(times: 12)
      try self.expect(party, .notDrained, .messagesLeft)
    }
  }

  @Test(
    "the management interface is down: not drained where it is the only way, another way where there is one",
    arguments: LeftBus.all)
  func managementDown(_ bus: LeftBus) async throws {
    let overHTTPAlone = bus.dialect == .rabbitMQ3 || bus.dialect == .serviceBusWindowsServer
    try await bus.withParty(.down) { party in
      await party.look(times: 13)
      if overHTTPAlone { try self.expect(party, .notDrained, .countersUnreadable) } else { try self.expect(party, .drained) }
    }
  }

  @Test("the counters may not be read: not drained", arguments: LeftBus.all.filter(\.asksLeave))
  func forbidden(_ bus: LeftBus) async throws {
    try await bus.withParty(.forbidden) { party in
      await party.look(times: 13)
      try self.expect(party, .notDrained, .countersUnreadable)
    }
  }

  @Test("a queue is deleted: not drained, and the group is held", arguments: LeftBus.all.filter { $0.dialect != .activeMQ })
  func deleted(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      await party.look(times: 5)
      try await party.queues.delete(party.queue(.error))
      try await party.look { $0.contains { $0.kind == .error && $0.count == .absent } }
      await party.look(times: 12)
      try self.expect(party, .notDrained, .countersUnreadable)
      #expect(party.course.groupState?.hold?.code == .queueMissing)
    }
  }

  @Test(
    "a queue is deleted and made anew, and a look saw it: the quiet begins anew",
    arguments: LeftBus.all.filter { $0.dialect != .activeMQ })
  func recreated(_ bus: LeftBus) async throws {
    try await bus.withParty { party in
      try await party.begin()
      await party.look(times: 6)
      try await party.queues.delete(party.queue(.error))
      try await party.look { $0.contains { $0.kind == .error && $0.count == .absent } }
      await party.look(times: 3)
      try await party.queues.declare(party.queue(.error), nil)
      try await party.begin()
      await party.look(times: 5)
      try self.expect(party, .notDrained, .quietPeriod)
      await party.look(times: 6)
      try self.expect(party, .drained)
    }
  }
}
