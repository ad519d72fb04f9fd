// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("Messages on the wire")
struct MessageTests {
  /// Made anew for each who asks: the leak sanitizer does not see through the tagged pointers of a static value's cases.
  static var full: AMQPMessage {
    AMQPMessage(
      header: AMQPHeader(durable: true, priority: 5, timeToLive: 60_000, firstAcquirer: true, deliveryCount: 3),
      deliveryAnnotations: AMQPMap([.init(key: .symbol("x-a"), value: .int(1))]),
      messageAnnotations: AMQPMap([.init(key: .symbol("x-b"), value: .timestamp(2))]),
      properties: AMQPProperties(
        messageID: .uuid(AMQPUUID(high: 1, low: 2)), userID: [1], to: "q", subject: "s", replyTo: "r", correlationID: .ulong(9),
        contentType: "text/plain", contentEncoding: "gzip", absoluteExpiryTime: 5, creationTime: 6, groupID: "g",
        groupSequence: 7, replyToGroupID: "h"),
      applicationProperties: ["one": .int(1), "text": "t", "when": .timestamp(3), "none": .null],
      body: .dataSections([[1, 2], [3]]), footer: AMQPMap([.init(key: .symbol("x-f"), value: .boolean(true))]))
  }

  @Test("all sections come back as they were")
  func allSections() throws {
    let full = Self.full
    #expect(try AMQPMessage(decoding: full.encoded()) == full)
  }

  @Test(
    "every kind of body comes back",
    arguments: [
      AMQPBody.data([]), .data([UInt8](repeating: 1, count: 70_000)), .value(.map(["a": .null])), .value(.null),
      .sequence([[.int(1)], []]),
    ])
  func bodies(_ body: AMQPBody) throws {
    #expect(try AMQPMessage(decoding: AMQPMessage(body: body).encoded()).body == body)
  }

  @Test("no message is written without a body section", arguments: [AMQPBody.absent, .dataSections([]), .sequence([])])
  func neverWithoutBody(_ body: AMQPBody) throws {
    let bytes = AMQPMessage(header: nil, body: body).encoded()
    #expect(bytes == [0x00, 0x53, 0x75, 0xa0, 0])
  }

  @Test("durable is written by default")
  func durable() throws {
    #expect(AMQPMessage(body: .data([])).encoded().starts(with: [0x00, 0x53, 0x70, 0xc0, 2, 1, 0x41]))
  }

  @Test("a body-less message of a peer is read, and said to be so")
  func bodyless() throws {
    #expect(try AMQPMessage(decoding: [0x00, 0x53, 0x73, 0x45]).body == .absent)
    #expect(try AMQPMessage(decoding: []).body == .absent)
  }

  @Test("broken messages are refused")
  func broken() {
    let cases: [(String, [UInt8])] = [
      ("properties before the header", [0x00, 0x53, 0x73, 0x45, 0x00, 0x53, 0x70, 0x45]),
      ("the header twice", [0x00, 0x53, 0x70, 0x45, 0x00, 0x53, 0x70, 0x45]),
      ("data and value", [0x00, 0x53, 0x75, 0xa0, 0, 0x00, 0x53, 0x77, 0x40]),
      ("an unknown section", [0x00, 0x53, 0x79, 0x45]),
      ("a list for data", [0x00, 0x53, 0x75, 0x45]),
      ("no descriptor", [0x40]),
      ("a number for the subject", [0x00, 0x53, 0x73, 0xc0, 5, 4, 0x40, 0x40, 0x40, 0x43]),
    ]
    for (name, bytes) in cases {
      #expect(throws: AMQPDecodingError.self, "\(name)") { try AMQPMessage(decoding: bytes) }
    }
  }

  @Test("a description holds no content")
  func privacy() {
    let message = AMQPMessage(properties: AMQPProperties(messageID: "id-1"), body: .data(Array("secret".utf8)))
    #expect(message.description == "message id-1")
  }

  @Test("ids read well")
  func ids() {
    #expect(
      AMQPMessageID.uuid(AMQPUUID(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF)).description
        == "00112233-4455-6677-8899-aabbccddeeff")
    #expect(AMQPMessageID.binary([0, 255]).description == "00ff")
    #expect(AMQPMessageID.ulong(5).description == "5")
  }
}
