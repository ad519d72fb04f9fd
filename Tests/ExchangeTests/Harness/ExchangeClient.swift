// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import TjenestebussTesting

@testable import AMQP

/// A TCP connection that writes whatever frames it is told to, right or wrong, and reads whatever comes.
final class ExchangeClient: Sendable {
  enum Arrival: Sendable {
    case frame(AMQPFrame)
    case end
  }

  private struct Inbox {
    var arrivals: [Arrival] = []
    var waiter: OneShot<Void>?
  }

  private let channel: any Channel
  private let inbox: NIOLockedValueBox<Inbox>
  let localPort: Int

  private init(channel: any Channel, inbox: NIOLockedValueBox<Inbox>) {
    self.channel = channel
    self.inbox = inbox
    self.localPort = channel.localAddress?.port ?? 0
  }

  static func connect(host: String, port: Int, tls: NIOSSLContext? = nil) async throws -> ExchangeClient {
    let inbox = NIOLockedValueBox(Inbox())
    let channel = try await ClientBootstrap(group: NIOSingletons.posixEventLoopGroup)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
          }
          try channel.pipeline.syncOperations.addHandler(Reader(inbox: inbox))
        }
      }
      .connect(host: host, port: port).get()
    return ExchangeClient(channel: channel, inbox: inbox)
  }

  func write(_ bytes: [UInt8]) { self.channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

  func close() async { try? await self.channel.close() }

  /// Waits until there is something to read, or the time is over.
  func waitForArrival(within limit: Duration) async throws -> Bool {
    let ready = OneShot<Void>()
    let isThere = self.inbox.withLockedValue { inbox in
      if inbox.arrivals.isEmpty { inbox.waiter = ready }
      return !inbox.arrivals.isEmpty
    }
    if isThere { return true }
    let timer = self.channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { ready.fulfil(()) }
    defer { timer.cancel() }
    try await ready.wait()
    return self.inbox.withLockedValue { !$0.arrivals.isEmpty }
  }

  /// The next thing that came; nil when nothing came in time.
  func next(within limit: Duration) async throws -> Arrival? {
    guard try await self.waitForArrival(within: limit) else { return nil }
    return self.inbox.withLockedValue { inbox in
      guard let first = inbox.arrivals.first else { return nil }
      // The end stays: whoever asks again is told again.
      if case .frame = first { inbox.arrivals.removeFirst() }
      return first
    }
  }

  private final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let inbox: NIOLockedValueBox<Inbox>
    private var cutter = FrameCutter()

    init(inbox: NIOLockedValueBox<Inbox>) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      self.cutter.append(self.unwrapInboundIn(data))
      do throws(AMQPDecodingError) {
        while let cut = try self.cutter.next() { self.tell(.frame(cut.frame)) }
      } catch {
        context.close(promise: nil)
      }
    }

    func channelInactive(context: ChannelHandlerContext) { self.tell(.end) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func tell(_ arrival: Arrival) {
      let waiter = self.inbox.withLockedValue { inbox in
        inbox.arrivals.append(arrival)
        defer { inbox.waiter = nil }
        return inbox.waiter
      }
      waiter?.fulfil(())
    }
  }
}
