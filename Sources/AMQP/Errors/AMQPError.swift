// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// Why an AMQP call did not do what it was asked to.
///
/// ``scope`` tells how far the damage goes, ``origin`` who said so. An error is thrown only when it is certain that
/// nothing was transferred; where that is not certain, the call returns ``AMQPOutcome/unknown(_:)`` instead.
public struct AMQPError: ExplainedError, Hashable {
  /// What kind of failure it is. A struct, so that further codes break nobody's `switch`.
  public struct Code: Sendable, Hashable {
    public let text: String
    /// Whether trying again, unchanged, can help.
    public let isRetriable: Bool

    public static let unreachable = Code(text: "AMQP-101", isRetriable: true)
    public static let unknownHost = Code(text: "AMQP-102", isRetriable: true)
    public static let certificateRefused = Code(text: "AMQP-103", isRetriable: false)
    public static let tlsFailed = Code(text: "AMQP-104", isRetriable: true)
    public static let loginRefused = Code(text: "AMQP-105", isRetriable: false)
    public static let connectTimedOut = Code(text: "AMQP-106", isRetriable: true)
    public static let connectionLost = Code(text: "AMQP-107", isRetriable: true)
    public static let connectionClosedByPeer = Code(text: "AMQP-108", isRetriable: true)
    public static let connectionClosed = Code(text: "AMQP-109", isRetriable: false)
    public static let peerSilent = Code(text: "AMQP-110", isRetriable: true)
    public static let configurationInvalid = Code(text: "AMQP-111", isRetriable: false)
    public static let protocolViolated = Code(text: "AMQP-112", isRetriable: true)
    public static let clientCertificateRequired = Code(text: "AMQP-113", isRetriable: false)
    public static let clientCertificateRefused = Code(text: "AMQP-114", isRetriable: false)
    public static let tlsVersionRefused = Code(text: "AMQP-115", isRetriable: false)
    /// Retriable: something between here and a bus that is down may have answered.
    public static let notTLS = Code(text: "AMQP-116", isRetriable: true)
    public static let mechanismNotOffered = Code(text: "AMQP-117", isRetriable: false)
    public static let credentialsUnavailable = Code(text: "AMQP-118", isRetriable: true)
    public static let loginUnavailable = Code(text: "AMQP-119", isRetriable: true)
    public static let sessionEnded = Code(text: "AMQP-201", isRetriable: true)
    public static let notFound = Code(text: "AMQP-301", isRetriable: false)
    public static let unauthorized = Code(text: "AMQP-302", isRetriable: false)
    public static let linkRefused = Code(text: "AMQP-303", isRetriable: true)
    public static let linkDetached = Code(text: "AMQP-304", isRetriable: true)
    public static let linkClosed = Code(text: "AMQP-305", isRetriable: false)
    public static let attachTimedOut = Code(text: "AMQP-306", isRetriable: true)
    public static let linkStolen = Code(text: "AMQP-307", isRetriable: false)
    public static let linkStalled = Code(text: "AMQP-308", isRetriable: true)
    public static let linkQuiet = Code(text: "AMQP-309", isRetriable: true)
    public static let drainTimedOut = Code(text: "AMQP-310", isRetriable: true)
    public static let drainNotSupported = Code(text: "AMQP-311", isRetriable: false)
    public static let tooManyLinks = Code(text: "AMQP-312", isRetriable: true)
    public static let addressFormRefused = Code(text: "AMQP-313", isRetriable: false)
    public static let noCredit = Code(text: "AMQP-401", isRetriable: true)
    public static let messageTooLarge = Code(text: "AMQP-402", isRetriable: false)
    public static let messageMalformed = Code(text: "AMQP-403", isRetriable: false)
    public static let settlementLost = Code(text: "AMQP-404", isRetriable: false)
    public static let cancelled = Code(text: "AMQP-405", isRetriable: true)
    public static let deliveryWithdrawn = Code(text: "AMQP-406", isRetriable: false)
    public static let bodyIncomplete = Code(text: "AMQP-407", isRetriable: true)
    public static let bodyAborted = Code(text: "AMQP-408", isRetriable: false)
    public static let messageNotSendable = Code(text: "AMQP-409", isRetriable: false)
    public static let sendTooSlow = Code(text: "AMQP-410", isRetriable: true)

    /// Every code there is; docs/error-codes.md lists the same.
    public static let all: [Code] = [
      .unreachable, .unknownHost, .certificateRefused, .tlsFailed, .loginRefused, .connectTimedOut, .connectionLost,
      .connectionClosedByPeer, .connectionClosed, .peerSilent, .configurationInvalid, .protocolViolated,
      .clientCertificateRequired, .clientCertificateRefused, .tlsVersionRefused, .notTLS, .mechanismNotOffered,
      .credentialsUnavailable, .loginUnavailable, .sessionEnded, .notFound, .unauthorized, .linkRefused, .linkDetached,
      .linkClosed, .attachTimedOut, .linkStolen, .linkStalled, .linkQuiet, .drainTimedOut, .drainNotSupported, .tooManyLinks,
      .addressFormRefused, .noCredit, .messageTooLarge,
      .messageMalformed, .settlementLost, .cancelled, .deliveryWithdrawn, .bodyIncomplete, .bodyAborted, .messageNotSendable,
      .sendTooSlow,
    ]
  }

  /// How far it goes: a delivery, its link, the session with all its links, the connection with all of that.
  public enum Scope: String, Sendable, Hashable { case connection, session, link, delivery }

  /// Who found it: this side, or the peer.
  public enum Origin: String, Sendable, Hashable { case local, remote }

  public var code: Code
  public var scope: Scope
  public var origin: Origin
  /// The peer's own words, where it had any.
  public var condition: AMQPCondition?
  /// What was being done: "attach a sender to /queues/q on localhost:5672".
  public var tried: String
  /// What was seen, when it is not the condition.
  public var seen: String
  /// What is wrong with the server's certificate, where the code is `certificateRefused`.
  public var certificateProblem: AMQPCertificateProblem?
  /// How far the opening of the connection had come, where that is what failed.
  public var opening: Opening?

  /// How far the opening of a connection came.
  public struct Opening: Sendable, Hashable {
    /// The SASL mechanisms that the server offered, in its order; empty when it had not said.
    public var offeredMechanisms: [String]
    /// Whether the login was taken; what failed came after it.
    public var isLoggedIn: Bool
    /// The first bytes that the server said, inside TLS where there is any, at most 64: they tell what it speaks instead of AMQP 1.0. Empty
    /// when it said none, or was logged in to.
    public var firstBytes: [UInt8]

    public init(offeredMechanisms: [String], isLoggedIn: Bool, firstBytes: [UInt8] = []) {
      self.offeredMechanisms = offeredMechanisms
      self.isLoggedIn = isLoggedIn
      self.firstBytes = firstBytes
    }
  }

  public init(_ code: Code, _ scope: Scope, _ origin: Origin, condition: AMQPCondition? = nil, tried: String, seen: String) {
    self.code = code
    self.scope = scope
    self.origin = origin
    self.condition = condition
    self.tried = tried
    self.seen = seen
  }

  /// The server's certificate is not what it must be.
  init(_ problem: AMQPCertificateProblem, tried: String) {
    self.init(.certificateRefused, .connection, .local, tried: tried, seen: problem.seen)
    self.certificateProblem = problem
  }

  /// Whether trying again, unchanged, can help. A certificate that has run out can: the bus gets a new one, and nobody should
  /// have to start its clients again then.
  public var isRetriable: Bool { self.code.isRetriable || self.certificateProblem?.passesWithTime ?? false }

  public var stableCode: String { self.code.text }
}
