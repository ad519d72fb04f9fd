// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import NIOCore
import Testing

@testable import BusProbe

@Suite("Counting")
struct CountingTests {
  private func answer(_ status: String, _ body: AMQPBody) -> AMQPMessage {
    AMQPMessage(properties: AMQPProperties(subject: status), body: body)
  }

  @Test("The AMQP request carries a null value and an escaped name")
  func request() {
    let request = ManagementAMQPCounting.request("a b/ø_async")
    #expect(request.body == .value(.null))
    #expect(request.properties.subject == "GET")
    #expect(request.properties.to == "/queues/a%20b%2F%C3%B8_async")
  }

  @Test("Counted, missing, unreadable: never one for the other, and never zero for not known")
  func amqpAnswers() {
    let full = ManagementAMQPCounting.value(
      of: self.answer("200", .value(.map(["message_count": .ulong(7), "consumer_count": .uint(2)]))))
    #expect(full == .counted(QueueCount(messages: 7, includesUnsettled: false, consumers: 2, figures: QueueFigures(active: 7))))
    let noConsumers = ManagementAMQPCounting.value(of: self.answer("200", .value(.map(["message_count": .ulong(0)]))))
    #expect(
      noConsumers == .counted(QueueCount(messages: 0, includesUnsettled: false, consumers: nil, figures: QueueFigures(active: 0)))
    )
    #expect(ManagementAMQPCounting.value(of: self.answer("404", .value(.string("x")))) == .missing)
    for odd in [
      self.answer("200", .value(.map([:]))), self.answer("200", .value(.null)), self.answer("403", .value(.null)),
      self.answer("", .data([])),
      self.answer("200", .value(.map(["message_count": .string("7")]))),
      self.answer("200", .value(.map(["message_count": .int(-1)]))),
    ] {
      guard case .unreadable = ManagementAMQPCounting.value(of: odd) else {
        Issue.record("\(odd.body)")
        continue
      }
    }
  }

  @Test(
    "What a queue does with messages that nobody fetches: by AMQP its arguments, over HTTP its policy too; the lower limit holds")
  func settings() {
    func overAMQP(_ arguments: AMQPMap) -> QueueSettings? {
      let answer = self.answer("200", .value(.map(["message_count": .ulong(7), "arguments": .map(arguments)])))
      guard case .counted(let count) = ManagementAMQPCounting.value(of: answer) else { return nil }
      return count.settings
    }
    #expect(overAMQP([:]) == nil)
    #expect(overAMQP(["x-queue-type": .string("quorum")]) == nil)
    #expect(overAMQP(["x-dead-letter-exchange": .string("")]) == QueueSettings(deadLetterExchange: ""))
    #expect(
      overAMQP(["x-max-length": .ulong(5), "x-overflow": .string("reject-publish-dlx")])
        == QueueSettings(maximumMessages: 5, refusesWhenFull: true))
    func overHTTP(_ text: String) -> QueueSettings? { (try? ManagementHTTPCounting.numbers(Array(text.utf8)).get())?.settings }
    #expect(overHTTP(#"{"messages":1,"arguments":{},"effective_policy_definition":[]}"#) == nil)
    #expect(overHTTP(#"{"messages":1,"arguments":[],"effective_policy_definition":null}"#) == nil)
    #expect(
      overHTTP(
        #"{"arguments":{"x-max-length":9,"x-single-active-consumer":true},"effective_policy_definition":{"max-length":5}}"#)
        == QueueSettings(maximumMessages: 5))
    #expect(
      overHTTP(#"{"arguments":{},"effective_policy_definition":{"dead-letter-exchange":"dlx","overflow":"reject-publish"}}"#)
        == QueueSettings(deadLetterExchange: "dlx", refusesWhenFull: true))
    #expect(
      overHTTP(#"{"arguments":{"x-dead-letter-exchange":"own"},"effective_policy_definition":{"dead-letter-exchange":"dlx"}}"#)
        == QueueSettings(deadLetterExchange: "own"))
  }

  @Test("When a ping would do harm: it would push out another's message, or lie among dead letters for good")
  func caution() {
    func reason(_ messages: Int, _ consumers: Int?, _ settings: QueueSettings?, waiting: Int64? = nil) -> PingObservation
      .ReasonNotSent?
    {
      PingCaution.reason(
        QueueCount(
          messages: messages, includesUnsettled: true, consumers: consumers, figures: waiting.map { QueueFigures(active: $0) },
          settings: settings))
    }
    let dead = QueueSettings(deadLetterExchange: "dlx")
    let drops = QueueSettings(maximumMessages: 3)
    let refuses = QueueSettings(maximumMessages: 3, refusesWhenFull: true)
    #expect(PingCaution.reason(nil) == nil && reason(9, 0, nil) == nil)
    #expect(reason(0, 0, dead) == .wouldStay(exchange: "dlx"))
    // Somebody listens, or it is not known that nobody does.
    #expect(reason(0, 1, dead) == nil && reason(0, nil, dead) == nil)
    #expect(reason(3, 1, drops) == .wouldPushOut(drops) && reason(4, nil, drops) == .wouldPushOut(drops))
    #expect(reason(2, 1, drops) == nil && reason(3, 1, refuses) == nil)
    // What is handed out does not count against the limit.
    #expect(reason(3, 1, drops, waiting: 2) == nil && reason(3, 1, drops, waiting: 3) == .wouldPushOut(drops))
  }

  @Test("Over HTTP: totals first, statistics for consumers; what neither has is not known")
  func httpAnswers() {
    func numbers(_ text: String) -> ManagementHTTPCounting.Numbers? {
      try? ManagementHTTPCounting.numbers(Array(text.utf8)).get()
    }
    let full = numbers(#"{"messages":3,"consumers":1,"name":"q"}"#)
    #expect(full == .init(messages: 3, consumers: 1))
    let parted = #"{"messages":3,"messages_ready":1,"messages_unacknowledged":2,"consumers":1}"#
    #expect(
      ManagementHTTPCounting.value(totals: numbers(parted) ?? .init(), statistics: .init(consumers: 1))
        == .counted(
          QueueCount(messages: 3, includesUnsettled: true, consumers: 1, figures: QueueFigures(active: 1, locked: 2))))
    #expect(numbers("[]") == .init(messages: nil, consumers: nil), "statistics that are not there yet")
    #expect(numbers("<html>") == nil)
    #expect(numbers(#"[{"messages":1}]"#) == nil, "a list of queues is not this queue")
    #expect(
      ManagementHTTPCounting.value(totals: .init(messages: 4), statistics: .init(messages: 3, consumers: 0))
        == .counted(QueueCount(messages: 4, includesUnsettled: true, consumers: 0)))
    #expect(
      ManagementHTTPCounting.value(totals: .init(), statistics: .init(messages: 3))
        == .counted(QueueCount(messages: 3, includesUnsettled: true, consumers: nil)))
    guard case .unreadable = ManagementHTTPCounting.value(totals: .init(), statistics: .init(consumers: 1)) else {
      Issue.record("no count was taken for a count")
      return
    }
    let flowing = #"{"consumers":0,"messages":1,"message_stats":{"publish":7,"publish_details":{"rate":0.0}}}"#
    func arrivals(_ statistics: String, keepsStatistics: Bool) -> Int? {
      let statistics = numbers(statistics) ?? .init()
      guard
        case .counted(let count) = ManagementHTTPCounting.value(
          totals: .init(messages: 0), statistics: statistics, keepsStatistics: keepsStatistics)
      else { return nil }
      return count.arrivals
    }
    #expect(arrivals(flowing, keepsStatistics: true) == 7)
    #expect(arrivals(flowing, keepsStatistics: false) == nil, "a bus of which it is not known what its figure leaves out")
    #expect(arrivals(#"{"consumers":0,"messages":0}"#, keepsStatistics: true) == 0, "nothing ever came")
    #expect(arrivals("[]", keepsStatistics: true) == nil, "statistics that are not there yet say nothing")
    #expect(ManagementHTTPCounting.path("a/b", virtualHost: "/") == "/api/queues/%2F/a%2Fb")
  }

  @Test("A management address with user, path or query is refused, and not shown")
  func urls() async throws {
    try await HTTPClient.withHTTPClient { http in
      for url in ["", "host:1", "ftp://h", "http://u:Sup3rS3cret@h", "http://h/api", "http://h?x=Sup3rS3cret"] {
        let error = #expect(throws: ProbeError.self) {
          try ManagementHTTPCounting(http: http, url: url, user: "u", password: Secret("p"), dialect: .rabbitMQ3)
        }
        #expect(error?.stableCode == "PROBE-106")
        #expect(!"\(error as Any)".contains("Sup3rS3cret"))
      }
      #expect(throws: Never.self) {
        try ManagementHTTPCounting(http: http, url: "https://h:15671/", user: "u", password: Secret("p"), dialect: .rabbitMQ3)
      }
    }
  }

  @Test("An interface that is not there is unreadable, with its code")
  func unreachable() async throws {
    try await HTTPClient.withHTTPClient(configuration: RegisterHTTP.configuration()) { http in
      let counting = try ManagementHTTPCounting(
        http: http, url: "http://127.0.0.1:1", user: "u", password: Secret("p"), dialect: .rabbitMQ3)
      guard case .unreadable(let error) = await counting.read("q").value else {
        Issue.record("something was read")
        return
      }
      #expect(error.stableCode == "PROBE-102")
    }
  }
}
