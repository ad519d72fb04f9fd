// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

@Suite("Where the sections of a message lie")
struct MessageSectionsTests {
  @Test("the carriage is what stands before the bare message")
  func carriage() throws {
    let message = AMQPMessage(
      header: AMQPHeader(durable: true, deliveryCount: 3), messageAnnotations: ["x-a": .int(1)],
      properties: AMQPProperties(messageID: "m"), applicationProperties: ["k": "v"], body: .data([1, 2]), footer: ["f": "g"])
    let bytes = message.encoded()
    let sections = try AMQPMessageSections(bytes)
    #expect(sections.sections.map(\.descriptor) == [0x70, 0x72, 0x73, 0x74, 0x75, 0x78])
    #expect(Array(bytes[..<sections.bareStart]) == message.encodedCarriage())
    #expect(sections.sections.last?.range.upperBound == bytes.count)
    #expect(sections.hasBody)
  }

  @Test("a message without a body section is seen")
  func noBody() throws {
    let header = AMQPMessage(header: AMQPHeader(durable: true), body: .absent).encodedCarriage()
    #expect(try !AMQPMessageSections(header).hasBody)
    #expect(try AMQPMessageSections(header).bareStart == header.count)
    #expect(try !AMQPMessageSections([]).hasBody)
  }

  @Test("a truncated message throws")
  func truncated() {
    let bytes = AMQPMessage(body: .data([1, 2, 3])).encoded()
    #expect(throws: AMQPDecodingError.self) { try AMQPMessageSections(Array(bytes.dropLast())) }
  }
}
