// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import Testing

@testable import AMQP

@Suite("The socket is closed when both sides have said Close")
struct OrderlyEndTests {
  private final class Owner: EngineOwner {
    var isGone = false
    weak var handler: EngineHandler?
    func handle(_ event: EngineEvent) { if case .transportClosed = event { self.handler?.closeChannel() } }
    func becameWritable() {}
    func channelClosed(_ error: (any Error)?) { self.isGone = true }
  }

  /// A client on a channel, opened, and the server it talks to, bytes carried by hand.
  private struct Pair {
    let channel = EmbeddedChannel()
    let owner = Owner()
    let client = ProtonEngine(ProtonEngine.Settings(containerID: "client"))
    let server: ProtonEngine
    let handler: EngineHandler

    init() throws {
      var settings = ProtonEngine.Settings(containerID: "server")
      settings.isServer = true
      self.server = ProtonEngine(settings)
      self.handler = EngineHandler(engine: self.client, owner: self.owner)
      self.owner.handler = self.handler
      try self.channel.pipeline.syncOperations.addHandler(self.handler)
      try self.channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
      self.client.openConnection()
      self.server.openConnection()
      self.handler.pump()
      for _ in 0..<4 {
        try self.toServer()
        try self.toClient()
      }
    }

    /// The handler and its channel hold each other until the channel is finished.
    func finish() { _ = try? self.channel.finish(acceptAlreadyClosed: true) }

    /// What the client has written, read by the server.
    func toServer() throws {
      while var bytes = try self.channel.readOutbound(as: ByteBuffer.self) { self.server.receive(&bytes) }
      while self.server.nextEvent() != nil {}
    }

    /// What the server has to say, read by the client.
    func toClient() throws {
      var bytes = ByteBuffer()
      self.server.takeOutput(into: &bytes)
      if bytes.readableBytes > 0 { try self.channel.writeInbound(bytes) }
    }
  }

  @Test("we close first: the socket stays until the peer's Close has come")
  func weFirst() throws {
    let pair = try Pair()
    defer { pair.finish() }
    pair.client.closeConnection()
    pair.handler.pump()
    #expect(pair.client.isWriteClosed)
    #expect(pair.channel.isActive, "closed before the peer could answer")
    try pair.toServer()
    pair.server.closeConnection()
    try pair.toClient()
    #expect(!pair.channel.isActive)
    #expect(pair.owner.isGone)
  }

  @Test("the peer closes first: our Close is out before the socket is closed")
  func peerFirst() throws {
    let pair = try Pair()
    defer { pair.finish() }
    pair.server.closeConnection()
    try pair.toClient()
    pair.client.closeConnection()
    pair.handler.pump()
    try pair.toServer()
    #expect(pair.server.isReadClosed, "our Close came")
    #expect(!pair.channel.isActive)
  }

  @Test("a peer that never answers does not hold the socket")
  func neverAnswered() throws {
    let pair = try Pair()
    defer { pair.finish() }
    pair.client.closeConnection()
    pair.handler.pump()
    pair.channel.embeddedEventLoop.advanceTime(by: .seconds(9))
    #expect(pair.channel.isActive)
    pair.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(!pair.channel.isActive)
    #expect(pair.owner.isGone)
  }
}
