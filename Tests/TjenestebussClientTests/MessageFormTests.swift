// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import AMQP
@testable import TjenestebussClient

@Suite("Message form, written")
struct MessageWritingTests {
  let enqueued = MessageTimestamp(secondsSinceEpoch: 1_763_700_001)

  @Test("All five checked fields, durable, correlation id by default, no user id, no annotations, one data section")
  func written() throws {
    let amqp = try Fixture.message().amqpMessage(toQueue: "200_async", enqueued: self.enqueued)
    #expect(amqp.header == AMQPHeader(durable: true))
    #expect(amqp.deliveryAnnotations.isEmpty)
    #expect(amqp.messageAnnotations.isEmpty)
    #expect(amqp.footer.isEmpty)
    #expect(
      amqp.properties
        == AMQPProperties(
          messageID: "6f1b7c1e-0000-4000-8000-000000000001", to: "200_async", subject: "DIALOG_INNBYGGER_EKONTAKT",
          replyTo: "100_async", correlationID: "6f1b7c1e-0000-4000-8000-000000000001", contentType: "text/plain"))
    #expect(
      amqp.applicationProperties
        == [
          "fromHerId": "100", "toHerId": "200", "applicationTimeStamp": "2025-11-21T04:40:00Z",
          "enqueuedTimeUtc": "2025-11-21T04:40:01",
        ])
    #expect(amqp.body == .dataSections([[1, 2, 3]]))
  }

  @Test("A time to live goes out when there is one; zero is refused")
  func timeToLive() throws {
    #expect(try Fixture.message(ttl: 15_000).amqpMessage(toQueue: "q", enqueued: self.enqueued).header?.timeToLive == 15_000)
    #expect(
      throws: TjenestebussError.messageUnsendable(field: "time to live", problem: "is zero: the message would expire at once")
    ) {
      try Fixture.message(ttl: 0).amqpMessage(toQueue: "q", enqueued: self.enqueued)
    }
  }

  @Test("What the form sets itself cannot be set as a property; what receivers demand cannot be empty")
  func unsendable() throws {
    for name in ["fromHerId", "toHerId", "applicationTimeStamp", "cpaId", "enqueuedTimeUtc", ""] {
      let message = try Fixture.message(properties: [name: "x"])
      #expect(throws: TjenestebussError.self) { try message.amqpMessage(toQueue: "q", enqueued: self.enqueued) }
    }
    for broken in [try Fixture.message(id: ""), try Fixture.message(subject: ""), try Fixture.message(subject: "a\nb")] {
      #expect(throws: TjenestebussError.self) { try broken.amqpMessage(toQueue: "q", enqueued: self.enqueued) }
    }
  }

  @Test("On the wire: header first with durable true, and exactly one data section, also for an empty body")
  func bytes() throws {
    let empty = try Fixture.message(body: []).amqpMessage(toQueue: "q", enqueued: self.enqueued).encoded()
    // Descriptor 0x70 (header), a list whose first field is true.
    #expect(Array(empty.prefix(3)) == [0x00, 0x53, 0x70])
    #expect(empty[3] == 0xC0, "a short list")
    #expect(empty[6] == 0x41, "durable = true")
    // Last: descriptor 0x75 (data), a binary of no bytes.
    #expect(Array(empty.suffix(5)) == [0x00, 0x53, 0x75, 0xA0, 0x00])
    #expect(Self.sections(empty) == [0x70, 0x73, 0x74, 0x75])

    let full = try Fixture.message(ttl: 60_000).amqpMessage(toQueue: "q", enqueued: self.enqueued).encoded()
    #expect(Array(full.suffix(8)) == [0x00, 0x53, 0x75, 0xA0, 0x03, 1, 2, 3])
    #expect(Self.sections(full) == [0x70, 0x73, 0x74, 0x75])
  }

  /// The descriptors of the sections, walked by their own sizes.
  static func sections(_ bytes: [UInt8]) -> [UInt8] {
    var rest = bytes[...]
    var found: [UInt8] = []
    while rest.count >= 4, rest.starts(with: [0x00, 0x53]) {
      found.append(rest[rest.startIndex + 2])
      rest = rest.dropFirst(3)
      guard let code = rest.popFirst() else { break }
      switch code {
      case 0x45: break
      case 0xA0, 0xC0, 0xC1:
        guard let size = rest.popFirst() else { return found }
        rest = rest.dropFirst(Int(size))
      case 0xB0, 0xD0, 0xD1:
        let size = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(4 + size)
      default: return found + [0xFF]
      }
    }
    return rest.isEmpty ? found : found + [0xFE]
  }
}

@Suite("Message form, read")
struct MessageReadingTests {
  @Test("What was written is read as it was, through bytes")
  func roundTrip() throws {
    let bodies: [[UInt8]] = [[], [0], Array(repeating: 0xAB, count: 70_000)]
    for body in bodies {
      var message = try Fixture.message(ttl: 4_000, properties: ["X-SystemIdentifier": "EPJ", "å": "ø"], body: body)
      message.cpaID = "0b5c4f0e-1111-4222-8333-444444444444"
      let bytes = try message.amqpMessage(toQueue: "200_async", enqueued: .now).encoded()
      let read = try HealthMessage(reading: AMQPMessage(decoding: bytes))
      message.correlationID = message.messageID
      #expect(read == message)
    }
  }

  @Test("Numbers for texts, a timestamp for a text, a UUID id, a full address in reply-to, cpa-id")
  func tolerant() throws {
    var amqp = try Fixture.message().amqpMessage(toQueue: "q", enqueued: .now)
    amqp.applicationProperties["fromHerId"] = .int(100)
    amqp.applicationProperties["toHerId"] = .ulong(200)
    amqp.applicationProperties["applicationTimeStamp"] = .timestamp(1_763_700_000_999)
    amqp.applicationProperties["cpa-id"] = "c"
    amqp.applicationProperties["count"] = .uint(7)
    amqp.applicationProperties["blob"] = .binary([1])
    amqp.properties.messageID = .uuid(AMQPUUID(high: 0x6f1b_7c1e_0000_4000, low: 0x8000_0000_0000_0001))
    amqp.properties.to = "tb.test.nhn.no/NHNTESTServiceBus/200_async"
    amqp.properties.replyTo = "tb.test.nhn.no/NHNTESTServiceBus/100_async"
    amqp.body = .dataSections([[1], [2, 3]])
    let read = try HealthMessage(reading: amqp)
    #expect(read.from.value == 100)
    #expect(read.to.value == 200)
    #expect(read.timestamp == MessageTimestamp(secondsSinceEpoch: 1_763_700_000))
    #expect(read.messageID == "6f1b7c1e-0000-4000-8000-000000000001")
    #expect(read.replyTo == "100_async")
    #expect(read.cpaID == "c")
    #expect(read.properties == ["count": "7"])
    #expect(read.body == [1, 2, 3])
  }

  @Test("Bodies of other forms: none is empty, one value is taken, a sequence is unreadable")
  func bodies() throws {
    var amqp = try Fixture.message().amqpMessage(toQueue: "q", enqueued: .now)
    amqp.body = .absent
    #expect(try HealthMessage(reading: amqp).body == [])
    amqp.body = .value(.string("å"))
    #expect(try HealthMessage(reading: amqp).body == [0xC3, 0xA5])
    amqp.body = .sequence([[.string("patient")]])
    let error = #expect(throws: TjenestebussError.self) { try HealthMessage(reading: amqp) }
    #expect(error?.stableCode == "TB-302")
    #expect(!"\(error as Any)".contains("patient"))
  }

  @Test("Each of the five fields, and the message id, is demanded by name; all that lack are named together")
  func strict() throws {
    let good = try Fixture.message().amqpMessage(toQueue: "q", enqueued: .now)
    func missing(_ change: (inout AMQPMessage) -> Void) -> TjenestebussError? {
      var amqp = good
      change(&amqp)
      return #expect(throws: TjenestebussError.self) { try HealthMessage(reading: amqp) }
    }
    #expect(missing { $0.applicationProperties["fromHerId"] = nil } == .messageFieldsInvalid(["fromHerId"]))
    #expect(missing { $0.applicationProperties["toHerId"] = "0" } == .messageFieldsInvalid(["toHerId"]))
    #expect(missing { $0.properties.subject = "" } == .messageFieldsInvalid(["subject"]))
    #expect(
      missing { $0.applicationProperties["applicationTimeStamp"] = "21.11.2025" }
        == .messageFieldsInvalid(["applicationTimeStamp"]))
    #expect(missing { $0.properties.contentType = nil } == .messageFieldsInvalid(["content-type"]))
    #expect(missing { $0.properties.messageID = nil } == .messageFieldsInvalid(["message-id"]))
    #expect(
      missing {
        $0.properties = AMQPProperties()
        $0.applicationProperties = [:]
      }
        == .messageFieldsInvalid(["fromHerId", "toHerId", "subject", "applicationTimeStamp", "content-type", "message-id"]))
  }
}

@Suite("Timestamps")
struct TimestampTests {
  @Test("Read as written, for every day of many years")
  func roundTrip() {
    for day in stride(from: Int64(-25_000), to: 60_000, by: 1) {
      let stamp = MessageTimestamp(secondsSinceEpoch: day * 86_400 + (day % 86_400 + 86_400) % 86_400)
      #expect(MessageTimestamp(stamp.description) == stamp)
    }
  }

  @Test("Zones, fractions, and no zone at all")
  func forms() {
    let noon = MessageTimestamp("2025-11-21T12:00:00Z")
    #expect(noon == MessageTimestamp("2025-11-21T13:00:00+01:00"))
    #expect(noon == MessageTimestamp("2025-11-21T06:30:00-05:30"))
    #expect(noon == MessageTimestamp("2025-11-21T12:00:00"))
    #expect(noon == MessageTimestamp("2025-11-21T12:00:00.9876543Z"))
    #expect(noon?.withoutZone == "2025-11-21T12:00:00")
  }

  @Test(
    "What is no such text, or no such time, is refused",
    arguments: [
      "", "2025", "2025-11-21", "2025-11-21 12:00:00", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-11-21T24:00:00Z",
      "2025-11-21T12:00:00ZZ", "2025-11-21T12:00:00.Z", "2025-11-21T12:00:00+1", "+025-11-21T12:00:00Z", "11/21/2025 12:00:00",
    ])
  func refused(text: String) {
    #expect(MessageTimestamp(text) == nil)
  }
}
