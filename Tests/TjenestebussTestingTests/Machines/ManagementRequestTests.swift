// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing

@testable import TjenestebussTesting

@Suite("Requests to /management")
struct ManagementRequestTests {
  private func request(_ method: String?, _ to: String?, _ body: AMQPBody = .value(.null)) -> ManagementRequest? {
    ManagementRequest(AMQPMessage(properties: AMQPProperties(to: to, subject: method), body: body))
  }

  @Test("what is asked for")
  func known() {
    #expect(request("GET", "/queues/a%2Fb") == .queue("a/b"))
    #expect(request("DELETE", "/queues/a") == .deleteQueue("a"))
    #expect(request("DELETE", "/queues/a/messages") == .purge("a"))
    #expect(request("PUT", "/exchanges/x") == .declareExchange("x"))
    #expect(request("DELETE", "/exchanges/x") == .deleteExchange("x"))
    let arguments: AMQPMap = ["x-max-length": .int(3), "x-message-ttl": .ulong(9), "x-dead-letter-routing-key": "d"]
    #expect(
      request("PUT", "/queues/a", .value(.map(["arguments": .map(arguments)])))
        == .declareQueue("a", maximumLength: 3, timeToLive: 9, deadLetterKey: "d"))
    #expect(
      request("POST", "/bindings", .value(.map(["destination_queue": "q", "source": "x", "binding_key": "k"])))
        == .bind(queue: "q", exchange: "x", key: "k"))
  }

  @Test("what ends the session there")
  func unknown() {
    #expect(request("GET", "/queues") == nil)
    #expect(request("GET", "/queues/%f") == nil)
    #expect(request("GET", "queues/a") == nil)
    #expect(request("GET", "/queues/a", .absent) == nil)
    #expect(request(nil, "/queues/a") == nil)
    #expect(request("GET", nil) == nil)
    #expect(request("PATCH", "/queues/a") == nil)
    #expect(request("POST", "/bindings") == nil)
  }

  @Test("the answer names the request")
  func answer() {
    let request = AMQPMessage(properties: AMQPProperties(messageID: .ulong(7)), body: .value(.null))
    let answer = ManagementAnswer.notFound("queue 'q'").message(to: request)
    #expect(answer.properties.correlationID == .ulong(7))
    #expect(answer.properties.subject == "404")
  }
}
