// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration

/// When the queues that a group is leaving will be empty, as far as the last looks tell, and how wrong that may be. A straight line through
/// the looks, and twice its standard error to each side. Pure; nothing is promised by it, and no guard reads it.
public struct DrainOutlook: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Nothing lies there.
    case empty
    /// It grows less; ``at`` is when it would be empty.
    case falling
    /// It does not grow less: waiting alone does not empty it.
    case standing
    case growing
    /// Too few looks, or they could not be read.
    case notKnown = "not-known"
  }

  public var kind: Kind
  public var at: Instant?
  /// Between these it may be empty; ``latest`` is nil where the looks scatter so much that it may as well never be.
  public var earliest: Instant?
  public var latest: Instant?
  /// Messages a minute, less than zero when it grows less; nil when not known.
  public var perMinute: Double?

  /// How many of the last looks the line is laid through.
  static let looks = 12

  public init(_ trail: DepthTrail, now: Instant) {
    let points = trail.points.suffix(Self.looks)
    guard let last = points.last, let count = last.count else {
      self.kind = .notKnown
      return
    }
    guard count > 0 else {
      self.kind = .empty
      return
    }
    let read = points.compactMap { point in
      point.count.map { (x: Double(point.at.since(last.at).milliseconds) / 60_000, y: Double($0)) }
    }
    guard read.count >= 2, let line = Line(read) else {
      self.kind = .notKnown
      return
    }
    self.perMinute = line.slope
    // Less than a message in a day is no movement.
    guard abs(line.slope) * 1_440 >= 1 else {
      self.kind = .standing
      return
    }
    guard line.slope < 0 else {
      self.kind = .growing
      return
    }
    self.kind = .falling
    self.at = Self.end(last.at, count, -line.slope)
    guard let error = line.slopeError else { return }
    self.earliest = Self.end(last.at, count, -line.slope + 2 * error)
    self.latest = Self.end(last.at, count, -line.slope - 2 * error)
  }

  /// Nothing further away than a year is said.
  private static func end(_ from: Instant, _ count: Int64, _ perMinute: Double) -> Instant? {
    guard perMinute > 0 else { return nil }
    let minutes = Double(count) / perMinute
    guard minutes < 365 * 1_440 else { return nil }
    return from + .milliseconds(Int64(minutes * 60_000))
  }

  /// Least squares.
  private struct Line {
    var slope: Double
    /// nil for two points, through which a line always goes.
    var slopeError: Double?

    init?(_ points: [(x: Double, y: Double)]) {
      let n = Double(points.count)
      let meanX = points.reduce(0) { $0 + $1.x } / n
      let meanY = points.reduce(0) { $0 + $1.y } / n
      let spread = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
      guard spread > 0 else { return nil }
      let slope = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / spread
      self.slope = slope
      guard points.count > 2 else { return }
      let residue = points.reduce(0) { sum, point in
        let off = point.y - (meanY + slope * (point.x - meanX))
        return sum + off * off
      }
      self.slopeError = (residue / (n - 2) / spread).squareRoot()
    }
  }

  /// In words, from `now` on.
  public func text(now: Instant) -> String {
    switch self.kind {
    case .empty: return "empty"
    case .standing: return "never, as it stands"
    case .growing: return "never: \(Self.pace(self.perMinute))"
    case .notKnown: return "not known"
    case .falling:
      guard let at else { return "more than a year" }
      let middle = Self.span(at.since(now))
      guard let earliest else { return "\(middle), error not known" }
      guard let latest else { return "\(middle), or far later" }
      return "\(middle) (\(Self.span(earliest.since(now))) to \(Self.span(latest.since(now))))"
    }
  }

  private static func pace(_ perMinute: Double?) -> String {
    guard let perMinute else { return "grows" }
    let (value, unit): (Double, String) =
      abs(perMinute) >= 1 ? (perMinute, "min") : abs(perMinute) * 60 >= 1 ? (perMinute * 60, "h") : (perMinute * 1_440, "d")
    return "\(perMinute > 0 ? "+" : "")\(Int(value.rounded()))/\(unit)"
  }

  /// A span in two figures at most: `45s`, `12m`, `3h20m`, `4d`.
  static func span(_ span: TimeSpan) -> String {
    let seconds = max(0, span.milliseconds / 1_000)
    switch seconds {
    case ..<90: return "\(seconds)s"
    case ..<5_400: return "\((seconds + 30) / 60)m"
    case ..<86_400: return "\(seconds / 3_600)h\(seconds % 3_600 / 60)m"
    default: return "\(seconds / 86_400)d\(seconds % 86_400 / 3_600)h"
    }
  }
}
