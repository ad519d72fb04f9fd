// SPDX-License-Identifier: Apache-2.0

import Migration

/// How much lay on the queues that a group is leaving, look by look: the last of them, for a line on a screen and for an outlook.
public struct DepthTrail: Sendable, Hashable, Codable {
  public struct Point: Sendable, Hashable, Codable {
    public var at: Instant
    /// Messages, dead letters apart; nil when a counter could not be read.
    public var count: Int64?

    public init(at: Instant, count: Int64?) {
      self.at = at
      self.count = count
    }
  }

  /// Oldest first.
  public private(set) var points: [Point] = []

  /// More are not kept: what is older is thinned, so that the line still begins where the drain began.
  static let capacity = 96

  public init(_ points: [Point] = []) { for point in points { self.take(point) } }

  /// Takes in a look. One that is no later than the last is none.
  public mutating func take(_ point: Point) {
    if let last = self.points.last, point.at <= last.at { return }
    self.points.append(point)
    guard self.points.count > Self.capacity else { return }
    // Every second one of the older half goes; a high point is never dropped for a lower one beside it.
    let half = Self.capacity / 2
    var thinned: [Point] = []
    for index in stride(from: 0, to: half, by: 2) {
      let (first, second) = (self.points[index], self.points[index + 1])
      thinned.append((second.count ?? .max) > (first.count ?? .max) ? second : first)
    }
    self.points = thinned + self.points[half...]
  }
}
