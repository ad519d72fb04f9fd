// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Disclosure

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
    let settings = ProtonEngine.Settings(containerID: "raw")
    let handler = try await eventLoop.submit {
      NIOLoopBound(EngineHandler(engine: ProtonEngine(settings), owner: Owner()), eventLoop: eventLoop)
    }.get()
    let entered = eventLoop.makePromise(of: Void.self)
    let channel = try await ClientBootstrap(group: eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let login = ClientLoginHandler(
            .plain(user: "guest", password: Secret("guest")), hostname: "127.0.0.1", tls: nil,
            failure: TLSFailure(host: "", hasIdentity: false, now: 0), tried: "log in"
          ) { result, context in
            switch result {
            case .success:
              entered.completeWith(Result { try context.pipeline.syncOperations.addHandler(handler.value) })
            case .failure(let error): entered.fail(error)
            }
          }
          try channel.pipeline.syncOperations.addHandler(login)
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    try await entered.futureResult.get()
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
