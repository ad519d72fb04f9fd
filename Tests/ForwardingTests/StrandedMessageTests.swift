// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing

@testable import Forwarding

@Suite("What is seen of a message without reading it")
struct StrandedMessageTests {
  private let full = AMQPMessage.health("id-1", from: "4711", timeToLive: 60_000) {
    $0.header?.priority = 3
    $0.header?.deliveryCount = 2
    $0.header?.firstAcquirer = true
    $0.messageAnnotations = AMQPMap([
      .init(key: .symbol("x-opt-enqueued-time"), value: .timestamp(1_700_000_000_000)),
      .init(key: .symbol("x-opt-sequence-number"), value: .long(77)), .init(key: .symbol("x-delivery-count"), value: .long(5)),
    ])
    $0.properties.userID = Array("someone".utf8)
    $0.properties.absoluteExpiryTime = 1_900_000_000_000
    $0.applicationProperties = ["fromHerId": "4711", "enqueuedTimeUtc": "2026-11-21T22:50:00", "x": .long(4)]
    $0.footer = AMQPMap([.init(key: .symbol("x-f"), value: "g")])
  }

  @Test("everything that a forwarder needs")
  func everything() throws {
    let bytes = self.full.encoded()
    let seen = StrandedMessage(bytes)
    #expect(seen.problem == nil)
    #expect(seen.bareStart == (try AMQPMessageSections(bytes)).bareStart)
    #expect(seen.priority == 3)
    #expect(seen.timeToLive == 60_000)
    #expect(seen.firstAcquirer)
    #expect(seen.deliveryCount == 2)
    #expect(seen.countedReturns == 5)
    #expect(seen.enqueuedTime == 1_700_000_000_000)
    #expect(seen.sequenceNumber == 77)
    #expect(seen.messageID == "id-1")
    #expect(seen.sender == "4711")
    #expect(seen.enqueuedTimeUTC == 1_795_301_400_000)
    #expect(seen.absoluteExpiryTime == 1_900_000_000_000)
  }

  @Test("ids of every kind are written as the rest of the house writes them")
  func ids() {
    let ids: [AMQPMessageID] = [
      .string("a"), .ulong(0), .ulong(9), .ulong(1 << 40), .binary([0, 255, 16]), .uuid(AMQPUUID(high: 0x0123, low: 0xff00)),
    ]
    for id in ids {
      let bytes = AMQPMessage.health("x") { $0.properties.messageID = id }.encoded()
      #expect(StrandedMessage(bytes).messageID == id.description)
    }
  }

  @Test("the user-id becomes null, in small and in large properties, and every other byte stays")
  func withoutUserID() throws {
    for subject in ["s", String(repeating: "s", count: 400)] {
      var message = self.full
      message.properties.subject = subject
      let bytes = message.encoded()
      let seen = StrandedMessage(bytes)
      let place = try #require(seen.userID)
      let changed = ForwardedForm.withoutUserID(bytes, place)
      message.properties.userID = nil
      #expect(try AMQPMessage(decoding: changed) == message)
      #expect(Array(changed[place.value.lowerBound + 1..<changed.count]) == Array(bytes[place.value.upperBound...]))
      #expect(StrandedMessage(changed).userID == nil)
    }
  }

  @Test("cut off anywhere or with any byte another, it is read without harm")
  func anyBytes() {
    let bytes = self.full.encoded()
    for length in 0..<bytes.count {
      let seen = StrandedMessage(Array(bytes.prefix(length)))
      #expect(seen.bareStart <= length)
    }
    var random = Random(state: 4)
    for _ in 0..<20_000 {
      var other = bytes
      for _ in 0..<1 + random.below(3) { other[random.below(other.count)] = UInt8(truncatingIfNeeded: random.next()) }
      let seen = StrandedMessage(other)
      #expect(seen.bareStart <= other.count)
      if let place = seen.userID { #expect(!ForwardedForm.withoutUserID(other, place).isEmpty) }
    }
  }

  @Test("what a bus ends link or session over is seen before it is sent")
  func problems() throws {
    let good = AMQPMessage.health("m").encoded()
    #expect(StrandedMessage(good).problem == nil)
    let sections = try AMQPMessageSections(good).sections
    let body = try #require(sections.last)
    #expect(StrandedMessage(Array(good[..<body.range.lowerBound])).problem != nil, "no body")
    #expect(StrandedMessage(good + Array(good[sections[1].range])).problem != nil, "a section twice")
    #expect(StrandedMessage(good + [0x00, 0x53, 0x77, 0x40]).problem != nil, "two kinds of body")
    #expect(StrandedMessage(good + [0x00, 0x53, 0x79, 0x40]).problem != nil, "an unknown section")
    #expect(StrandedMessage(good + [0x00]).problem != nil, "a byte too many")
    let footed = AMQPMessage.health("m") { $0.footer = ["sum": "1"] }.encoded()
    #expect(StrandedMessage(footed).problem != nil)
    var manners = StrandedMessage.TargetManners()
    manners.wantsExtensionKeys = false
    #expect(StrandedMessage(footed, manners: manners).problem == nil)
    let array = AMQPMessage.health("m") { $0.body = .value(.array([.int(1), .int(2)])) }.encoded()
    #expect(StrandedMessage(array).problem == nil)
    manners.takesArrays = false
    #expect(StrandedMessage(array, manners: manners).problem != nil)
    let odd = AMQPMessage.health("m") { $0.applicationProperties = [:] }.encoded()
    let at = try #require(try AMQPMessageSections(odd).sections.first { $0.descriptor == 0x75 }).range.lowerBound
    #expect(
      StrandedMessage(Array(odd[..<at] + [0x00, 0x53, 0x74, 0xc1, 0x02, 0x01, 0x40] + odd[at...])).problem != nil, "an odd map")
  }

  @Test("the rest of the time to live, by whatever says when it began")
  func age() {
    func age(_ change: (inout StrandedMessage) -> Void) -> ForwardedForm.Age {
      var message = StrandedMessage(AMQPMessage.health("m").encoded())
      change(&message)
      return ForwardedForm.age(of: message, at: 1_000_000)
    }
    #expect(age { _ in } == .unlimited)
    #expect(age { $0.timeToLive = 500 } == .unknown(500))
    #expect(age { ($0.timeToLive, $0.enqueuedTime) = (5_000, 998_000) } == .left(3_000))
    #expect(age { ($0.timeToLive, $0.enqueuedTimeUTC) = (5_000, 998_000) } == .left(3_000))
    #expect(age { ($0.timeToLive, $0.enqueuedTime) = (5_000, 995_000) } == .expired)
    #expect(
      age { ($0.timeToLive, $0.enqueuedTime) = (5_000, 2_000_000) } == .left(5_000), "a clock ahead gives no more than the whole")
    #expect(age { ($0.timeToLive, $0.absoluteExpiryTime) = (5_000, 1_002_000) } == .left(2_000))
    #expect(age { $0.absoluteExpiryTime = 999_999 } == .expired)
  }

  @Test(
    "times as clients write them",
    arguments: [
      ("1970-01-01T00:00:00", 0), ("2000-02-29T12:00:00Z", 951_825_600_000), ("2026-11-21T22:50:00.123", 1_795_301_400_000),
      ("2026-11-21 22:50:00", 1_795_301_400_000), ("1969-12-31T23:59:59", -1_000), ("2026-13-01T00:00:00", nil),
      ("2026-11-21T22:50:00+01:00", nil), ("yesterday", nil), ("2026-11-21", nil),
    ] as [(String, Int64?)])
  func times(_ text: String, _ wanted: Int64?) {
    #expect(StrandedMessage.milliseconds(ofSortable: text) == wanted)
  }

  @Test("the fingerprint is SipHash: it depends on every byte and on the key")
  func fingerprint() {
    let key = Fingerprint.Key(first: 1, second: 2)
    func print(_ bytes: [UInt8], _ key: Fingerprint.Key) -> Fingerprint {
      bytes.withUnsafeBytes { Fingerprint(of: $0, key: key) }
    }
    let bytes = (0..<61).map { UInt8($0) }
    var seen: Set<Fingerprint> = [print(bytes, key), print(bytes, .init(first: 1, second: 3))]
    for position in bytes.indices {
      var other = bytes
      other[position] ^= 1
      seen.insert(print(other, key))
      seen.insert(print(Array(bytes.prefix(position)), key))
    }
    #expect(seen.count == 2 + 2 * bytes.count)
  }
}
