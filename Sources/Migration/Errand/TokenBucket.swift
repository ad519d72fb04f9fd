// SPDX-License-Identifier: Apache-2.0

/// So many calls in so long, with a burst: what is asked of somebody else's server is bounded, however many groups want something.
/// A value: time comes in, the instant at which the call may be made comes out.
public struct TokenBucket: Sendable, Hashable {
  /// How many calls in how long. In text `10/s`, `300/m` or `5000/h`.
  public struct Rate: Sendable, Hashable, Codable, CustomStringConvertible {
    public let calls: Int64
    public let span: TimeSpan
    /// Calls that may come at once after a pause. Default: a second's worth, at least one.
    public let burst: Int64

    /// - Returns: nil unless all are greater than zero.
    public init?(calls: Int64, per span: TimeSpan, burst: Int64? = nil) {
      guard calls > 0, calls <= 1_000_000, span.milliseconds > 0 else { return nil }
      let usual = max(1, calls * 1_000 / span.milliseconds)
      guard burst ?? usual > 0 else { return nil }
      self.calls = calls
      self.span = span
      self.burst = burst ?? usual
    }

    public init?(text: String) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[1].first?.isNumber == false, let calls = Int64(parts[0]),
        let span = TimeSpan(text: "1\(parts[1])")
      else { return nil }
      self.init(calls: calls, per: span)
    }

    /// Microseconds from one call to the next.
    var interval: Int64 { max(1, self.span.milliseconds * 1_000 / self.calls) }

    public var description: String { "\(self.calls)/\(self.span)" }
  }

  private let rate: Rate
  /// When what was given out so far is paid for, in microseconds since 1970.
  private var paid: Int64 = .min
  private var last: Instant?

  public init(_ rate: Rate) { self.rate = rate }

  /// Takes what a call costs, in order of asking: who asks later is never served before.
  ///
  /// - Parameter cost: single calls that are made for it; at least 1.
  /// - Returns: when it may be made; `now` or later.
  public mutating func take(_ cost: Int64 = 1, at now: Instant) -> Instant {
    let instant = now.milliseconds * 1_000
    // A clock that was set back must not make everybody wait for what was given out before.
    if let last, now < last, self.paid > .min { self.paid -= (last.milliseconds - now.milliseconds) * 1_000 }
    self.last = now
    let begin = max(self.paid, instant)
    let allowed = begin - (self.rate.burst - 1) * self.rate.interval
    self.paid = begin + max(1, cost) * self.rate.interval
    guard allowed > instant else { return now }
    return Instant(milliseconds: (allowed + 999) / 1_000)
  }
}
