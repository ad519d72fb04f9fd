// SPDX-License-Identifier: Apache-2.0

/// How long systems go on believing an address that they once read in the register, as their vendor declares it.
public struct DeclaredCache: Sendable, Hashable, Codable {
  /// Nil for everybody's.
  public var vendor: String?
  public var life: TimeSpan

  public init(vendor: String? = nil, life: TimeSpan) {
    self.vendor = vendor
    self.life = life
  }
}

extension Policy {
  /// A receiver asks for messages at least this often.
  static let longestPoll = TimeSpan.seconds(60)
  /// Clocks differ by so much.
  static let clockSkew = TimeSpan.minutes(5)

  public var longestDeclaredCache: TimeSpan? { self.declaredCaches?.map(\.life).max() }

  /// How long the queues being left must stay quiet: as long as the longest address cache lives, the longest poll and the clocks'
  /// skew; never less than ``quietPeriod``.
  ///
  /// - Parameter seen: the oldest copy of an address that a sender was seen to go by.
  public func quietNeeded(seen: TimeSpan?) -> TimeSpan {
    guard let longest = [self.longestDeclaredCache, seen].compactMap({ $0 }).max() else { return self.quietPeriod }
    return max(
      self.quietPeriod,
      .milliseconds(longest.milliseconds + Self.longestPoll.milliseconds + Self.clockSkew.milliseconds))
  }

  /// After the move nothing lawful comes later than this: the longest register cache, and as long again for what a sender had queued.
  var lawfulLateness: TimeSpan { self.quietNeeded(seen: nil) * 2 }
}
