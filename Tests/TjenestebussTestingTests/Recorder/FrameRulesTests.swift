// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing

@testable import TjenestebussTesting

/// Writes a log frame by frame.
private struct Log {
  var frames: [RecordedFrame] = []

  mutating func add(
    _ direction: FrameDirection, _ code: UInt64, _ fields: [AMQPValue], payload: [UInt8] = [], channel: UInt16 = 0,
    size: Int = 50,
    connection: Int = 1
  ) {
    self.frames.append(
      RecordedFrame(
        connection: connection, direction: direction, size: size,
        frame: .performative(channel: channel, isSASL: false, code: code, fields: fields, payload: payload)))
  }

  mutating func open(_ direction: FrameDirection, maximumFrameSize: UInt32 = 512) {
    self.add(direction, AMQPFrame.Code.open, [.string("c"), .null, .uint(maximumFrameSize)])
  }

  mutating func begin(_ direction: FrameDirection, answers: UInt16? = nil, channel: UInt16 = 0, connection: Int = 1) {
    self.add(
      direction, AMQPFrame.Code.begin, [answers.map(AMQPValue.ushort) ?? .null, .uint(0), .uint(100), .uint(100)],
      channel: channel, connection: connection)
  }

  mutating func end(_ direction: FrameDirection, channel: UInt16 = 0) {
    self.add(direction, AMQPFrame.Code.end, [], channel: channel)
  }

  mutating func attach(
    _ direction: FrameDirection, receiver: Bool, name: String = "l", handle: UInt32 = 0, initial: UInt32? = nil
  ) {
    let rest: [AMQPValue] = [.null, .null, .null, .null, .null, .null, initial.map(AMQPValue.uint) ?? .null]
    self.add(direction, AMQPFrame.Code.attach, [.string(name), .uint(handle), .boolean(receiver)] + rest)
  }

  mutating func detach(_ direction: FrameDirection, handle: UInt32 = 0) {
    self.add(direction, AMQPFrame.Code.detach, [.uint(handle), .boolean(true)])
  }

  mutating func flow(
    _ direction: FrameDirection, incoming: UInt32? = 0, handle: UInt32? = nil, count: UInt32? = nil, credit: UInt32? = nil,
    channel: UInt16 = 0
  ) {
    func value(_ n: UInt32?) -> AMQPValue { n.map(AMQPValue.uint) ?? .null }
    self.add(
      direction, AMQPFrame.Code.flow,
      [value(incoming), .uint(100), .uint(0), .uint(100), value(handle), value(count), value(credit)], channel: channel)
  }

  mutating func transfer(
    _ direction: FrameDirection, handle: UInt32 = 0, payload: [UInt8] = AMQPMessage(body: .data([1])).encoded(),
    more: Bool = false,
    aborted: Bool = false
  ) {
    self.add(
      direction, AMQPFrame.Code.transfer,
      [
        .uint(handle), .uint(0), .binary([0]), .uint(0), .boolean(false), .boolean(more), .null, .null, .boolean(false),
        .boolean(aborted),
      ], payload: payload)
  }

  /// A session and a link on which the client receives.
  static func receiving(initial: UInt32 = 0) -> Log {
    var log = Log()
    log.open(.toServer)
    log.open(.toClient)
    log.begin(.toServer)
    log.begin(.toClient, answers: 0)
    log.attach(.toServer, receiver: true)
    log.attach(.toClient, receiver: false, initial: initial)
    return log
  }

  /// A session and a link on which the client sends.
  static func sending() -> Log {
    var log = Log()
    log.begin(.toServer)
    log.begin(.toClient, answers: 0)
    log.attach(.toServer, receiver: false, initial: 0)
    log.attach(.toClient, receiver: true)
    log.flow(.toClient, handle: 0, count: 0, credit: 2)
    return log
  }

  var rules: [FrameRules.Rule] { FrameRules.violations(in: self.frames).map(\.rule) }
}

@Suite("Rules that frames must keep: each wrong log is found")
struct FrameRulesTests {
  @Test("an ordinary log keeps them")
  func clean() {
    var log = Log.receiving(initial: 7)
    log.flow(.toServer, incoming: 0, handle: 0, count: 7, credit: 2)
    log.transfer(.toClient)
    log.transfer(.toClient)
    log.detach(.toServer)
    log.detach(.toClient)
    log.end(.toServer)
    log.end(.toClient)
    log.add(.toServer, AMQPFrame.Code.close, [])
    #expect(log.rules == [])
  }

  @Test("FLOW with next-incoming-id before the peer's BEGIN")
  func nextIncomingID() {
    var log = Log()
    log.begin(.toServer)
    log.flow(.toServer, incoming: 0)
    log.begin(.toClient, answers: 0)
    log.flow(.toServer, incoming: 0)
    #expect(log.rules == [.nextIncomingIDBeforeBegin])
    #expect(FrameRules.violations(in: log.frames).map(\.index) == [1])
  }

  @Test("FLOW without next-incoming-id before the peer's BEGIN is right")
  func noNextIncomingID() {
    var log = Log()
    log.begin(.toServer)
    log.flow(.toServer, incoming: nil)
    log.begin(.toClient, answers: 0)
    #expect(log.rules == [])
  }

  @Test("another session's BEGIN does not count; a new session on an old channel begins anew")
  func otherSession() {
    var log = Log()
    log.begin(.toServer, channel: 0)
    log.begin(.toServer, channel: 1)
    log.begin(.toClient, answers: 1, channel: 0)
    log.flow(.toServer, channel: 1)
    log.flow(.toServer, channel: 0)
    #expect(log.rules == [.nextIncomingIDBeforeBegin])
    log.end(.toServer, channel: 1)
    log.end(.toClient, channel: 0)
    log.begin(.toServer, channel: 1)
    log.flow(.toServer, channel: 1)
    #expect(log.rules == [.nextIncomingIDBeforeBegin, .nextIncomingIDBeforeBegin])
  }

  @Test("another connection's BEGIN does not count")
  func otherConnection() {
    var log = Log()
    log.begin(.toServer, connection: 1)
    log.begin(.toServer, connection: 2)
    log.begin(.toClient, answers: 0, connection: 2)
    log.flow(.toServer)
    #expect(log.rules == [.nextIncomingIDBeforeBegin])
  }

  @Test("credit, and delivery-count, before the peer's ATTACH")
  func beforeAttach() {
    for (count, credit, expected) in [
      (nil, 10, [FrameRules.Rule.creditBeforeAttach]), (0, 10, [.deliveryCountBeforeAttach, .creditBeforeAttach]),
      (0, 0, [.deliveryCountBeforeAttach]), (nil, 0, []),
    ] as [(UInt32?, UInt32, [FrameRules.Rule])] {
      var log = Log()
      log.begin(.toServer)
      log.begin(.toClient, answers: 0)
      log.attach(.toServer, receiver: true)
      log.flow(.toServer, handle: 0, count: count, credit: credit)
      log.attach(.toClient, receiver: false, initial: 0)
      #expect(log.rules == expected)
    }
  }

  @Test("a paired link of the same name is not the peer's ATTACH")
  func pairedName() {
    var log = Log()
    log.begin(.toServer)
    log.begin(.toClient, answers: 0)
    log.attach(.toServer, receiver: false, name: "pair", handle: 0, initial: 0)
    log.attach(.toServer, receiver: true, name: "pair", handle: 1)
    log.attach(.toClient, receiver: true, name: "pair", handle: 0)
    log.flow(.toServer, handle: 1, credit: 10)
    #expect(log.rules == [.creditBeforeAttach])
  }

  @Test("attached anew, a link needs the peer's ATTACH anew")
  func attachedAgain() {
    var log = Log.receiving()
    log.detach(.toServer)
    log.detach(.toClient)
    log.attach(.toServer, receiver: true)
    log.flow(.toServer, handle: 0, credit: 1)
    #expect(log.rules == [.creditBeforeAttach])
  }

  @Test("a message without a body section", arguments: [FrameDirection.toServer, .toClient])
  func noBody(_ direction: FrameDirection) {
    let bodiless = AMQPMessage(header: AMQPHeader(durable: true), body: .absent).encodedCarriage()
    for (payload, expected) in [
      (bodiless, FrameRules.Rule.messageWithoutBody), ([], .messageWithoutBody), ([1, 2], .messageMalformed),
    ] {
      var log = direction == .toServer ? Log.sending() : Log.receiving()
      log.flow(.toServer, handle: 0, count: 0, credit: 1)
      log.transfer(direction, payload: payload)
      #expect(log.rules == [expected])
    }
  }

  @Test("a message of many transfers is judged as a whole, and an aborted one not at all")
  func manyTransfers() {
    let whole = AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .data([1, 2, 3])).encoded()
    var log = Log.sending()
    log.transfer(.toServer, payload: Array(whole.prefix(4)), more: true)
    log.transfer(.toServer, payload: [], more: true)
    log.transfer(.toServer, payload: Array(whole.dropFirst(4)))
    log.transfer(.toServer, payload: [9], more: true)
    log.transfer(.toServer, payload: [], aborted: true)
    #expect(log.rules == [])
  }

  @Test("one delivery more than there was credit for, also where counts wrap around")
  func withoutCredit() {
    for initial in [0, 5, UInt32.max - 1] {
      var log = Log.receiving(initial: initial)
      log.transfer(.toClient)
      #expect(log.rules == [.transferWithoutCredit])
      log = Log.receiving(initial: initial)
      log.flow(.toServer, handle: 0, count: initial, credit: 3)
      for _ in 0..<3 { log.transfer(.toClient) }
      #expect(log.rules == [])
      log.flow(.toServer, handle: 0, count: initial &+ 2, credit: 1)
      log.transfer(.toClient)
      #expect(log.rules == [.transferWithoutCredit])
      log.flow(.toServer, handle: 0, count: initial &+ 4, credit: 1)
      log.transfer(.toClient)
      #expect(log.rules == [.transferWithoutCredit])
    }
  }

  @Test("credit without delivery-count, given before the ATTACH, counts from the initial one")
  func creditWithoutCount() {
    var log = Log.sending()
    for _ in 0..<2 { log.transfer(.toServer) }
    #expect(log.rules == [])
    log.transfer(.toServer)
    #expect(log.rules == [.transferWithoutCredit])
  }

  @Test("a drained sender has used its credit up")
  func drained() {
    var log = Log.receiving()
    log.flow(.toServer, handle: 0, count: 0, credit: 5)
    log.flow(.toClient, handle: 0, count: 5, credit: 0)
    log.transfer(.toClient)
    #expect(log.rules == [.transferWithoutCredit])
  }

  @Test("a frame larger than its reader has said")
  func tooLarge() {
    for (direction, isFound) in [(FrameDirection.toServer, true), (.toClient, false)] {
      var log = Log()
      log.open(.toClient, maximumFrameSize: 600)
      log.open(.toServer, maximumFrameSize: 1_000)
      log.begin(direction)
      log.add(direction, AMQPFrame.Code.flow, [.null], size: 601)
      #expect(log.rules.contains(.frameTooLarge) == isFound)
    }
  }

  @Test("frames for links and sessions that are not there")
  func notThere() {
    var log = Log()
    log.flow(.toServer)
    #expect(log.rules == [.noSession])
    log = Log.sending()
    log.transfer(.toServer, handle: 3)
    log.detach(.toServer, handle: 3)
    log.flow(.toServer, handle: 3, credit: 1)
    #expect(log.rules == [.unattachedHandle, .unattachedHandle, .unattachedHandle])
    log = Log.sending()
    log.detach(.toServer)
    log.transfer(.toServer)
    log.end(.toServer)
    log.transfer(.toServer)
    #expect(log.rules == [.unattachedHandle, .noSession])
  }

  @Test("what crosses with the peer's Detach and End is right")
  func crossing() {
    var log = Log.sending()
    log.detach(.toClient)
    log.transfer(.toServer)
    log.detach(.toServer)
    log.attach(.toServer, receiver: false, name: "m", handle: 1, initial: 0)
    log.end(.toClient)
    log.flow(.toServer)
    log.end(.toServer)
    #expect(log.rules == [])
  }

  @Test("headers, heartbeats and SASL break nothing")
  func others() {
    var log = Log()
    log.frames.append(RecordedFrame(direction: .toServer, size: 8, frame: .header(protocolID: 3, version: [1, 0, 0])))
    log.frames.append(RecordedFrame(direction: .toServer, size: 8, frame: .empty(channel: 0)))
    log.frames.append(
      RecordedFrame(
        direction: .toServer, size: 99,
        frame: .performative(channel: 0, isSASL: true, code: AMQPFrame.Code.saslInit, fields: [.symbol("PLAIN")], payload: [])))
    #expect(log.rules == [])
    #expect(log.frames.map(\.description).contains("connection 1 toServer: heartbeat, 8 bytes"))
  }

  @Test("a description says nothing of the content")
  func description() {
    var log = Log.sending()
    log.transfer(.toServer, payload: Array("secret".utf8))
    #expect(log.frames.last?.description == "connection 1 toServer: TRANSFER on channel 0, 50 bytes")
  }
}
