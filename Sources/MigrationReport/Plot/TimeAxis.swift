// SPDX-License-Identifier: Apache-2.0

import Migration

/// Where instants lie between the left and the right of a plot: real time, so that the day that clocks change is an hour shorter or longer than
/// others. Marks stand where clocks in Norway show full hours or midnight.
struct TimeAxis {
  let from: Instant
  let to: Instant

  struct Tick: Hashable {
    var at: Instant
    var label: String
  }

  init(from: Instant, to: Instant) {
    self.from = from
    self.to = max(to, from + .minutes(1))
  }

  /// Of the whole length, from 0 to 1.
  func place(_ instant: Instant) -> Double {
    Double(instant.milliseconds - self.from.milliseconds) / Double(self.to.milliseconds - self.from.milliseconds)
  }

  private static let steps: [TimeSpan] = [
    .minutes(1), .minutes(5), .minutes(15), .hours(1), .hours(3), .hours(6), .days(1), .days(2), .days(7), .days(28), .days(91),
    .days(364),
  ]

  /// At most so many, in order.
  func ticks(most: Int = 8, _ language: ReportLanguage) -> [Tick] {
    let length = self.to.since(self.from).milliseconds
    let step = Self.steps.first { length / $0.milliseconds <= Int64(most) } ?? .days(3_640)
    return step < .days(1) ? self.hours(step, language) : self.days(step.milliseconds / 86_400_000, language)
  }

  private func days(_ step: Int64, _ language: ReportLanguage) -> [Tick] {
    var ticks: [Tick] = []
    var date = OsloTime.reading(at: self.from).date
    while true {
      let midnight = OsloTime.instant(date, .midnight)
      if midnight > self.to { return ticks }
      if midnight >= self.from { ticks.append(Tick(at: midnight, label: Self.short(date, language))) }
      // From the first midnight in the plot on.
      date = date.advanced(by: ticks.isEmpty ? 1 : step)
    }
  }

  private func hours(_ step: TimeSpan, _ language: ReportLanguage) -> [Tick] {
    var ticks: [Tick] = []
    var date = OsloTime.reading(at: self.from).date
    let minutes = Int(step.milliseconds / 60_000)
    while true {
      let midnight = OsloTime.instant(date, .midnight)
      if midnight > self.to { return ticks }
      for minute in stride(from: 0, to: 24 * 60, by: minutes) {
        guard let time = TimeOfDay(hour: minute / 60, minute: minute % 60) else { continue }
        let instant = OsloTime.instant(date, time)
        // The hour that is left out in March has no mark of its own.
        guard instant >= self.from, instant <= self.to, OsloTime.reading(at: instant).time == time else { continue }
        ticks.append(Tick(at: instant, label: minute == 0 ? Self.short(date, language) : time.description))
      }
      date = date.advanced(by: 1)
    }
  }

  private static func short(_ date: LocalDate, _ language: ReportLanguage) -> String {
    let parts = date.description.split(separator: "-")
    guard parts.count == 3 else { return date.description }
    return language == .nb ? "\(Int(parts[2]) ?? 0).\(Int(parts[1]) ?? 0)." : "\(parts[1])-\(parts[2])"
  }
}

/// A scale from nothing up, in round steps.
struct CountAxis {
  let top: Int64
  let step: Int64

  init(most: Int64) {
    let most = max(1, most)
    var step: Int64 = 1
    // 1, 2, 5, 10, 20, 50 ...: at most five steps.
    var turn = 0
    while most > step * 5 {
      step = turn % 3 == 1 ? step / 2 * 5 : step * 2
      turn += 1
    }
    self.step = step
    self.top = (most + step - 1) / step * step
  }

  var ticks: [Int64] { Array(stride(from: 0, through: self.top, by: Int64.Stride(self.step))) }

  func place(_ value: Int64) -> Double { Double(value) / Double(self.top) }
}
