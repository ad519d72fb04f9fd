// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing

@testable import TjenestebussTesting

@Suite("The script of a peer, as a machine")
struct PeerScriptMachineTests {
  private static func machine(_ steps: [PeerStep], ignoring: Set<PeerFrame.Kind> = [.flow]) -> PeerScriptMachine {
    PeerScriptMachine(steps, ignoring: ignoring)
  }

  private static var begin: PeerFrame { PeerFrame(.begin, channel: 3, fields: [.null, .uint(0), .uint(1), .uint(1)]) }

  @Test("what was expected is answered, on the channel it came on")
  func answered() {
    var machine = Self.machine([.session()])
    #expect(machine.begin() == [.setTimer(1, nil)])
    let actions = machine.handle(.frame(Self.begin))
    #expect(actions.count == 2)
    #expect(actions.last == .finished)
    guard case .write(let bytes, nil)? = actions.first else {
      Issue.record("no frame was written")
      return
    }
    #expect(bytes[6...7] == [0, 3])
    #expect(machine.unreached.isEmpty)
  }

  @Test("another frame fails with what was expected, what came, and where the script says so")
  func mismatch() throws {
    var machine = Self.machine([.expect(.attach(role: .sender, address: "/queues/q")), .silence()])
    _ = machine.begin()
    var attach = PeerFrame(.attach, channel: 0)
    attach[.role] = true
    attach[.source] = .described(descriptor: .ulong(0x28), value: .list([.string("/queues/other")]))
    let actions = machine.handle(.frame(attach))
    guard case .failed(let error)? = actions.first else {
      Issue.record("nothing failed")
      return
    }
    #expect(actions.last == .cut)
    #expect(error.code == .mismatch)
    #expect(error.tried.contains("PeerScriptMachineTests.swift"))
    #expect(error.tried.contains("expect attach with role false, address \"/queues/q\""))
    #expect(error.seen.contains("role: expected false, came true"))
    #expect(error.seen.contains("expected address \"/queues/q\""))
    #expect(machine.unreached.count == 2)
  }

  @Test("no password, tag or content is in what a failure says")
  func redacted() {
    let secret = Array("hunter2".utf8)
    var machine = Self.machine([.expect(.open())])
    _ = machine.begin()
    let login = PeerFrame(.saslInit, fields: [.symbol("PLAIN"), .binary(secret)])
    #expect(!"\(machine.handle(.frame(login)))".contains("hunter2"))
    let transfer = PeerFrame(.transfer, fields: [.uint(0), .uint(0), .binary(secret)], payload: secret)
    #expect(!"\(transfer)".contains("hunter2"))
    #expect("\(transfer)".contains("7 bytes of payload"))
  }

  @Test("heartbeats and ignored kinds are passed over, and told when nothing else comes")
  func passedOver() {
    var machine = Self.machine([.expect(.flow(credit: 5)), .expect(.begin)])
    #expect(machine.begin() == [.setTimer(1, nil)])
    var flow = PeerFrame(.flow)
    flow[.linkCredit] = .uint(4)
    #expect(machine.handle(.heartbeat) == [.setTimer(2, nil)])
    #expect(machine.handle(.frame(flow)) == [.setTimer(3, nil)])
    #expect(machine.handle(.timeIsUp(2)).isEmpty)
    guard case .failed(let error)? = machine.handle(.timeIsUp(3)).first else {
      Issue.record("nothing failed")
      return
    }
    #expect(error.code == .timedOut)
    #expect(error.seen.contains("link-credit: 4"))
  }

  @Test("a hold stays until it is released, whatever comes, and its time is the test's")
  func hold() {
    var machine = Self.machine([.expect(.begin), .hold("a"), .respond(.begin())])
    #expect(machine.begin() == [.setTimer(1, nil)])
    #expect(machine.handle(.frame(Self.begin)) == [.reached("a")])
    #expect(machine.handle(.timeIsUp(1)).isEmpty)
    #expect(machine.handle(.frame(PeerFrame(.flow))).isEmpty)
    #expect(machine.handle(.released("b")).isEmpty)
    #expect(machine.handle(.released("a")).last == .finished)
  }

  @Test("a hold that was released beforehand holds nothing up")
  func releasedBefore() {
    var machine = Self.machine([.hold("a")])
    #expect(machine.handle(.released("a")).isEmpty)
    #expect(machine.begin() == [.finished])
  }

  @Test("a frame taken, a frame taken, cut")
  func dropAfter() {
    var machine = Self.machine([.dropAfter(frames: 2)])
    #expect(machine.begin() == [.setTimer(1, nil)])
    #expect(machine.handle(.frame(Self.begin)) == [.setTimer(2, nil)])
    #expect(machine.handle(.frame(Self.begin)) == [.cut, .finished])
    #expect(machine.handle(.frame(Self.begin)).isEmpty)
  }

  @Test("after its last step the peer is polite")
  func polite() {
    var machine = Self.machine([])
    #expect(machine.begin() == [.finished])
    #expect(machine.handle(.frame(PeerFrame(.attach))).isEmpty)
    #expect(machine.handle(.frame(PeerFrame(.detach, channel: 2, fields: [.uint(1)]))).count == 1)
    #expect(machine.handle(.frame(PeerFrame(.close))).last == .cut)
    #expect(machine.handle(.frame(PeerFrame(.close))).isEmpty)
  }

  @Test("an answer to nothing is a mistake of the script")
  func nothingToAnswer() {
    var machine = Self.machine([.respond(.attach())])
    guard case .failed(let error)? = machine.begin().first else {
      Issue.record("nothing failed")
      return
    }
    #expect(error.code == .nothingToAnswer)
  }

  @Test("ids of deliveries and counts go on over the frames of one message")
  func counting() {
    var machine = Self.machine([
      .session(), .expect(.attach()), .respond(.transfer(payload: [1], more: true)), .respond(.transfer(payload: [2])),
      .respond(.transfer(payload: [3])), .respond(.flow(credit: nil)),
    ])
    _ = machine.begin()
    _ = machine.handle(.frame(Self.begin))
    var attach = PeerFrame(.attach, channel: 3)
    attach[.handle] = .uint(0)
    attach[.role] = true
    let frames = machine.handle(.frame(attach)).compactMap { action -> PeerFrame? in
      guard case .write(let bytes, _) = action else { return nil }
      return PeerScriptMachineTests.read(bytes)
    }
    #expect(frames.map { $0.kind } == [.transfer, .transfer, .transfer, .flow])
    #expect(frames.prefix(3).map { $0[.deliveryID] } == [.uint(0), .uint(0), .uint(1)])
    #expect(frames[3][.deliveryCount] == .uint(2))
    #expect(frames[3][.nextOutgoingID] == .uint(3))
  }

  static func read(_ bytes: [UInt8]) -> PeerFrame? {
    var parser = AMQPFrameParser()
    parser.append(bytes)
    guard case .performative(let channel, _, let code, let fields, let payload)? = try? parser.next() else { return nil }
    return PeerFrame(channel: channel, code: code, fields: fields, payload: payload)
  }

  @Test("every type is written so that it can be read", arguments: values)
  func encoding(_ value: AMQPValue) {
    #expect(Self.read(PeerFrame(.open, fields: [value]).encoded)?.fields == [value])
  }

  /// Made anew for each who asks: the leak sanitizer does not see through the tagged pointers of a static value's cases.
  static var values: [AMQPValue] {
    [
      .null, .boolean(true), .ubyte(200), .ushort(60_000), .uint(4_000_000_000), .ulong(.max), .byte(-1), .short(-2), .int(-3),
      .long(.min), .float(1.5), .double(-2.5), .decimal32(1), .decimal64(2), .decimal128(AMQPUUID(high: 3, low: 4)),
      .char(0x1f600),
      .timestamp(1_790_000_000_000), .uuid(AMQPUUID(high: 5, low: 6)), .binary([1, 2, 3]), .string("blåbær"), .symbol("x-opt"),
      .list([.uint(1), .list([.null])]), .map(["a": .uint(1)]), .array([.symbol("PLAIN"), .symbol("ANONYMOUS")]), .array([]),
      .array([.uint(1), .uint(70_000)]), .described(descriptor: .ulong(0x24), value: .list([])),
    ]
  }
}
