// SPDX-License-Identifier: Apache-2.0

/// When a pulje may move parties forward: windows of the day, and times in which nothing is moved. Clocks are those of Norway.
///
/// It holds back only steps forward. Going back, reading back, pings and the drain-check go on at any time.
public struct CutoverCalendar: Sendable, Hashable, Codable {
  /// A span of the day, such as "mondays to thursdays from 22:00 to 05:00".
  public struct Window: Sendable, Hashable, Codable {
    /// The days on which it begins; empty means every day.
    public var days: [LocalDate.Weekday]
    public var from: TimeOfDay
    /// When it ends: the same day when later than ``from``, else the day after.
    public var to: TimeOfDay

    public init(days: [LocalDate.Weekday] = [], from: TimeOfDay, to: TimeOfDay) {
      self.days = days
      self.from = from
      self.to = to
    }

    /// Its span when it begins on `date`; nil when it does not. Empty when clocks jump over the whole of it.
    func span(beginning date: LocalDate) -> Range<Instant>? {
      guard self.days.isEmpty || self.days.contains(date.weekday) else { return nil }
      let start = OsloTime.instant(date, self.from)
      let end = OsloTime.instant(self.from < self.to ? date : date.advanced(by: 1), self.to)
      return start..<max(start, end)
    }
  }

  /// Days on which nothing is moved, both included, from midnight to midnight.
  public struct Freeze: Sendable, Hashable, Codable {
    public var from: LocalDate
    public var through: LocalDate
    /// What people are told, such as "julefrys".
    public var why: String

    public init(from: LocalDate, through: LocalDate, why: String) {
      self.from = from
      self.through = through
      self.why = why
    }

    var span: Range<Instant> {
      let start = OsloTime.instant(self.from, .midnight)
      return start..<max(start, OsloTime.instant(self.through.advanced(by: 1), .midnight))
    }
  }

  /// Empty means the whole day.
  public var windows: [Window]
  public var freezes: [Freeze]

  public init(windows: [Window] = [], freezes: [Freeze] = []) {
    self.windows = windows
    self.freezes = freezes
  }

  public enum Standing: Sendable, Hashable {
    /// Parties may be moved, until then; nil: for good. Windows that follow on each other for more than a week are open until then at least.
    case open(until: Instant?)
    /// Outside every window. nil: none opens within two years.
    case outsideWindows(opens: Instant?)
    /// In a freeze. `opens` is when parties may be moved again, which may be later than the freeze's end.
    case frozen(why: String, opens: Instant?)

    public var isOpen: Bool {
      if case .open = self { true } else { false }
    }

    /// For a person. Times are UTC, as everywhere.
    public var words: String {
      func again(_ opens: Instant?) -> String {
        opens.map { "the next window opens \($0)" } ?? "no window opens within two years"
      }
      return switch self {
      case .open(let until): until.map { "open until \($0)" } ?? "open"
      case .outsideWindows(let opens): "outside the windows for cut-overs; \(again(opens))"
      case .frozen(let why, let opens): "frozen: \(why); \(again(opens))"
      }
    }
  }

  /// How far ahead the end of an open window is looked for, and an opening.
  private static let nearHorizon: Int64 = 2
  private static let endHorizon: Int64 = 9
  private static let openingHorizon: Int64 = 731

  public func standing(at now: Instant) -> Standing {
    if let freeze = self.freezes.first(where: { $0.span.contains(now) }) {
      return .frozen(why: freeze.why, opens: self.nextOpening(after: now))
    }
    if self.windows.isEmpty {
      return .open(until: self.freezes.map(\.span).filter { !$0.isEmpty && $0.lowerBound > now }.map(\.lowerBound).min())
    }
    let today = OsloTime.reading(at: now).date
    // Nearly always two days tell; only a span that goes on to their end is followed farther.
    guard let near = self.openSpans(from: today, days: Self.nearHorizon).first(where: { $0.contains(now) }) else {
      return .outsideWindows(opens: self.nextOpening(after: now))
    }
    if near.upperBound < OsloTime.instant(today.advanced(by: Self.nearHorizon), .midnight) {
      return .open(until: near.upperBound)
    }
    let far = self.openSpans(from: today, days: Self.endHorizon).first { $0.contains(now) }
    return .open(until: (far ?? near).upperBound)
  }

  /// What is wrong with it, in words; empty when it can be used.
  public var faults: [String] {
    var faults: [String] = []
    for window in self.windows {
      if window.from == window.to { faults.append("a window from \(window.from) to \(window.to) is no time, or all of it") }
      if window.from == .endOfDay { faults.append("a window that begins at 24:00 begins the next day at 00:00") }
    }
    for freeze in self.freezes {
      if freeze.through < freeze.from {
        faults.append("a freeze from \(freeze.from) through \(freeze.through) ends before it begins")
      }
      if freeze.why.isEmpty { faults.append("the freeze from \(freeze.from) does not say why") }
    }
    return faults
  }

  // MARK: -

  private func nextOpening(after now: Instant) -> Instant? {
    let today = OsloTime.reading(at: now).date
    func opening(from ahead: Int64, days: Int64) -> Instant? {
      self.openSpans(from: today.advanced(by: ahead), days: days).first { $0.lowerBound > now }?.lowerBound
    }
    if let near = opening(from: 0, days: Self.nearHorizon) { return near }
    let step: Int64 = 14
    for ahead in stride(from: Self.nearHorizon, through: Self.openingHorizon, by: Int(step)) {
      if let next = opening(from: ahead, days: step) { return next }
    }
    return nil
  }

  /// When parties may be moved on the days from `first` on: in order, apart from each other, none empty.
  private func openSpans(from first: LocalDate, days: Int64) -> [Range<Instant>] {
    let bounds = OsloTime.instant(first, .midnight)..<OsloTime.instant(first.advanced(by: days), .midnight)
    var spans: [Range<Instant>] = []
    if self.windows.isEmpty {
      spans.append(bounds)
    } else {
      spans.reserveCapacity(self.windows.count * Int(days + 1))
      // From the day before: a window may go on past midnight.
      for ahead in -1..<days {
        for window in self.windows {
          if let span = window.span(beginning: first.advanced(by: ahead)) { spans.append(span.clamped(to: bounds)) }
        }
      }
      spans = Self.merged(spans)
    }
    for freeze in self.freezes.lazy.map(\.span) where !freeze.isEmpty {
      spans = spans.flatMap { span -> [Range<Instant>] in
        guard span.overlaps(freeze) else { return [span] }
        return [
          span.lowerBound..<max(span.lowerBound, freeze.lowerBound), min(span.upperBound, freeze.upperBound)..<span.upperBound,
        ]
      }
    }
    spans.removeAll(where: \.isEmpty)
    return spans
  }

  /// Spans that overlap or follow on each other become one.
  private static func merged(_ spans: [Range<Instant>]) -> [Range<Instant>] {
    var spans = spans
    spans.removeAll(where: \.isEmpty)
    // Windows come day by day: nearly always they are in order already.
    if zip(spans, spans.dropFirst()).contains(where: { $1.lowerBound < $0.lowerBound }) {
      spans.sort { $0.lowerBound < $1.lowerBound }
    }
    var merged: [Range<Instant>] = []
    merged.reserveCapacity(spans.count)
    for span in spans {
      if let last = merged.last, span.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
      } else {
        merged.append(span)
      }
    }
    return merged
  }
}
