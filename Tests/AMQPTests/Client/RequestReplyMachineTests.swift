// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("Requests and their answers")
struct RequestReplyMachineTests {
  private let lost = AMQPError(.linkDetached, .link, .remote, tried: "test", seen: "test")

  @Test("an answer goes to its request, once; a late one and one to nothing are told apart and counted")
  func answers() {
    var machine = RequestReplyMachine()
    let first = machine.begin("a", epoch: 1) ?? 0
    let second = machine.begin("b", epoch: 1) ?? 0
    same(machine.answered("b", epoch: 1), second)
    same(machine.timedOut(first), .timedOut)
    same(machine.answered("a", epoch: 1), nil)
    same(machine.answered("x", epoch: 1), nil)
    same(machine.answered(nil, epoch: 1), nil)
    #expect(machine.lateAnswers == 1)
    #expect(machine.unknownAnswers == 2)
    same(machine.timedOut(second), nil)
  }

  @Test("two requests of one correlation cannot be under way at once")
  func twice() {
    var machine = RequestReplyMachine()
    let first = machine.begin("a", epoch: 1) ?? 0
    same(machine.begin("a", epoch: 1), nil)
    same(machine.cancelled(first), .cancelled)
    same(machine.begin("a", epoch: 1) != nil, true)
  }

  @Test("lost links end what was asked on them, and say whether it was handed over; an answer of another epoch is none")
  func linksLost() {
    var machine = RequestReplyMachine()
    let sent = machine.begin("a", epoch: 1) ?? 0
    let waiting = machine.begin("b", epoch: 1) ?? 0
    let other = machine.begin("c", epoch: 2) ?? 0
    machine.handedOver(sent)
    let ended = machine.linksLost(self.lost, epoch: 1)
    #expect(ended.map(\.0) == [sent, waiting])
    #expect(ended.map(\.1) == [.lost(self.lost, wasHandedOver: true), .lost(self.lost, wasHandedOver: false)])
    same(machine.answered("c", epoch: 1), nil)
    same(machine.answered("c", epoch: 2), other)
  }

  @Test("in any order of events each request ends once, and nothing piles up", arguments: 0..<50)
  func model(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var machine = RequestReplyMachine()
    var correlations: [RequestReplyMachine.RequestID: AMQPMessageID] = [:]
    var ended: [RequestReplyMachine.RequestID: Int] = [:]
    var epoch: UInt64 = 1
    for number in 0..<1_000 {
      let some = correlations.keys.randomElement(using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4:
        let correlation = AMQPMessageID.ulong(UInt64(number))
        if let id = machine.begin(correlation, epoch: epoch) { correlations[id] = correlation }
      case 4: if let some { machine.handedOver(some) }
      case 5, 6:
        if let some, let id = machine.answered(correlations[some], epoch: epoch) {
          #expect(id == some)
          ended[id, default: 0] += 1
        }
      case 7: if let some, machine.timedOut(some) != nil { ended[some, default: 0] += 1 }
      case 8: if let some, machine.cancelled(some) != nil { ended[some, default: 0] += 1 }
      default:
        for (id, _) in machine.linksLost(self.lost, epoch: epoch) { ended[id, default: 0] += 1 }
        epoch += 1
      }
    }
    for (id, _) in machine.linksLost(self.lost, epoch: epoch) { ended[id, default: 0] += 1 }
    #expect(machine.pendingCount == 0)
    #expect(ended.count == correlations.count)
    #expect(ended.values.allSatisfy { $0 == 1 })
  }
}

@Suite("A client asks, over loopback")
struct ClientRequestTests {
  @Test("by queues: many at once, each gets its own answer; the answers survive a loss of the connection")
  func queues() async throws {
    var manners = PlayedBus.Manners()
    manners.respond = { _, message in
      guard let queue = message.properties.replyTo else { return nil }
      var answer = AMQPMessage(body: message.body)
      answer.properties.correlationID = message.properties.messageID
      return (queue, answer)
    }
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        try await withThrowingTaskGroup(of: Bool.self) { group in
          for number in UInt8(0)..<50 {
            group.addTask {
              let answer = try await client.request(
                AMQPMessage(body: .data([number])), to: "questions", replyTo: .queue("answers"), timeout: .seconds(60))
              return answer.body.bytes == [number]
            }
          }
          for try await isOwn in group { #expect(isOwn) }
        }
        try await bus.cut()
        // Asked on the connection that is just breaking, it would be unknown whether it arrived.
        try await bus.see { $0.connectionsEver >= 4 && $0.receivers["answers"] == 1 }
        let answer = try await client.request(
          AMQPMessage(body: .data([7])), to: "questions", replyTo: .queue("answers"), timeout: .seconds(60))
        #expect(answer.body.bytes == [7])
      }
      try await bus.see { $0.connections == 0 && $0.unsettled == 0 }
    }
  }

  @Test("no answer: the error says that it is not known whether the request was carried out")
  func missing() async throws {
    try await PlayedBusHandle.run { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        let error = await #expect(throws: AMQPError.self) {
          try await client.request(
            AMQPMessage(body: .data([1])), to: "questions", replyTo: .queue("answers"), timeout: .seconds(1))
        }
        #expect(error?.code == .answerMissing)
        #expect(error?.seen.contains("not known") == true)
      }
    }
  }

  @Test("the answers' queue does not exist: said so, and the next request looks again")
  func noQueue() async throws {
    var manners = PlayedBus.Manners()
    manners.refusal = { address, _ in address == "answers" ? AMQPCondition("amqp:not-found") : nil }
    try await PlayedBusHandle.run(manners) { bus in
      try await AMQPClient(bus.configuration()).withClient { client in
        for _ in 0..<2 {
          let error = await #expect(throws: AMQPError.self) {
            try await client.request(
              AMQPMessage(body: .data([1])), to: "questions", replyTo: .queue("answers"), timeout: .seconds(60))
          }
          #expect(error?.code == .answerMissing || error?.code == .notFound)
        }
      }
    }
  }
}
