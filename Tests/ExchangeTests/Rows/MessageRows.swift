// SPDX-License-Identifier: Apache-2.0

@testable import AMQP

/// What a message must look like, and what comes back.
enum MessageRows {
  static let all: [Row] = [
    sent("no body section", Payload.durable + Payload.ids("m")),
    sent("empty payload", []),
    sent(
      "annotation keys that are strings",
      Payload.durable + Payload.messageAnnotations(["x-opt-a": .string("v")]) + Payload.data("x")),
    sent(
      "annotation keys that are numbers",
      Payload.durable + Payload.messageAnnotations(AMQPMap([.init(key: .ulong(7), value: .string("v"))])) + Payload.data("x")),
    sent(
      "annotation keys that do not begin with x-",
      Payload.durable + Payload.messageAnnotations(Payload.symbols([("mine", .string("v"))])) + Payload.data("x")),
    sent(
      "annotation keys that begin with x-",
      Payload.durable + Payload.messageAnnotations(Payload.symbols([("x-opt-a", .string("v"))])) + Payload.data("x")),
    sent(
      "delivery annotations",
      Payload.durable + Payload.deliveryAnnotations(Payload.symbols([("x-opt-a", .string("v"))])) + Payload.data("x")),
    sent("properties before the header", Payload.ids("m") + Payload.durable + Payload.data("x")),
    sent(
      "application properties before the properties",
      Payload.durable + Payload.applicationProperties(["a": "b"]) + Payload.ids("m") + Payload.data("x")),
    sent("body before the properties", Payload.durable + Payload.data("x") + Payload.ids("m")),
    sent("header twice", Payload.durable + Payload.durable + Payload.data("x")),
    sent("properties twice", Payload.durable + Payload.ids("m") + Payload.ids("m") + Payload.data("x")),
    sent("an unknown section", Payload.durable + Payload.section(0x79, .map([:])) + Payload.data("x")),
    sent("two amqp-value sections", Payload.durable + Payload.value(.string("a")) + Payload.value(.string("b"))),
    sent("amqp-value and data", Payload.durable + Payload.value(.string("a")) + Payload.data("b")),
    sent("two data sections", Payload.durable + Payload.data("a") + Payload.data("b")),
    sent(
      "two amqp-sequence sections",
      Payload.durable + Payload.section(0x76, .list([.string("a")])) + Payload.section(0x76, .list([.string("b")]))),
    sent(
      "footer", Payload.durable + Payload.data("x") + Payload.section(0x78, .map(Payload.symbols([("x-opt-f", .string("v"))])))),
    sent(
      "header with six fields", Payload.header([.boolean(true), .null, .null, .null, .null, .string("more")]) + Payload.data("x")),
    sent(
      "properties with fourteen fields",
      Payload.durable + Payload.properties([AMQPValue](repeating: .null, count: 13) + [.string("more")]) + Payload.data("x")),
    sent(
      "application properties with an odd count",
      Payload.durable + [0x00, 0x53, 0x74, 0xc1, 0x04, 0x01, 0xa1, 0x01, 0x61] + Payload.data("x")),
    sent(
      "application properties with a map",
      Payload.durable + Payload.applicationProperties(["a": .map(["b": .int(1)])]) + Payload.data("x")),
    sent(
      "application properties with a list",
      Payload.durable + Payload.applicationProperties(["a": .list([.int(1)])]) + Payload.data("x")),
    sent("application properties with null", Payload.durable + Payload.applicationProperties(["a": .null]) + Payload.data("x")),
    sent(
      "application properties with a symbol as key",
      Payload.durable + Payload.applicationProperties(Payload.symbols([("a", .int(1))])) + Payload.data("x")),
    sent("message-id of a wrong type", Payload.durable + Payload.properties([.int(7)]) + Payload.data("x")),
    sent("subject of a wrong type", Payload.durable + Payload.properties([.null, .null, .null, .int(7)]) + Payload.data("x")),
    sent("durable of a wrong type", Payload.header([.int(7)]) + Payload.data("x")),
    sent(
      "invalid UTF-8 in an application property",
      Payload.durable + [0x00, 0x53, 0x74, 0xc1, 0x07, 0x02, 0xa1, 0x01, 0x61, 0xa1, 0x01, 0xff] + Payload.data("x")),
    sent("an array in the body", Payload.durable + Payload.value(.array([.int(1), .int(2)]))),
    sent("truncated bytes in the body", Payload.durable + [0x00, 0x53, 0x75, 0xa0, 0x05, 0x61]),
    sent("trailing bytes after the body", Payload.durable + Payload.data("x") + [0x01, 0x02]),
    sent("a string where the body should be", Payload.durable + AMQPValue.string("x").encoded()),
    sent("no header section", Payload.ids("m") + Payload.data("x")),
    sent("a header section that says nothing", Payload.header([]) + Payload.data("x")),
    sent("a header that says not durable", Payload.header([.boolean(false)]) + Payload.data("x")),
    sent("no properties section", Payload.durable + Payload.data("x")),
    sent("a subject", Payload.durable + Payload.ids("m", subject: "mine") + Payload.data("x")),
    sent("a priority and a time to live", Payload.header([.boolean(true), .ubyte(7), .uint(3_600_000)]) + Payload.data("x")),
    sent(
      "all properties",
      Payload.durable + everything + Payload.applicationProperties(["a": "b", "n": .long(-1)]) + Payload.data("x")),
    Row("what comes back: through an exchange", on: .rabbitMQ) { play in
      try await play.declare(.quorum)
      let line = try await play.enter()
      let address = play.bus == .rabbitMQ310 ? "/exchange/amq.default/\(play.queue)" : "/queues/\(play.queue)"
      try await line.attachSender(address)
      try await line.send(Payload.plain)
      try await line.quietly { try await line.attachReceiver(handle: 1) }
      line.grant(1, handle: 1)
      try await line.read(until: AMQPFrame.Code.transfer)
    },
  ]

  private static let everything = Payload.properties([
    .string("m"), .binary(Array("app".utf8)), .string("to"), .string("subject"), .string("reply"), .string("c"),
    .symbol("text/xml"),
    .symbol("gzip"), .timestamp(4_102_444_800_000), .timestamp(1_700_000_000_000), .string("g"), .uint(3), .string("rg"),
  ])

  /// Sent to a quorum queue; if it is taken, it is received again.
  private static func sent(_ name: String, _ payload: [UInt8]) -> Row {
    Row("message: \(name)") { play in
      play.willDeclare()
      try await play.declare(.quorum)
      let line = try await play.enter()
      try await line.quietly { try await line.attachSender() }
      try await line.send(payload, as: name)
      guard play.lines.last?.hasPrefix("< accepted") == true else { return try await line.readRest() }
      let other = try await play.enter()
      try await other.quietly { try await other.attachReceiver() }
      other.grant(1)
      try await other.read(until: AMQPFrame.Code.transfer, within: .seconds(5))
    }
  }
}
