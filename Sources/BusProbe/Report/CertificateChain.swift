// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// The certificates a server shows, good or not: for a vendor to look at. Nothing but the handshake is sent.
public struct CertificateChain: Sendable, Hashable {
  public struct Certificate: Sendable, Hashable, Encodable {
    /// As the server sent it.
    public var pem: String
    /// ISO 8601, UTC.
    public var not_before: String
    public var not_after: String
  }

  /// The server's own first.
  public var certificates: [Certificate]
  /// How the handshake ended.
  public var seen: String

  public init(certificates: [Certificate], seen: String) {
    self.certificates = certificates
    self.seen = seen
  }

  /// Bounded by `timeout` for connecting and again for the handshake.
  public static func look(host: String, port: Int, within timeout: Duration) async -> CertificateChain {
    let shown = NIOLockedValueBox<[Certificate]>([])
    let loop = NIOSingletons.posixEventLoopGroup.any()
    let done = loop.makePromise(of: String.self)
    do {
      let context = try NIOSSLContext(configuration: TLSConfiguration.makeClientConfiguration())
      // Server name indication takes no IP addresses.
      let name = (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
      let channel = try await ClientBootstrap(group: loop).connectTimeout(TimeAmount(timeout)).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = try NIOSSLClientHandler(
            context: context, serverHostname: name,
            // Only to look: nothing is sent on this connection but the handshake.
            customVerificationCallback: { certificates, verdict in
              shown.withLockedValue { $0 = certificates.compactMap(Self.certificate) }
              verdict.succeed(.certificateVerified)
            })
          try channel.pipeline.syncOperations.addHandlers([handler, HandshakeEnd(done)])
        }
      }.connect(host: host, port: port).get()
      let late = loop.scheduleTask(in: TimeAmount(timeout)) { done.succeed("no handshake in time") }
      let seen = try await done.futureResult.get()
      late.cancel()
      channel.close(promise: nil)
      return CertificateChain(certificates: shown.withLockedValue { $0 }, seen: seen)
    } catch {
      done.succeed("")
      return CertificateChain(certificates: [], seen: String(describing: error))
    }
  }

  private static func certificate(_ certificate: NIOSSLCertificate) -> Certificate? {
    guard let bytes = try? certificate.toDERBytes() else { return nil }
    let text = Data(bytes).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
    func time(_ seconds: Int) -> String { Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601) }
    return Certificate(
      pem: "-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n",
      not_before: time(Int(certificate.notValidBefore)), not_after: time(Int(certificate.notValidAfter)))
  }
}

/// Fulfils a promise with words on how a handshake ended.
private final class HandshakeEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let done: EventLoopPromise<String>

  init(_ done: EventLoopPromise<String>) { self.done = done }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSUserEvent, case .handshakeCompleted = event { self.done.succeed("handshake done") }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.done.succeed(String(String(describing: error).prefix(200)))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.done.succeed("the server closed the connection during the handshake")
    context.fireChannelInactive()
  }
}
