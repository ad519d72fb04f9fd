// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing

@testable import AMQP

/// Proton 0.37 moves all that it holds of a message for every frame that it writes: given 20 MB whole it is busy for half a minute,
/// and nothing else on the connection moves. So large messages are handed to it in pieces.
@Suite("Large messages leave in pieces")
struct LargeMessageTests {
  private static let large = AMQPMessage(
    properties: AMQPProperties(messageID: "large"), body: .data(.telling(20 << 20)))
  private static let small = AMQPMessage(properties: AMQPProperties(messageID: "small"), body: .data([1, 2, 3]))

  /// Sizes of what arrived, in order.
  private final class Arrivals: Sendable {
    private let sizes = NIOLockedValueBox<[Int]>([])
    var all: [Int] { self.sizes.withLockedValue { $0 } }
    func manners(_ change: (inout LoopbackServer.Manners) -> Void = { _ in }) -> LoopbackServer.Manners {
      var manners = LoopbackServer.Manners()
      manners.payload = { payload in self.sizes.withLockedValue { $0.append(payload.count) } }
      change(&manners)
      return manners
    }
  }

  /// A connection whose wire to the server is full after a megabyte of a large message, with that message on its way.
  private func half(
    _ arrivals: Arrivals, within timeout: Duration? = nil,
    _ body:
      @escaping @Sendable (StagedConnection, _ large: AMQPSender, Task<AMQPOutcome, any Error>, _ small: AMQPSender)
      async throws -> Void
  ) async throws {
    // Nothing of what the client says gets through for as long as the test wants.
    try await StagedConnection.run(arrivals.manners { $0.idleTimeoutMilliseconds = 0 }) { staged in
      let large = try await staged.connection.openSender(to: "large")
      let small = try await staged.connection.openSender(to: "small")
      try await staged.limitToServer(1 << 20)
      let sending = Task { try await large.send(Self.large, within: timeout) }
      try await staged.passing { while await staged.connection.statistics().isWritable { await Task.yield() } }
      try await body(staged, large, sending, small)
    }
  }

  @Test("a small message of another link passes a large one, and is answered while that is on its way")
  func passes() async throws {
    let arrivals = Arrivals()
    try await self.half(arrivals) { staged, _, sending, small in
      let passing = Task { try await small.send(Self.small) }
      while await staged.connection.statistics().links.first(where: { $0.address == "small" })?.waitingSends != 1 {
        await Task.yield()
      }
      // A tenth of the large one.
      try await staged.allowToServer(2 << 20)
      #expect(try await staged.passing { try await passing.value } == .accepted)
      #expect(arrivals.all == [Self.small.encoded().count])
      try await staged.allowToServer(1 << 30)
      #expect(try await staged.passing { try await sending.value } == .accepted)
      #expect(arrivals.all == [Self.small.encoded().count, Self.large.encoded().count])
    }
  }

  @Test("however fast the peer reads, the loop turns while a large message leaves")
  func turns() async throws {
    let arrivals = Arrivals()
    try await StagedConnection.run(arrivals.manners()) { staged in
      let sender = try await staged.connection.openSender(to: "large")
      let before = try await staged.bytesToServer
      let sending = Task { try await sender.send(Self.large) }
      while try await staged.bytesToServer == before { await Task.yield() }
      // The wire takes all at once, and the clock stands still: no more than a turn's share has left.
      let firstTurn = try await staged.bytesToServer - before
      #expect(firstTurn < 2 << 20, "\(firstTurn) bytes in one turn")
      #expect(arrivals.all.isEmpty)
      #expect(try await staged.passing { try await sending.value } == .accepted)
    }
  }

  @Test(
    "given up halfway its link is ended: certainly not sent, with the bytes that had left; the next one goes on another link",
    arguments: [false, true])
  func givenUp(_ isCancelled: Bool) async throws {
    let arrivals = Arrivals()
    try await self.half(arrivals, within: .seconds(100_000)) { staged, sender, sending, _ in
      if isCancelled { sending.cancel() } else { await staged.pass(.seconds(100_001)) }
      let error = await #expect(throws: AMQPError.self) { try await staged.passing { try await sending.value } }
      #expect(error?.code == (isCancelled ? .cancelled : .sendTooSlow))
      if !isCancelled { #expect(error?.seen.contains("bytes of it handed over, and taken back") == true, "\(error?.seen ?? "")") }
      try await staged.allowToServer(1 << 30)
      let after = await #expect(throws: AMQPError.self) { try await staged.passing { try await sender.send(Self.small) } }
      #expect([.linkDetached, .linkClosed].contains(after?.code))
      let next = try await staged.passing { try await staged.connection.openSender(to: "large") }
      #expect(try await staged.passing { try await next.send(Self.small) } == .accepted)
      #expect(arrivals.all == [Self.small.encoded().count])
    }
  }

  @Test("the link goes when a large message is half on its way: it was not sent, and that is certain")
  func linkGone() async throws {
    try await self.half(Arrivals()) { staged, _, sending, _ in
      staged.connection.abort(because: "the test cuts it")
      let error = await #expect(throws: AMQPError.self) { try await sending.value }
      #expect(error?.code == .connectionLost)
    }
  }

  @Test("presettled messages of five megabytes together leave to the last one, with nobody there to answer")
  func presettled() async throws {
    let arrivals = Arrivals()
    let manners = arrivals.manners {
      $0.credit = 100
      $0.answers = false
    }
    try await StagedConnection.run(manners) { staged in
      let sender = try await staged.connection.openSender(to: "q", presettled: true)
      let message = AMQPMessage(body: .data([UInt8](repeating: 1, count: 50_000)))
      let accepted = try await staged.passing {
        try await withThrowingTaskGroup(of: AMQPOutcome.self) { group in
          for _ in 0..<100 { group.addTask { try await sender.send(message) } }
          return try await group.reduce(0) { $0 + ($1.isAccepted ? 1 : 0) }
        }
      }
      #expect(accepted == 100)
      try await staged.passing { while arrivals.all.count < 100 { await Task.yield() } }
    }
  }

  @Test("2 x 20 MB over TCP arrive as they were sent, while another link's small messages keep moving", .timeLimit(.minutes(5)))
  func overTCP() async throws {
    let isSame = NIOLockedValueBox<[Bool]>([])
    let smallOnes = NIOLockedValueBox(0)
    let expected = Self.large.encoded()
    var manners = LoopbackServer.Manners()
    manners.payload = { payload in
      if payload.count > 1_000 {
        isSame.withLockedValue { $0.append(payload == expected) }
      } else {
        smallOnes.withLockedValue { $0 += 1 }
      }
    }
    try await LoopbackServer.run(manners) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let small = try await connection.openSender(to: "small")
        let isDone = NIOLockedValueBox(false)
        let moving = Task {
          var accepted = 0
          repeat {
            accepted += try await small.send(Self.small, within: .seconds(120)).isAccepted ? 1 : 0
          } while !isDone.withLockedValue { $0 }
          return accepted
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for name in ["a", "b"] {
            group.addTask {
              let large = try await connection.openSender(to: name)
              #expect(try await large.send(Self.large, within: .seconds(240)) == .accepted)
            }
          }
          try await group.waitForAll()
        }
        isDone.withLockedValue { $0 = true }
        let accepted = try await moving.value
        #expect(accepted == smallOnes.withLockedValue { $0 })
        #expect(accepted > 0)
      }
    }
    #expect(isSame.withLockedValue { $0 } == [true, true])
  }

  @Test("20 MB to a receiver: the server's side hands over in pieces too")
  func received() async throws {
    let expected = Self.large.encoded()
    try await LoopbackServer.run(.sending(2, Self.large)) { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        let receiver = try await connection.openReceiver(from: "q", credit: 2)
        var received = 0
        for try await delivery in receiver {
          #expect(delivery.payload == expected)
          try delivery.accept()
          received += 1
          if received == 2 { break }
        }
      }
    }
  }
}

extension [UInt8] {
  /// So many bytes of which no two places a piece apart look alike: 251 is prime.
  static func telling(_ count: Int) -> [UInt8] {
    var bytes = (0..<251).map { UInt8($0) }
    while bytes.count < count { bytes += bytes }
    return Array(bytes.prefix(count))
  }
}
