// SPDX-License-Identifier: Apache-2.0

/// What `-w` and `-c` say: for each thing measured, the range that is still well.
public struct NagiosThresholds: Sendable, Hashable {
  /// What can have a threshold. Times are in seconds.
  public enum Measure: String, Sendable, Hashable, CaseIterable {
    /// The whole ladder.
    case total
    case dns
    /// The TCP connection.
    case connect
    case tls
    case login
    /// From the ping's sending to the bus's outcome.
    case settle
    /// From the ping's sending to the answer of the party's system.
    case rtt
    /// Messages on the party's queue.
    case depth
    /// Who listens on the party's queue.
    case consumers

    /// Nagios' unit of measurement; nothing for counts.
    public var unit: String {
      switch self {
      case .depth, .consumers: ""
      default: "s"
      }
    }
  }

  public var warning: [Measure: NagiosRange]
  public var critical: [Measure: NagiosRange]

  public init(warning: [Measure: NagiosRange] = [:], critical: [Measure: NagiosRange] = [:]) {
    self.warning = warning
    self.critical = critical
  }

  public var isEmpty: Bool { self.warning.isEmpty && self.critical.isEmpty }

  /// Reads `total=0.5,dns=0.1,depth=100`; a range alone is the total's.
  ///
  /// - Returns: nil and what is wrong, in a sentence, when it cannot be read.
  public static func read(_ text: String) -> (ranges: [Measure: NagiosRange]?, problem: String) {
    var ranges: [Measure: NagiosRange] = [:]
    for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = sides.count == 2 ? String(sides[0]) : Measure.total.rawValue
      guard let measure = Measure(rawValue: name) else {
        let known = Measure.allCases.map(\.rawValue).joined(separator: ", ")
        return (nil, "nothing called '\(name.prefix(40))' is measured; measured are \(known)")
      }
      guard let last = sides.last, let range = NagiosRange(String(last)) else {
        return (nil, "'\(piece.prefix(40))' is no Nagios range, such as 0.5, 1:10, ~:5 or @1:2")
      }
      guard ranges.updateValue(range, forKey: measure) == nil else { return (nil, "\(name) stands there twice") }
    }
    return (ranges, "")
  }

  /// What a value has crossed.
  public struct Crossing: Sendable, Hashable {
    public var measure: Measure
    /// Nil when there is a threshold and nothing was measured: that is no good news.
    public var value: Double?
    public var range: NagiosRange
    public var status: ProbeReport.Status
  }

  /// Everything that is not well, the worst first.
  public func crossings(_ values: [Measure: Double]) -> [Crossing] {
    Measure.allCases.compactMap { measure -> Crossing? in
      guard let range = self.critical[measure] ?? self.warning[measure] else { return nil }
      guard let value = values[measure] else {
        return Crossing(measure: measure, value: nil, range: range, status: .unknown)
      }
      if let critical = self.critical[measure], critical.alerts(on: value) {
        return Crossing(measure: measure, value: value, range: critical, status: .critical)
      }
      if let warning = self.warning[measure], warning.alerts(on: value) {
        return Crossing(measure: measure, value: value, range: warning, status: .warning)
      }
      return nil
    }.sorted { $0.status.severity > $1.status.severity }
  }
}
