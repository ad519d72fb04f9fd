// SPDX-License-Identifier: Apache-2.0

/// What a forwarder has done with one queue since its run began: totals, not differences, so that the same word said twice counts once.
public struct ForwardingCount: Sendable, Hashable, Codable {
  /// Names the run: totals begin at zero with a new one, as when the forwarder was started again.
  public var run: String
  /// Taken from the source queue, each delivery.
  public var received: Int64
  /// The target bus has it, and it is gone from the source.
  public var accepted: Int64
  /// Not carried, by reason: kept where the forwarder keeps such messages, and gone from the source queue.
  public var setAside: [String: Int64]
  /// Not carried since its time to live was over; gone from the source queue.
  public var expired: Int64
  /// Set aside and left on the source queue, by reason: all that the forwarder's journal remembers now, of this run and earlier ones. No
  /// total: it falls when somebody deals with them. Nil from who keeps no journal.
  public var aside: [String: Int64]?
  /// On hand when the link to the source was lost, and not come again: fetched by somebody else, or expired. Nil as above.
  public var notReturned: Int64?
  /// Given back: it lies on the source queue as before.
  public var leftAlone: Int64
  /// Taken a second time after a crash, and settled without being sent: the journal shows that the target had accepted it.
  public var settledAgain: Int64
  /// Of those accepted: sent again although the outcome of an earlier try is not known. The journal lists them by id.
  public var possibleDuplicates: Int64

  public init(
    run: String, received: Int64 = 0, accepted: Int64 = 0, setAside: [String: Int64] = [:], expired: Int64 = 0,
    leftAlone: Int64 = 0,
    settledAgain: Int64 = 0, possibleDuplicates: Int64 = 0,
    aside: [String: Int64]? = nil,
    notReturned: Int64? = nil
  ) {
    self.run = run
    self.received = received
    self.accepted = accepted
    self.setAside = setAside
    self.expired = expired
    self.leftAlone = leftAlone
    self.settledAgain = settledAgain
    self.possibleDuplicates = possibleDuplicates
    self.aside = aside
    self.notReturned = notReturned
  }

  /// As ``aside`` names it.
  public static let expiredReason = "expired"

  /// Gone from the source queue by the forwarder's doing.
  public var settled: Int64 { self.accepted + self.setAsideInAll + self.expired + self.settledAgain }

  public var setAsideInAll: Int64 { self.setAside.values.reduce(0, +) }

  /// Set aside, wherever it lies now, expired ones apart.
  public var allAside: Int64 {
    self.setAsideInAll
      + (self.aside ?? [:]).reduce(0) { $1.key == Self.expiredReason ? $0 : $0 + $1.value }
  }

  /// Not carried since their time to live was over, wherever they lie now.
  public var allExpired: Int64 { self.expired + (self.aside?[Self.expiredReason] ?? 0) }

  /// Taken, and neither settled nor given back: on its way, or held by a forwarder that has died. Zero when the count balances.
  public var open: Int64 { self.received - self.settled - self.leftAlone - (self.notReturned ?? 0) }

  /// A figure that no forwarder can have.
  var fault: String? {
    let figures = [
      self.received, self.accepted, self.expired, self.leftAlone, self.settledAgain, self.possibleDuplicates,
      self.notReturned ?? 0,
    ]
    if figures.contains(where: { $0 < 0 }) || self.setAside.values.contains(where: { $0 < 0 })
      || self.aside?.values.contains(where: { $0 < 0 }) == true
    {
      return "a figure below zero"
    }
    if self.open < 0 { return "\(-self.open) more accounted for than received" }
    if self.possibleDuplicates > self.accepted { return "more possible duplicates than accepted messages" }
    return self.run.isEmpty ? "no run is named" : nil
  }

  /// ``aside`` is no total: it stays as it is.
  mutating func add(_ other: ForwardingCount) {
    self.received += other.received
    self.accepted += other.accepted
    self.setAside.merge(other.setAside, uniquingKeysWith: +)
    self.expired += other.expired
    self.leftAlone += other.leftAlone
    self.settledAgain += other.settledAgain
    self.possibleDuplicates += other.possibleDuplicates
    if let notReturned = other.notReturned {
      self.notReturned = (self.notReturned ?? 0) + notReturned
    }
  }
}
