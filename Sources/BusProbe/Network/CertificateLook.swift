// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// A TLS handshake for its own sake: nothing but the handshake is sent, never a login.
enum CertificateLook {
  /// What a good handshake showed.
  struct Seen: Sendable {
    var version: String
    /// When the server's certificate ends, in seconds since 1970; nil when it was not to be had.
    var endsAt: Int64?
    var beginsAt: Int64?
  }

  enum Answer: Sendable {
    case good(Seen)
    /// Not verified: why, and the certificate's times as the server showed it.
    case refused(name: Bool, words: String, Seen?)
    case failed(String)
  }

  /// A handshake with full verification; where that fails, a second one that only looks at the certificate and sends
  /// nothing, to say why.
  static func look(
    host: String, port: Int, authorities: [String], within timeout: Duration,
    on group: any EventLoopGroup = NIOSingletons.posixEventLoopGroup
  ) async -> Answer {
    do {
      return .good(try await self.handshake(host, port, authorities, timeout, group, verifies: true))
    } catch let error as NIOSSLExtraError {
      let seen = try? await self.handshake(host, port, authorities, timeout, group, verifies: false)
      return .refused(name: true, words: String(describing: error), seen)
    } catch {
      let words = String(describing: error)
      guard words.contains("CERTIFICATE_VERIFY_FAILED") || words.contains("unableToValidateCertificate") else {
        return .failed(words)
      }
      let seen = try? await self.handshake(host, port, authorities, timeout, group, verifies: false)
      return .refused(name: false, words: "CERTIFICATE_VERIFY_FAILED", seen)
    }
  }

  private static func handshake(
    _ host: String, _ port: Int, _ authorities: [String], _ timeout: Duration, _ group: any EventLoopGroup, verifies: Bool
  ) async throws -> Seen {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    if !authorities.isEmpty {
      tls.trustRoots = .certificates(try authorities.flatMap { try NIOSSLCertificate.fromPEMFile($0) })
    }
    let context = try NIOSSLContext(configuration: tls)
    // Server name indication takes no IP addresses.
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    let name = isAddress ? nil : host
    let loop = group.any()
    let done = loop.makePromise(of: Seen.self)
    let channel: any Channel
    do {
      channel = try await ClientBootstrap(group: loop).connectTimeout(TimeAmount(timeout)).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler =
            verifies
            ? try NIOSSLClientHandler(context: context, serverHostname: name)
            : try NIOSSLClientHandler(
              context: context, serverHostname: name,
              // Only to look: nothing is sent on this connection but the handshake.
              customVerificationCallback: { _, verdict in verdict.succeed(.certificateVerified) })
          try channel.pipeline.syncOperations.addHandlers([handler, HandshakeWatch(handler, done)])
        }
      }.connect(host: host, port: port).get()
    } catch {
      done.fail(error)
      throw error
    }
    let late = loop.scheduleTask(in: TimeAmount(timeout)) { done.fail(ChannelError.connectTimeout(TimeAmount(timeout))) }
    defer {
      late.cancel()
      channel.close(promise: nil)
    }
    return try await done.futureResult.get()
  }
}

/// Fulfils a promise when the handshake is over, one way or the other.
private final class HandshakeWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let tls: NIOSSLClientHandler
  private let done: EventLoopPromise<CertificateLook.Seen>

  init(_ tls: NIOSSLClientHandler, _ done: EventLoopPromise<CertificateLook.Seen>) {
    self.tls = tls
    self.done = done
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
      let certificate = self.tls.peerCertificate
      self.done.succeed(
        CertificateLook.Seen(
          version: self.tls.tlsVersion.map { "\($0)" } ?? "TLS", endsAt: certificate.map { Int64($0.notValidAfter) },
          beginsAt: certificate.map { Int64($0.notValidBefore) }))
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.done.fail(error)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.done.fail(ChannelError.eof)
    context.fireChannelInactive()
  }
}
