// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

@testable import AMQP

/// Proton under a channel with nothing of ours above it: does what it is told, right or wrong.
struct RawClient: Sendable {
  private final class Owner: EngineOwner {
    func handle(_ event: EngineEvent) {}
    func becameWritable() {}
    func channelClosed(_ error: (any Error)?) {}
  }

  private let channel: any Channel
  private let handler: NIOLoopBound<EngineHandler>

  static func connect(port: Int, _ settings: ProtonEngine.Settings) async throws -> RawClient {
    let eventLoop = NIOSingletons.posixEventLoopGroup.any()
    var settings = settings
    settings.login = .plain(user: "guest", password: "guest")
    let engine = settings
    let handler = try await eventLoop.submit {
      NIOLoopBound(EngineHandler(engine: ProtonEngine(engine), owner: Owner()), eventLoop: eventLoop)
    }.get()
    let channel = try await ClientBootstrap(group: eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return RawClient(channel: channel, handler: handler)
  }

  /// Opens, begins, attaches a receiver and grants credit without waiting for any answer.
  func attachAndGrant() async throws {
    let handler = self.handler
    try await self.channel.eventLoop.submit {
      let engine = handler.value.engine
      engine.openConnection()
      let session = engine.beginSession()
      if let link = engine.attach(.receiver, session: session, name: "l", source: "/queues/q", target: "t") {
        engine.grant(10, on: link)
      }
      handler.value.pump()
    }.get()
  }

  func close() async throws { try await self.channel.close() }
}
