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
        == .declareQueue("a", QueueArguments(arguments)))
    let read = QueueArguments(arguments)
    #expect(read.maximumLength == 3 && read.timeToLive == 9 && read.deadLetterKey == "d" && read.isClassic)
    #expect(
      request("POST", "/bindings", .value(.map(["destination_queue": "q", "source": "x", "binding_key": "k"])))
        == .bind(queue: "q", exchange: "x", key: "k"))
  }

  @Test("what ends the session there")
  func unknown() {
    #expect(request("GET", "/queues") == nil)
    #expect(request("GET", "queues/a") == nil)
    #expect(request("GET", "/queues/a", .absent) == nil)
    #expect(request(nil, "/queues/a") == nil)
    #expect(request("GET", nil) == nil)
    #expect(request("PATCH", "/queues/a") == nil)
    #expect(request("POST", "/bindings") == nil)
  }

  @Test("bad percent-encoding is answered")
  func badEncoding() {
    let text = "failed to normalize URI '/queues/%f': invalid_percent_encoding <<\"%f\">>"
    #expect(request("GET", "/queues/%f") == .bad(text))
  }

  @Test("bindings are asked for and taken away by query and by path")
  func bindings() {
    #expect(request("GET", "/bindings?src=x&dstq=a%2Fb&key=k") == .bindings(queue: "a/b", exchange: "x", key: "k"))
    #expect(request("DELETE", "/bindings/src=x;dstq=q;key=k;args=") == .unbind(queue: "q", exchange: "x", key: "k"))
  }

  @Test("what is unlike in a second declaration")
  func unlike() {
    let first = QueueArguments(["x-queue-type": "quorum", "x-max-length": .long(3)])
    #expect(first.difference(to: first, queue: "q", virtualHost: "/") == nil)
    #expect(
      first.difference(to: QueueArguments(["x-queue-type": "quorum"]), queue: "q", virtualHost: "/")
        == "inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received none but current is the value '3' of type 'long'"
    )
    #expect(first.difference(to: QueueArguments(), queue: "q", virtualHost: "/")?.contains("'x-queue-type'") == true)
  }

  @Test("the answer names the request")
  func answer() {
    let request = AMQPMessage(properties: AMQPProperties(messageID: .ulong(7)), body: .value(.null))
    let answer = ManagementAnswer(status: "404").message(to: request)
    #expect(answer.properties.correlationID == .ulong(7))
    #expect(answer.properties.subject == "404")
  }
}
