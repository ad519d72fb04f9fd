// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// A TLS handshake for its own sake: nothing but the handshake is sent, never a login.
enum CertificateLook {
  /// What a good handshake showed.
  struct Seen: Sendable, Hashable {
    var version: String
    var cipher: String?
    /// The server's certificate; nil when it could not be read.
    var certificate: CertificateFacts?
  }

  enum Answer: Sendable, Hashable {
    case good(Seen)
    /// A handshake that failed, and what was in the clear of it.
    case failed(AMQPError, HandshakeWatch)
    /// TCP came up, and no end of the handshake came in time.
    case silent
  }

  /// A handshake with full verification, by a copy of what the connection itself does later.
  static func look(
    host: String, port: Int, authorities: [String], within timeout: Duration,
    on group: any EventLoopGroup = NIOSingletons.posixEventLoopGroup
  ) async -> Answer {
    let loop = group.any()
    let done = loop.makePromise(of: Answer.self)
    let tried = "look at the certificate of \(host):\(port)"
    func failed(_ code: AMQPError.Code, _ error: any Error) -> Answer {
      .failed(AMQPError(code, .connection, .local, tried: tried, seen: String(describing: error)), HandshakeWatch())
    }
    let context: NIOSSLContext
    do {
      // Reads files, so not on a thread that others wait for.
      context = try await NIOSingletons.posixBlockingThreadPool.runIfActive { try Self.context(authorities) }
    } catch {
      done.succeed(.silent)
      return failed(.configurationInvalid, error)
    }
    let channel: any Channel
    do {
      channel = try await ClientBootstrap(group: loop).connectTimeout(TimeAmount(timeout)).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          // Server name indication takes no IP addresses.
          let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
          let tls = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
          let clear = ClearTextHandler()
          let end = HandshakeEndHandler(tls, clear, TLSFailure(host: host, hasIdentity: false, now: 0), tried, done)
          try channel.pipeline.syncOperations.addHandlers([clear, tls, end])
        }
      }.connect(host: host, port: port).get()
    } catch {
      done.succeed(.silent)
      return failed(.connectionLost, error)
    }
    let late = loop.scheduleTask(in: TimeAmount(timeout)) { done.succeed(.silent) }
    defer {
      late.cancel()
      channel.close(promise: nil)
    }
    return (try? await done.futureResult.get()) ?? .silent
  }

  private static func context(_ authorities: [String]) throws -> NIOSSLContext {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    if !authorities.isEmpty {
      tls.trustRoots = .certificates(try authorities.flatMap { try NIOSSLCertificate.fromPEMFile($0) })
    }
    return try NIOSSLContext(configuration: tls)
  }
}

/// Reads along before TLS does.
private final class ClearTextHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  var watch = HandshakeWatch()

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.watch.receive(self.unwrapInboundIn(data).readableBytesView)
    context.fireChannelRead(data)
  }
}

/// Fulfils a promise when the handshake is over, one way or the other.
private final class HandshakeEndHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let tls: NIOSSLClientHandler
  private let clear: ClearTextHandler
  private var failure: TLSFailure
  private let tried: String
  private let done: EventLoopPromise<CertificateLook.Answer>

  init(
    _ tls: NIOSSLClientHandler, _ clear: ClearTextHandler, _ failure: TLSFailure, _ tried: String,
    _ done: EventLoopPromise<CertificateLook.Answer>
  ) {
    self.tls = tls
    self.clear = clear
    self.failure = failure
    self.tried = tried
    self.done = done
  }

  private var certificate: CertificateFacts? {
    self.tls.peerCertificate.flatMap {
      guard let bytes = try? $0.toDERBytes() else { return nil }
      return CertificateFacts(der: bytes, beginsAt: Int64($0.notValidBefore), endsAt: Int64($0.notValidAfter))
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
      let version =
        switch self.tls.tlsVersion {
        case .tlsv12?: "TLS 1.2"
        case .tlsv13?: "TLS 1.3"
        case let other?: "\(other)"
        case nil: "TLS"
        }
      self.done.succeed(
        .good(.init(version: version, cipher: self.clear.watch.cipherName, certificate: self.certificate)))
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.failure.certificate = self.certificate
    self.failure.now = CertificateTime.now()
    self.done.succeed(
      .failed(
        self.failure.error(error, tried: self.tried)
          ?? AMQPError(.connectionLost, .connection, .remote, tried: self.tried, seen: String(describing: error)),
        self.clear.watch))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.done.succeed(
      .failed(
        AMQPError(.connectionLost, .connection, .remote, tried: self.tried, seen: "the connection was closed"), self.clear.watch))
    context.fireChannelInactive()
  }
}
