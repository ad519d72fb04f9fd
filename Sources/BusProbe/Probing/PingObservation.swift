// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure

/// All that one ping showed, before it is judged: what ``PingJudgement`` turns into steps and a verdict.
public struct PingObservation: Sendable, Hashable {
  /// What became of a message that was to be sent.
  public enum Sending: Sendable, Hashable {
    case outcome(AMQPOutcome)
    /// The link was refused, or the message did not leave.
    case notSent(AMQPError)
    case notTried
  }

  public enum Echo: Sendable, Hashable {
    case came(PingEcho)
    case noneInTime(Duration)
    /// No reply queue is configured on this bus.
    case noReplyQueue
    case notListening(AMQPError)
    /// The daemon hands over no echoes now. Our own receiver was not opened: the reply queue is shared with others, or there is none.
    case daemonUnable(EchoError, isShared: Bool)
    /// The ping was sent, and the wait for its echo was cut: it may have come.
    case lost(EchoError)
    /// The ping was not taken, so no echo can come.
    case notAwaited
  }

  /// Why nothing was sent.
  public enum ReasonNotSent: Sendable, Hashable {
    /// The caller asked for no ping.
    case notWanted
    /// The configuration is for production, and the caller has not asked for a ping.
    case notAllowed
    /// The party was pinged a moment ago by somebody, or it could not be found out whether it was.
    case pingedLately(ProbeValue)
    /// Nobody listens, and what expires is moved to the dead letters, where it would lie for good.
    case wouldStay(exchange: String)
    /// The queue is full, and would drop its oldest message for the ping.
    case wouldPushOut(QueueSettings)
  }

  public var dialect: Dialect
  /// The address that was attached to, in the bus's own form.
  public var linkAddress: String
  public var messageID: String
  /// Nil while the attach was good.
  public var attachFailure: AMQPError?
  public var attachMilliseconds: Double?
  public var ping = Sending.notTried
  /// Counts where `ping` is `notTried`.
  public var reasonNotSent = ReasonNotSent.notWanted
  /// The limit for attach and outcome, each.
  public var timeout: Duration = .seconds(15)
  /// The virtual host that was asked for; nil for the bus's own.
  public var virtualHost: String?
  /// How many sessions the bus allows on the connection.
  public var sessions: Int?
  /// The size of the ping as it was sent.
  public var messageBytes: Int?
  public var pingMilliseconds: Double?
  public var control = Sending.notTried
  public var controlMilliseconds: Double?
  public var echo = Echo.notAwaited
  /// Who read the reply queue, where an echo was waited for.
  public var echoReader = EchoReader.ourselves
  public var echoMilliseconds: Double?
  /// Where it is kept who was pinged when; nil for nowhere.
  public var rationPlace: PingRationPlace?
  public var before: DepthReading?
  public var after: DepthReading?

  public init(dialect: Dialect, linkAddress: String, messageID: String) {
    self.dialect = dialect
    self.linkAddress = linkAddress
    self.messageID = messageID
  }
}
