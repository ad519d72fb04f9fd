// SPDX-License-Identifier: Apache-2.0

/// How long to wait before trying again: full jitter, so that many clients of a restarted bus do not come back in step.
/// Each wait is drawn evenly from zero to a bound that doubles with every failure.
public struct AMQPBackOff: Sendable, Hashable {
  /// The bound of the first wait.
  public var initial: Duration
  /// The bound of every wait.
  public var maximum: Duration
  /// What stood this long counts as good: the next failure starts from ``initial`` again.
  public var stableAfter: Duration

  /// Defaults: 200 ms, 30 s, 10 s.
  public init(
    initial: Duration = .milliseconds(200), maximum: Duration = .seconds(30), stableAfter: Duration = .seconds(10)
  ) {
    self.initial = initial
    self.maximum = maximum
    self.stableAfter = stableAfter
  }

  /// The bound of the wait after so many failures in a row before this one.
  func bound(afterFailures count: Int) -> Duration { min(self.initial * (1 << min(max(count, 0), 16)), self.maximum) }
}

/// What is made anew after a failure.
public enum AMQPRecoveryTier: Int, Sendable, Hashable, Comparable, CaseIterable {
  /// The link is attached again, on a session that may have served before.
  case link
  /// The link is attached again, on a session begun for it.
  case session
  /// The connection is made again, and the link on it.
  case connection

  public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }

  /// As metrics have it.
  var name: String {
    switch self {
    case .link: "link"
    case .session: "session"
    case .connection: "connection"
    }
  }
}

/// How links, sessions and connections come back.
public struct AMQPRecoveryPolicy: Sendable, Hashable {
  /// Waits before a link is attached again. Default 200 ms to 30 s, stable after 10 s.
  public var link: AMQPBackOff
  /// Waits before a link is attached again on a new session. Default 400 ms to 30 s, stable after 10 s.
  public var session: AMQPBackOff
  /// Waits before a connection is made again. Default 200 ms to 30 s, stable after 10 s.
  public var connection: AMQPBackOff
  /// So many failures of one tier in a row, without a stable while between, lead to the next tier. Default 3.
  public var failuresBeforeNextTier: Int
  /// How often an address that does not exist, or is disabled, is tried again before that counts as final; 0 for at once, nil for ever.
  /// Default 0.
  public var notFoundRetries: Int?
  /// So many failures in a row and it is given up; nil for never. Default nil.
  public var failureLimit: Int?
  /// About how long until a bus that refused the login, or whose certificate is not trusted, is asked again; nil for never: then
  /// the client ends. Meanwhile sends fail at once with what was refused, and receivers wait. Default nil.
  public var refusedLoginRetry: Duration?
  /// No more attempts than this in any minute, whatever comes. Default 30.
  public var attemptsPerMinute: Int

  public init(
    link: AMQPBackOff = AMQPBackOff(), session: AMQPBackOff = AMQPBackOff(initial: .milliseconds(400)),
    connection: AMQPBackOff = AMQPBackOff(), failuresBeforeNextTier: Int = 3, notFoundRetries: Int? = 0,
    failureLimit: Int? = nil, refusedLoginRetry: Duration? = nil, attemptsPerMinute: Int = 30
  ) {
    self.link = link
    self.session = session
    self.connection = connection
    self.failuresBeforeNextTier = failuresBeforeNextTier
    self.notFoundRetries = notFoundRetries
    self.failureLimit = failureLimit
    self.refusedLoginRetry = refusedLoginRetry
    self.attemptsPerMinute = attemptsPerMinute
  }

  /// The same waits for every tier.
  public init(_ backOff: AMQPBackOff) { self.init(link: backOff, session: backOff, connection: backOff) }

  func backOff(_ tier: AMQPRecoveryTier) -> AMQPBackOff {
    switch tier {
    case .link: self.link
    case .session: self.session
    case .connection: self.connection
    }
  }

  /// What cannot work in it; nil when it can.
  var problem: String? {
    for backOff in [self.link, self.session, self.connection] {
      if backOff.initial < .zero || backOff.maximum < backOff.initial {
        return "a back-off whose longest wait is below its first"
      }
    }
    if self.failuresBeforeNextTier < 1 { return "failuresBeforeNextTier below 1" }
    if let refusedLoginRetry, refusedLoginRetry <= .zero { return "refusedLoginRetry is not greater than zero" }
    if self.attemptsPerMinute < 1 { return "attemptsPerMinute below 1" }
    return nil
  }
}
