// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing

@testable import AMQP

@Suite("Telling a body from what stands around it")
struct BodySplitMachineTests {
  private let message = AMQPMessage(
    header: AMQPHeader(durable: true), properties: AMQPProperties(messageID: "m"), applicationProperties: ["k": "v"],
    body: .dataSections([[1, 2, 3], [], [UInt8](repeating: 4, count: 300)]), footer: ["f": "g"])

  private func run(_ bytes: [UInt8], cuts: [Int]) -> (outputs: [BodySplitMachine.Output], machine: BodySplitMachine) {
    var machine = BodySplitMachine()
    var outputs: [BodySplitMachine.Output] = []
    var rest = bytes[...]
    for cut in cuts + [bytes.count] {
      outputs += machine.receive(Array(rest.prefix(cut)))
      rest = rest.dropFirst(cut)
    }
    return (outputs, machine)
  }

  private func body(_ outputs: [BodySplitMachine.Output]) -> [UInt8] {
    outputs.flatMap { output -> [UInt8] in if case .body(let piece) = output { piece } else { [] } }
  }

  @Test("however the bytes are cut, the same head and the same body come out", arguments: 0..<50)
  func anyCut(_ seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    let bytes = self.message.encoded()
    let cuts = (0..<40).map { _ in Int.random(in: 0...20, using: &generator) }
    let (outputs, _) = self.run(bytes, cuts: cuts)
    var bare = self.message
    bare.body = .absent
    bare.footer = [:]
    guard case .head(let head)? = outputs.first else {
      Issue.record("no head: \(outputs)")
      return
    }
    #expect(try AMQPMessage(decoding: head) == bare)
    #expect(self.body(outputs) == [1, 2, 3] + [UInt8](repeating: 4, count: 300))
    #expect(!outputs.contains(.malformed))
  }

  @Test("a value for a body is not divided; rubbish is said to be so, and nothing comes after it")
  func others() {
    let value = AMQPMessage(body: .value(.string("x"))).encoded()
    let (outputs, machine) = self.run(value, cuts: [3, 4])
    #expect(outputs == [.undivided])
    #expect(machine.collected == value)
    var rubbish = BodySplitMachine()
    #expect(rubbish.receive([1, 2, 3]) == [.malformed])
    #expect(rubbish.receive(self.message.encoded()) == [])
    // A list for data, and a section of a gigabyte before the body.
    var list = BodySplitMachine()
    #expect(list.receive([0x00, 0x53, 0x75, 0x45]) == [.malformed])
    var huge = BodySplitMachine()
    #expect(huge.receive([0x00, 0x53, 0x73, 0xd0, 0x40, 0, 0, 0]) == [.malformed])
  }

  @Test("random bytes never make it crash, nor give more body than came", arguments: 0..<20)
  func random(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    for _ in 0..<200 {
      var bytes = self.message.encoded()
      for _ in 0..<Int.random(in: 1...5, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      let (outputs, _) = self.run(bytes, cuts: (0..<10).map { _ in Int.random(in: 0...80, using: &generator) })
      #expect(self.body(outputs).count <= bytes.count)
      #expect(outputs.count { if case .head = $0 { true } else { false } } <= 1)
    }
  }
}

/// Pieces that count how many were asked for.
private struct Pieces: AsyncSequence, Sendable {
  struct Broken: Error {}
  let count: Int
  let size: Int
  var throwsAfter = Int.max
  let asked = NIOLockedValueBox(0)

  struct Iterator: AsyncIteratorProtocol {
    let pieces: Pieces
    var given = 0
    mutating func next() async throws -> [UInt8]? {
      guard self.given < self.pieces.throwsAfter else { throw Broken() }
      guard self.given < self.pieces.count else { return nil }
      self.given += 1
      self.pieces.asked.withLockedValue { $0 += 1 }
      return [UInt8](repeating: UInt8(truncatingIfNeeded: self.given), count: self.pieces.size)
    }
  }

  func makeAsyncIterator() -> Iterator { Iterator(pieces: self) }
}

@Suite("Bodies that are sent and received as they come")
struct StreamingTests {
  private let message = AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .absent)

  @Test("20 MB in pieces arrive whole")
  func sends() async throws {
    var manners = LoopbackServer.Manners()
    let received = NIOLockedValueBox<[AMQPMessage]>([])
    manners.deliveredTransfer = { transfer in
      if let message = try? AMQPMessage(decoding: transfer.payload) { received.withLockedValue { $0.append(message) } }
    }
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let sender = try await connection.openSender(to: "q")
        let outcome = try await sender.send(
          self.message, bodyLength: 20 << 20, body: Pieces(count: 320, size: 65_536), within: .seconds(60))
        #expect(outcome == .accepted)
        #expect(try await sender.send(AMQPMessage(body: .data([9]))) == .accepted)
      }
    }
    let messages = received.withLockedValue { $0 }
    #expect(messages.count == 2)
    #expect(messages.first?.properties.messageID == "m")
    #expect(messages.first?.body.bytes?.count == 20 << 20)
  }

  @Test("too short, too long, broken: nothing counts as sent; the link is ended and says so, the connection goes on")
  func incomplete() async throws {
    var manners = LoopbackServer.Manners()
    let count = NIOLockedValueBox(0)
    manners.delivered = { count.withLockedValue { $0 += 1 } }
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        for (pieces, words) in [
          (Pieces(count: 9, size: 100_000), "ended after 900000 of 1000000 bytes"),
          (Pieces(count: 11, size: 100_000), "more than the 1000000 bytes"),
          (Pieces(count: 10, size: 100_000, throwsAfter: 4), "the source failed after 400000 of 1000000 bytes"),
        ] {
          let sender = try await connection.openSender(to: "q")
          let error = await #expect(throws: AMQPError.self) {
            try await sender.send(self.message, bodyLength: 1_000_000, body: pieces)
          }
          #expect(error?.code == .bodyIncomplete)
          #expect(error?.seen.contains(words) == true, "\(error?.seen ?? "")")
          let next = await #expect(throws: AMQPError.self) { try await sender.send(AMQPMessage(body: .data([9]))) }
          #expect([.linkDetached, .linkClosed].contains(next?.code))
          #expect(connection.closedReason == nil)
        }
        let sender = try await connection.openSender(to: "q")
        // Nothing of it had left: the link goes on.
        let error = await #expect(throws: AMQPError.self) {
          try await sender.send(self.message, bodyLength: 1_000_000, body: Pieces(count: 0, size: 1))
        }
        #expect(error?.code == .bodyIncomplete)
        #expect(try await sender.send(AMQPMessage(body: .data([9]))) == .accepted)
      }
    }
    #expect(count.withLockedValue { $0 } == 1)
  }

  @Test("without credit the source is not asked for more than a piece, and the send ends as not sent")
  func noCredit() async throws {
    var manners = LoopbackServer.Manners()
    manners.credit = 0
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let sender = try await connection.openSender(to: "q")
        let pieces = Pieces(count: 100, size: 65_536)
        let error = await #expect(throws: AMQPError.self) {
          try await sender.send(self.message, bodyLength: 100 * 65_536, body: pieces, within: .milliseconds(100))
        }
        #expect(error?.code == .noCredit)
        #expect(pieces.asked.withLockedValue { $0 } == 1)
      }
    }
  }

  /// 20 MB, eighty times the bound.
  @Test("a body is handed out as it comes; what waits for a slow reader stays within its bound")
  func receives() async throws {
    let content = [UInt8].telling(20 << 20)
    let manners = LoopbackServer.Manners.sending(
      2, AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .data(content)))
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 2, bodies: .streamed)
        for _ in 0..<2 {
          let delivery = try #require(try await receiver.nextBatch()?.first)
          #expect(try delivery.message().properties.messageID == "m")
          // Nobody reads, so it fills up to its bound and stays there: the rest is not even sent.
          while delivery.mostBodyBytesWaiting < IncomingBody.bound { await Task.yield() }
          var position = 0
          var isSame = true
          for try await piece in delivery.body {
            isSame = isSame && piece.first == content[position] && piece.last == content[position + piece.count - 1]
            position += piece.count
          }
          #expect(isSame)
          #expect(position == content.count)
          #expect(delivery.mostBodyBytesWaiting == IncomingBody.bound)
          try delivery.accept()
        }
        #expect(await connection.statistics().links.first?.unsettled == 0)
      }
    }
  }

  @Test("one that is settled early is dropped to its end, and the next is handed out")
  func settledEarly() async throws {
    let manners = LoopbackServer.Manners.sending(2, AMQPMessage(body: .data([UInt8](repeating: 1, count: 3 << 20))))
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 1, bodies: .streamed)
        let first = try #require(try await receiver.nextBatch()?.first)
        try first.reject()
        let second = try #require(try await receiver.nextBatch()?.first)
        var size = 0
        for try await piece in second.body { size += piece.count }
        #expect(size == 3 << 20)
        try second.accept()
      }
    }
  }

  @Test("one that grows too large ends the reading with an error, and is rejected")
  func tooLarge() async throws {
    let outcome = OneShot<AMQPOutcome?>()
    var manners = LoopbackServer.Manners.sending(1, AMQPMessage(body: .data([UInt8](repeating: 1, count: 3 << 20))))
    manners.disposed = { delivery, _, stated, _, connection in
      connection.settle(delivery)
      outcome.fulfil(stated)
    }
    try await LoopbackServer.run(manners) { configuration in
      var configuration = configuration
      configuration.maximumMessageSize = 1 << 20
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 1, bodies: .streamed)
        let delivery = try #require(try await receiver.nextBatch()?.first)
        let error = await #expect(throws: AMQPError.self) { for try await _ in delivery.body {} }
        #expect(error?.code == .messageTooLarge)
        #expect(try await outcome.wait() == .rejected(AMQPCondition(AMQPCondition.messageSizeExceeded)))
      }
    }
  }

  @Test("the connection breaks in the middle of a body: its reading ends with the reason")
  func cut() async throws {
    let manners = LoopbackServer.Manners.sending(1, AMQPMessage(body: .data([UInt8](repeating: 1, count: 8 << 20))))
    try await LoopbackServer.run(manners) { configuration in
      let connection = try await AMQPConnection.open(configuration)
      let receiver = try await connection.openReceiver(from: "q", credit: 1, bodies: .streamed)
      let delivery = try #require(try await receiver.nextBatch()?.first)
      var pieces = delivery.body.makeAsyncIterator()
      #expect(try await pieces.next(isolation: nil) != nil)
      connection.abort(because: "the test cuts it")
      let error = await #expect(throws: AMQPError.self) { for try await _ in delivery.body {} }
      #expect(error?.code == .connectionLost)
      await connection.close()
    }
  }
}
