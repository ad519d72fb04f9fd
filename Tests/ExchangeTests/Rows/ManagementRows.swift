// SPDX-License-Identifier: Apache-2.0

@testable import AMQP

/// RabbitMQ 4's `/management`: counting, declaring, and its error manners.
enum ManagementRows {
  static let all: [Row] = [
    asked("GET a queue with 2 messages", messages: 2) { Request("GET", "/queues/\($0)") },
    asked("GET a queue that is not there") { Request("GET", "/queues/missing-\($0)") },
    asked("PUT a new queue", declares: false) { Request("PUT", "/queues/\($0)", declaration()) },
    asked("PUT a queue that is there, alike", declares: false, twice: true) { Request("PUT", "/queues/\($0)", declaration()) },
    asked("PUT a queue that is there, unlike") {
      Request("PUT", "/queues/\($0)", declaration(["x-queue-type": .string("classic"), "x-max-length": .ulong(7)]))
    },
    asked("DELETE a queue with 1 message", messages: 1) { Request("DELETE", "/queues/\($0)") },
    asked("DELETE a queue that is not there") { Request("DELETE", "/queues/missing-\($0)") },
    asked("purge a queue with 2 messages", messages: 2) { Request("DELETE", "/queues/\($0)/messages") },
    asked("purge a queue that is not there") { Request("DELETE", "/queues/missing-\($0)/messages") },
    asked("PUT an exchange, bind, and GET the bindings", requests: 3) { queue, number in
      let exchange = queue.replacing("exchange-", with: "exchange-x-")
      switch number {
      case 0:
        return Request(
          "PUT", "/exchanges/\(exchange)",
          .map([
            "type": .string("direct"), "durable": .boolean(true), "auto_delete": .boolean(false), "internal": .boolean(false),
            "arguments": .map([:]),
          ]))
      case 1:
        return Request(
          "POST", "/bindings",
          .map([
            "source": .string(exchange), "destination_queue": .string(queue), "binding_key": .string("k"), "arguments": .map([:]),
          ]))
      default: return Request("GET", "/bindings?src=\(exchange)&dstq=\(queue)&key=k")
      }
    },
    asked("DELETE an exchange that is not there") { Request("DELETE", "/exchanges/missing-\($0)") },
    asked("a request without body section") { Request("GET", "/queues/\($0)", body: Payload.header([])) },
    asked("an unknown path") { _ in Request("GET", "/queues") },
    asked("bad percent-encoding") { _ in Request("GET", "/queues/%zz") },
    asked("GET without permission", as: "limited") { Request("GET", "/queues/\($0)") },
    asked("PUT without permission", as: "limited", declares: false) { Request("PUT", "/queues/\($0)", declaration()) },
    Row("management: attached without paired", on: .rabbitMQ4) { play in
      let line = try await play.enter()
      try await line.attach(.sender, target: .at("/management"), settled: 1)
    },
  ]

  struct Request {
    let method: String
    let path: String
    let body: [UInt8]

    init(_ method: String, _ path: String, _ value: AMQPValue = .null) {
      self.init(method, path, body: Payload.value(value))
    }

    init(_ method: String, _ path: String, body: [UInt8]) {
      self.method = method
      self.path = path
      self.body = body
    }
  }

  private static func declaration(_ arguments: AMQPMap = ["x-queue-type": .string("quorum")]) -> AMQPValue {
    .map(["durable": .boolean(true), "exclusive": .boolean(false), "auto_delete": .boolean(false), "arguments": .map(arguments)])
  }

  private static func asked(
    _ name: String, as user: String = "app", declares: Bool = true, messages: Int = 0, twice: Bool = false,
    _ request: @escaping @Sendable (String) -> Request
  ) -> Row {
    self.asked(name, as: user, declares: declares, messages: messages, requests: twice ? 2 : 1) { queue, _ in request(queue) }
  }

  private static func asked(
    _ name: String, as user: String = "app", declares: Bool = true, messages: Int = 0, requests: Int,
    _ request: @escaping @Sendable (String, Int) -> Request
  ) -> Row {
    Row("management: \(name)", on: .rabbitMQ4) { play in
      play.willDeclare()
      if declares { try await OutcomeRows.fill(play, .classic, count: messages) }
      let line = try await play.enter(as: user)
      try await line.quietly {
        try await line.attach(
          .sender, handle: 0, source: .at("/management"), target: .at("/management"), settled: 1,
          properties: Payload.symbols([("paired", .boolean(true))]), name: "management")
        try await line.attach(
          .receiver, handle: 1, source: .at("/management"), target: .at("/management"), settled: 1,
          properties: Payload.symbols([("paired", .boolean(true))]), name: "management")
      }
      line.grant(10, handle: 1)
      for number in 0..<requests {
        let question = request(play.queue, number)
        let properties = Payload.ids("id-\(number)", to: question.path, subject: question.method, replyTo: "$me")
        let body = question.body
        let payload = body.starts(with: [0x00, 0x53, 0x70]) ? body + properties : properties + body
        line.transfer(payload, as: "\(question.method) \(question.path)", settled: true)
        try await line.read(until: AMQPFrame.Code.transfer)
      }
    }
  }
}
