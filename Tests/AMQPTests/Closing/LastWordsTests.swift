// SPDX-License-Identifier: Apache-2.0

import Dispatch
import NIOCore
import NIOPosix
import Testing

@testable import AMQP

/// A settlement without an outcome is read by some buses as one. What a link held when it went is the bus's again, and nothing is to
/// be said of it any more.
@Suite("What is said last on links, sessions and connections that end")
struct LastWordsTests {
  /// A client that receives on `link` and holds three deliveries of a server that sent them.
  private struct Held {
    let pair = EnginePair()
    let session: SessionID
    let link: LinkID
    let serverLink: LinkID
    let deliveries: [DeliveryID]

    init() throws {
      self.session = self.pair.client.beginSession()
      self.link = try #require(
        self.pair.client.attach(.receiver, session: self.session, name: "l", source: "q", target: nil))
      self.pair.run()
      self.pair.client.grant(3, on: self.link)
      self.pair.run()
      self.serverLink = try #require(self.pair.serverLink)
      for number in 0..<3 { _ = self.pair.server.transfer([UInt8(number)], on: self.serverLink) }
      self.pair.run()
      self.deliveries = self.pair.clientEvents.compactMap {
        if case .delivered(_, let transfer) = $0 { transfer.delivery } else { nil }
      }
    }

    /// The performatives that a side wrote from its `from`th frame on, and whether a disposition among them has no state.
    func said(by frames: [AMQPFrame], from: Int) -> (codes: [UInt64], isMute: Bool) {
      var codes: [UInt64] = []
      var isMute = false
      for case .performative(_, _, let code, let fields, _) in frames.dropFirst(from) {
        codes.append(code)
        if code == AMQPFrame.Code.disposition, fields.count < 5 || fields[4] == .null { isMute = true }
      }
      return (codes, isMute)
    }
  }

  @Test("a peer's empty Detach: our Detach, and not a word of the deliveries", arguments: [false, true])
  func peerDetaches(_ isSettledLater: Bool) throws {
    let held = try Held()
    #expect(held.deliveries.count == 3)
    #expect(held.pair.client.settle(held.deliveries[0], .accepted))
    held.pair.run()
    let before = held.pair.clientFrames.count
    let serverBefore = held.pair.serverFrames.count
    held.pair.server.detach(held.serverLink)
    held.pair.run()
    if isSettledLater { #expect(!held.pair.client.settle(held.deliveries[1], .accepted), "it is too late") }
    held.pair.run()
    #expect(held.said(by: held.pair.clientFrames, from: before).codes == [AMQPFrame.Code.detach])
    #expect(held.said(by: held.pair.serverFrames, from: serverBefore).codes == [AMQPFrame.Code.detach])
    // The session serves on; when it ends, nothing is said either.
    let again = try #require(held.pair.client.attach(.sender, session: held.session, name: "s", source: nil, target: "q"))
    held.pair.run()
    #expect(held.pair.client.credit(of: again) == 10)
    held.pair.client.endSession(held.session)
    held.pair.run()
    let said = held.said(by: held.pair.clientFrames, from: before)
    #expect(said.codes == [AMQPFrame.Code.detach, AMQPFrame.Code.attach, AMQPFrame.Code.end])
    #expect(!held.said(by: held.pair.serverFrames, from: serverBefore).isMute)
  }

  @Test("our own Detach with deliveries that nobody settled")
  func weDetach() throws {
    let held = try Held()
    let before = held.pair.clientFrames.count
    held.pair.client.startDetach(held.link)
    held.pair.run()
    #expect(held.said(by: held.pair.clientFrames, from: before).codes == [AMQPFrame.Code.detach])
    let other = try Held()
    let otherBefore = other.pair.clientFrames.count
    other.pair.client.detach(other.link)
    other.pair.run()
    #expect(other.said(by: other.pair.clientFrames, from: otherBefore).codes == [AMQPFrame.Code.detach])
  }

  @Test("the peer ends the session, or we do: End, and nothing before or after it", arguments: [false, true])
  func sessionEnds(_ byPeer: Bool) throws {
    let held = try Held()
    let before = held.pair.clientFrames.count
    if byPeer {
      for case .sessionBegunByPeer(let session) in held.pair.serverEvents { held.pair.server.endSession(session) }
      held.pair.run()
      held.pair.client.endSession(held.session)
    } else {
      held.pair.client.startEnd(held.session)
    }
    held.pair.run()
    #expect(held.said(by: held.pair.clientFrames, from: before).codes == [AMQPFrame.Code.end])
  }

  @Test("a session on which many links left something serves no more")
  func spent() throws {
    let pair = EnginePair()
    let session = pair.client.beginSession()
    for number in 0..<8 {
      #expect(!pair.client.isSpent(session))
      let link = try #require(pair.client.attach(.receiver, session: session, name: "l\(number)", source: "q", target: nil))
      pair.run()
      pair.client.grant(1, on: link)
      pair.run()
      _ = pair.server.transfer([1], on: try #require(pair.lastServerLink))
      pair.run()
      pair.client.startDetach(link)
      pair.run()
    }
    #expect(pair.client.isSpent(session))
  }

  /// The command to close and its limit come to the loop while it is busy, and are both due when it runs again.
  @Test("a loop that was busy for longer than the limit writes Close before it cuts")
  func busyLoop() async throws {
    try await PlayedBusHandle.run { bus in
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      var configuration = bus.connection
      // A heartbeat that comes meanwhile and is not read would make a reset of the cut, and resets overtake what was written.
      configuration.idleTimeout = .seconds(86_400)
      let connection = try await AMQPConnection.open(configuration, on: group)
      let gate = DispatchSemaphore(value: 0)
      let isBusy = OneShot<Void>()
      group.next().execute {
        isBusy.fulfil(())
        gate.wait()
      }
      try await isBusy.wait()
      // Runs as far as it can before this goes on.
      let closing = Task.immediate { await connection.close(within: .zero) }
      gate.signal()
      await closing.value
      let sight = try await bus.see { $0.connections == 0 && $0.connectionsEver == 1 }
      #expect(sight.closedInOrder == 1)
      try await group.shutdownGracefully()
    }
  }
}
