// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Times, kept in as much room for a week as for a minute: counted by size in steps of one per cent. Least, greatest, last and
/// average are exact; percentiles are within one per cent.
public struct LatencyRecord: Sendable, Hashable {
  private static let growth = 1.01
  /// Below this, in milliseconds, all times count as one size.
  private static let floor = 0.001

  public private(set) var count = 0
  public private(set) var last: Double?
  public private(set) var least: Double?
  public private(set) var greatest: Double?
  private var sum = 0.0
  private var sizes: [Int: Int] = [:]
  private var powers: [Int: Int] = [:]

  public init() {}

  /// - Parameter milliseconds: not finite or negative ones are no times, and left out.
  public mutating func take(_ milliseconds: Double) {
    guard milliseconds.isFinite, milliseconds >= 0 else { return }
    self.count += 1
    self.last = milliseconds
    self.least = min(self.least ?? milliseconds, milliseconds)
    self.greatest = max(self.greatest ?? milliseconds, milliseconds)
    self.sum += milliseconds
    let size = Int((log(max(milliseconds, Self.floor) / Self.floor) / log(Self.growth)).rounded())
    self.sizes[size, default: 0] += 1
    self.powers[milliseconds < 1 ? 0 : min(Int(log2(milliseconds)) + 1, 62), default: 0] += 1
  }

  public var average: Double? { self.count == 0 ? nil : self.sum / Double(self.count) }

  /// The least time that so large a share of all times does not exceed (nearest rank).
  ///
  /// - Parameter share: above 0, at most 1.
  public func percentile(_ share: Double) -> Double? {
    guard self.count > 0, let least = self.least, let greatest = self.greatest else { return nil }
    let rank = min(max(1, Int((share * Double(self.count)).rounded(.up))), self.count)
    var passed = 0
    for (size, many) in self.sizes.sorted(by: { $0.key < $1.key }) {
      passed += many
      if passed >= rank { return min(max(Self.floor * pow(Self.growth, Double(size)), least), greatest) }
    }
    return greatest
  }

  /// A bar of the histogram: times from `from` up to, not including, `to` milliseconds.
  public struct Bucket: Sendable, Hashable {
    public var from: Int
    public var to: Int
    public var count: Int
  }

  /// How many times fell below 1 ms, from 1 to 2, 2 to 4, 4 to 8 and so on: from the first to the last that has any.
  public var histogram: [Bucket] {
    guard let first = self.powers.keys.min(), let last = self.powers.keys.max() else { return [] }
    return (first...last).map { power in
      let to = 1 << min(power, 62)
      return Bucket(from: power == 0 ? 0 : to / 2, to: to, count: self.powers[power] ?? 0)
    }
  }
}
