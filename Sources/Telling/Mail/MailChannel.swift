// SPDX-License-Identifier: Apache-2.0

import Crypto
import Disclosure
import Migration
import MigrationEngine
import NIOCore
import NIOPosix
import NIOSSL

/// Tells people by mail over an SMTP relay. What waits is told in one mail: after a night without a relay nobody gets three hundred.
public struct MailChannel: TellingChannel {
  /// How the way to the relay is kept from others.
  public enum Protection: String, Sendable, Hashable, CaseIterable {
    /// TLS from the first byte (usually port 465).
    case implicit
    /// TLS after STARTTLS, insisted on (usually port 587).
    case startTLS = "starttls"
    /// None. Only to this machine itself.
    case none
  }

  public struct Relay: Sendable, Hashable {
    public var host: String
    public var port: Int
    public var protection: Protection
    public var user: String?
    public var password: Secret?
    /// PEM files of authorities to trust besides the system's.
    public var authorities: [String]

    public init(
      host: String, port: Int, protection: Protection, user: String? = nil, password: Secret? = nil, authorities: [String] = []
    ) {
      self.host = host
      self.port = port
      self.protection = protection
      self.user = user
      self.password = password
      self.authorities = authorities
    }

    /// Whether the relay is this machine, where nobody listens in between.
    public var isLocal: Bool { ["localhost", "127.0.0.1", "::1"].contains(self.host) }
  }

  public var name: String
  public var relay: Relay
  public var from: String
  public var to: [String]
  public var lowest: StandingCondition.Weight
  public var timeout: TimeSpan
  /// How we name ourselves to the relay, and in the mails' ids.
  public var host: String
  private let clock: any MigrationClock

  public var mostAtOnce: Int { 50 }

  public init(
    name: String, relay: Relay, from: String, to: [String], lowest: StandingCondition.Weight = .person,
    timeout: TimeSpan = .seconds(60), host: String, clock: any MigrationClock
  ) {
    self.name = name
    self.relay = relay
    self.from = from
    self.to = to
    self.lowest = lowest
    self.timeout = timeout
    self.host = host
    self.clock = clock
  }

  /// An address that can stand between < and > as it is.
  public static func isAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !Array("<>()[],;:\\\"".utf8).contains($0) }
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && isPlain && text.utf8.count <= 254
  }

  public func tell(_ messages: [TellingMessage]) async throws(TellingFailure) {
    let mail = self.mail(messages)
    let login = self.relay.user.flatMap { user in self.relay.password.map { SMTPConversation.Login(user: user, password: $0) } }
    let protection: SMTPConversation.Protection =
      switch self.relay.protection {
      case .implicit: .implicit
      case .startTLS: .startTLS
      case .none: .none
      }
    let conversation = SMTPConversation(
      protection: protection, login: login, from: self.from, recipients: self.to, mail: mail.bytes, host: self.host)
    let result: Result<Void, TellingFailure>
    do { result = try await self.hold(conversation) } catch let failure as TellingFailure { throw failure } catch {
      throw TellingFailure(error is NIOConnectionError ? "nothing answers there" : "\(type(of: error))")
    }
    try result.get()
  }

  func mail(_ messages: [TellingMessage]) -> MailText {
    let first = messages[0]
    let subject = messages.count == 1 ? first.headline : "\(first.headline) (and \(messages.count - 1) more)"
    let rule = "\n" + String(repeating: "-", count: 72) + "\n"
    let ids = messages.map(\.id).joined(separator: ",")
    let id = SHA256.hash(data: Array(ids.utf8)).prefix(12).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return MailText(
      from: self.from, to: self.to, subject: subject, text: messages.map(\.text).joined(separator: rule), at: self.clock.now,
      id: id,
      host: self.host)
  }

  private func hold(_ conversation: SMTPConversation) async throws -> Result<Void, TellingFailure> {
    let context = try self.tls()
    // A number is no name that a certificate could be asked for.
    let isNumber = (try? SocketAddress(ipAddress: self.relay.host, port: 0)) != nil
    let serverName = isNumber ? nil : self.relay.host
    let isImplicit = self.relay.protection == .implicit
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let outcome = loop.makePromise(of: Result<Void, TellingFailure>.self)
    let channel: any Channel
    do {
      channel = try await ClientBootstrap(group: loop).connectTimeout(.seconds(10))
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            if isImplicit, let context {
              try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: serverName))
            }
            try channel.pipeline.syncOperations.addHandler(
              SMTPHandler(conversation, tls: context, serverName: serverName, outcome: outcome))
          }
        }
        .connect(host: self.relay.host, port: self.relay.port).get()
    } catch {
      outcome.succeed(.failure(TellingFailure("")))
      throw error
    }
    let limit = loop.scheduleTask(in: .milliseconds(self.timeout.milliseconds)) {
      outcome.succeed(.failure(TellingFailure("the mail server had not taken it in \(self.timeout)")))
    }
    return await withTaskCancellationHandler {
      let result = (try? await outcome.futureResult.get()) ?? .failure(TellingFailure("the connection was closed"))
      limit.cancel()
      try? await channel.close()
      return result
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  private func tls() throws -> NIOSSLContext? {
    guard self.relay.protection != .none else { return nil }
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.additionalTrustRoots = self.relay.authorities.map { .file($0) }
    return try NIOSSLContext(configuration: configuration)
  }
}
