// SPDX-License-Identifier: Apache-2.0

/// How one connection or link of an ``AMQPClient`` is.
public struct AMQPClientState: Sendable, Hashable {
  /// Which connection or link it is of.
  public enum Subject: Sendable, Hashable, CustomStringConvertible {
    case connection(AMQPConnectionUse)
    case sender(String)
    /// `number` tells receivers of one address apart.
    case receiver(String, number: UInt64)
    /// The links of requests to a node.
    case requests(String)

    /// The address of a link; empty for a connection.
    public var address: String {
      switch self {
      case .connection: ""
      case .sender(let address), .receiver(let address, _), .requests(let address): address
      }
    }

    public var description: String {
      switch self {
      case .connection(let use): "\(use.rawValue) connection"
      case .sender(let address): "sender to \(address)"
      case .receiver(let address, _): "receiver from \(address)"
      case .requests(let node): "requests to \(node)"
      }
    }
  }

  public enum Phase: String, Sendable, Hashable {
    /// Being connected or attached.
    case connecting
    /// It stands.
    case open
    /// Lost or refused; tried again after the wait.
    case waiting
    /// For good: trying again cannot mend it, or it is no longer wanted.
    case ended
  }

  public var subject: Subject
  public var phase: Phase
  /// What is being made anew.
  public var tier: AMQPRecoveryTier
  /// Why it does not stand, or was last lost; nil when nothing has gone wrong since it stood for a stable while.
  public var cause: AMQPError?
  /// 1 for the first try.
  public var attempt: Int
  /// How long until the next try, counted from when this was told.
  public var nextAttemptIn: Duration?
  /// The peer of an open connection.
  public var peer: AMQPPeer?

  public init(
    subject: Subject, phase: Phase, tier: AMQPRecoveryTier, cause: AMQPError? = nil, attempt: Int = 1,
    nextAttemptIn: Duration? = nil, peer: AMQPPeer? = nil
  ) {
    self.subject = subject
    self.phase = phase
    self.tier = tier
    self.cause = cause
    self.attempt = attempt
    self.nextAttemptIn = nextAttemptIn
    self.peer = peer
  }

  /// In one sentence, without content or secret.
  public var sentence: String {
    let reason = self.cause.map { "\($0.condition?.description ?? $0.seen) (\($0.stableCode))" }
    switch self.phase {
    case .connecting: return "\(self.subject): connecting, attempt \(self.attempt)\(reason.map { " after: \($0)" } ?? "")"
    case .open: return "\(self.subject): open"
    case .waiting:
      let wait = self.nextAttemptIn.map { ", next attempt in \($0.milliseconds) ms" } ?? ""
      return "\(self.subject): \(reason ?? "lost")\(wait)"
    case .ended: return "\(self.subject): ended\(reason.map { ": \($0)" } ?? "")"
    }
  }
}
