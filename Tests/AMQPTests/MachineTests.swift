// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AMQP

private let lost = AMQPError(.connectionLost, .connection, .remote, tried: "test", seen: "test")

@Suite("Sends of a sending link")
struct SendMachineTests {
  typealias Machine = SendMachine<Int>

  @Test("sent, accepted")
  func accepted() {
    var machine = Machine()
    let id = Machine.SendID(number: 1)
    same(machine.enqueue(id), nil)
    #expect(machine.waitingCount == 1)
    same(machine.next(), id)
    machine.transferred(id, as: 77)
    #expect(machine.waitingCount == 0)
    #expect(machine.inFlightCount == 1)
    let ended = machine.disposition(77, .accepted, settled: true)
    #expect(ended?.0 == id)
    #expect(ended?.1 == .accepted)
    #expect(machine.isIdle)
  }

  @Test("settled without an outcome is unknown, not accepted")
  func settledOnly() {
    var machine = Machine()
    let id = Machine.SendID(number: 1)
    _ = machine.enqueue(id)
    _ = machine.next()
    machine.transferred(id, as: 1)
    let ended = machine.disposition(1, nil, settled: true)
    #expect(ended?.1 == .unknown(.settledWithoutOutcome))
  }

  @Test("the deadline before credit: certainly not sent; the message is never handed over")
  func notSent() {
    var machine = Machine()
    let id = Machine.SendID(number: 1)
    _ = machine.enqueue(id)
    same(machine.end(id, .timedOut), .notSent(.timedOut))
    same(machine.next(), nil)
    same(machine.end(id, .timedOut), nil)
  }

  @Test("the deadline after the transfer: unknown; the late outcome is told to nobody")
  func unknown() {
    var machine = Machine()
    let id = Machine.SendID(number: 1)
    _ = machine.enqueue(id)
    _ = machine.next()
    machine.transferred(id, as: 5)
    same(machine.end(id, .cancelled), .outcome(.unknown(.cancelled)))
    let late = machine.disposition(5, .accepted, settled: true)
    #expect(late == nil)
    #expect(machine.inFlightCount == 0)
  }

  @Test("the link ends: what waits was not sent, what is in flight is unknown, what comes later is refused")
  func linkEnded() {
    var machine = Machine()
    let first = Machine.SendID(number: 1)
    let second = Machine.SendID(number: 2)
    _ = machine.enqueue(first)
    _ = machine.next()
    machine.transferred(first, as: 1)
    _ = machine.enqueue(second)
    let completions = machine.linkEnded(lost)
    #expect(completions.map(\.0) == [first, second])
    #expect(completions.map(\.1) == [.outcome(.unknown(.lost(lost))), .notSent(.linkEnded(lost))])
    same(machine.enqueue(Machine.SendID(number: 3)), .notSent(.linkEnded(lost)))
    same(machine.linkEnded(lost).isEmpty, true)
  }

  @Test("in any order of events each send ends exactly once, and never as not sent after its transfer", arguments: 0..<50)
  func model(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    var machine = Machine()
    var transferred: Set<UInt64> = []
    var ended: [UInt64: Int] = [:]
    var deliveries: [Int: UInt64] = [:]
    var lastID: UInt64 = 0
    func note(_ id: Machine.SendID, _ completion: Machine.Completion) {
      ended[id.number, default: 0] += 1
      if case .notSent = completion { #expect(!transferred.contains(id.number)) }
    }
    for step in 0..<1_000 {
      switch Int.random(in: 0..<8, using: &generator) {
      case 0..<3:
        lastID += 1
        same(machine.enqueue(.init(number: lastID)), nil)
      case 3..<5:
        if let id = machine.next() {
          machine.transferred(id, as: step)
          transferred.insert(id.number)
          deliveries[step] = id.number
        }
      case 5:
        if let delivery = deliveries.keys.randomElement(using: &generator) {
          deliveries[delivery] = nil
          if let (id, outcome) = machine.disposition(delivery, .accepted, settled: true) { note(id, .outcome(outcome)) }
        }
      case 6 where lastID > 0:
        let id = Machine.SendID(number: .random(in: 1...lastID, using: &generator))
        if let completion = machine.end(id, .timedOut) { note(id, completion) }
      default: break
      }
    }
    for (id, completion) in machine.linkEnded(lost) { note(id, completion) }
    #expect(ended.count == Int(lastID))
    #expect(ended.values.allSatisfy { $0 == 1 })
  }
}

@Suite("The server's side of a login")
struct ServerLoginMachineTests {
  private let plainInit: [UInt8] = AMQPFrame.encodedSASL(
    AMQPFrame.Code.saslInit, [.symbol("PLAIN"), .binary([0] + Array("app".utf8) + [0] + Array("pw".utf8))])

  @Test("header, mechanisms, init, outcome; what follows is for AMQP")
  func plain() {
    var machine = ServerLoginMachine(mechanisms: ["PLAIN", "ANONYMOUS"])
    let first = machine.receive(AMQPFrame.saslHeader)
    #expect(first.count == 1)
    same(machine.receive(self.plainInit), [.decide(.plain(user: "app", password: "pw"))])
    same(machine.receive(AMQPFrame.amqpHeader), [])
    let outcome = AMQPFrame.encodedSASL(AMQPFrame.Code.saslOutcome, [.ubyte(0)])
    same(machine.decided(true), [.write(outcome), .done(remaining: AMQPFrame.amqpHeader)])
  }

  @Test("byte by byte it comes to the same")
  func byteByByte() {
    var machine = ServerLoginMachine(mechanisms: ["PLAIN"])
    var actions: [ServerLoginMachine.Action] = []
    for byte in AMQPFrame.saslHeader + self.plainInit { actions += machine.receive([byte]) }
    #expect(actions.last == .decide(.plain(user: "app", password: "pw")))
  }

  @Test("refused: outcome 1, and the connection is closed")
  func refused() {
    var machine = ServerLoginMachine(mechanisms: ["PLAIN"])
    _ = machine.receive(AMQPFrame.saslHeader + self.plainInit)
    same(machine.decided(false), [.write(AMQPFrame.encodedSASL(AMQPFrame.Code.saslOutcome, [.ubyte(1)])), .close])
  }

  @Test("a mechanism that was not offered is refused without asking")
  func notOffered() {
    var machine = ServerLoginMachine(mechanisms: ["ANONYMOUS"])
    same(machine.receive(AMQPFrame.saslHeader + self.plainInit).last, .close)
  }

  @Test("another protocol gets our header and is closed")
  func otherProtocol() {
    var machine = ServerLoginMachine(mechanisms: ["PLAIN"])
    same(machine.receive(Array("GET / HTTP/1.1\r\n\r\n".utf8)), [.write(AMQPFrame.saslHeader), .close])
  }

  @Test("without SASL: the decision is asked, and AMQP begins with its header")
  func withoutSASL() {
    var machine = ServerLoginMachine(mechanisms: ["PLAIN"])
    same(machine.receive(AMQPFrame.amqpHeader + [1]), [.decide(.none)])
    same(machine.decided(true), [.done(remaining: AMQPFrame.amqpHeader + [1])])
  }
}
