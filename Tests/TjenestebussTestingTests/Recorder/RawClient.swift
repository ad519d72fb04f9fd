// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

@testable import AMQP

/// Proton under a channel with nothing of ours above it: does what it is told, right or wrong.
final class RawClient: Sendable {
  private final class Owner: EngineOwner {
    func handle(_ event: EngineEvent) {}
    func becameWritable() {}
    func channelClosed(_ error: (any Error)?) {}
  }

  private let channel: any Channel
  private let handler: NIOLoopBound<EngineHandler>
  private let attached = NIOLockedValueBox<LinkID?>(nil)

  private init(channel: any Channel, handler: NIOLoopBound<EngineHandler>) {
    self.channel = channel
    self.handler = handler
  }

  static func connect(port: Int) async throws -> RawClient {
    let eventLoop = NIOSingletons.posixEventLoopGroup.any()
    var settings = ProtonEngine.Settings(containerID: "raw")
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
  func attach(credit: Int) async throws {
    let handler = self.handler
    let link = try await self.channel.eventLoop.submit {
      let engine = handler.value.engine
      engine.openConnection()
      let session = engine.beginSession()
      let link = engine.attach(.receiver, session: session, name: "l", source: "/queues/q", target: "t")
      if let link, credit > 0 { engine.grant(credit, on: link) }
      handler.value.pump()
      return link
    }.get()
    self.attached.withLockedValue { $0 = link }
  }

  /// Grants credit and asks for what is not used at once to be given back.
  func drain(_ credit: Int) async throws {
    let handler = self.handler
    let link = self.attached.withLockedValue { $0 }
    try await self.channel.eventLoop.submit {
      guard let link else { return }
      handler.value.engine.grant(credit, on: link)
      handler.value.engine.drain(link)
      handler.value.pump()
    }.get()
  }

  func close() async throws { try await self.channel.close() }
}
