// SPDX-License-Identifier: Apache-2.0

import Migration

/// When a history begins, and the calendar of its pulje: in winter, over the night in which clocks are set forward and Easter, or over
/// the one in which they are set back; any time, in windows that lie in those nights, or with a freeze.
struct Season: Sendable {
  static let winter: Int64 = 1_770_000_000_000
  /// 28 March 2026, 19:00 UTC; clocks are set forward in the night.
  static let spring: Int64 = 1_774_724_400_000
  /// 24 October 2026, 19:00 UTC; clocks are set back in the night.
  static let autumn: Int64 = 1_792_868_400_000
  static let forward: Int64 = 1_774_746_000_000
  static let back: Int64 = 1_792_890_000_000

  let start: Int64
  let calendar: CutoverCalendar?

  /// - Parameter seed: nil for a calm history.
  init(seed: UInt64?) {
    guard let seed else {
      self.start = Self.winter
      self.calendar = nil
      return
    }
    self.start = seed.isMultiple(of: 2) ? Self.winter : seed % 4 == 1 ? Self.spring : Self.autumn
    switch seed % 3 {
    case 1: self.calendar = Self.nights(freezeFrom: seed % 2 == 1 ? nil : LocalDate(year: 2026, month: 2, day: 3))
    case 2: self.calendar = Self.oddHours
    default: self.calendar = nil
    }
  }

  private static func nights(freezeFrom first: LocalDate?) -> CutoverCalendar? {
    guard let from = TimeOfDay(hour: 22), let to = TimeOfDay(hour: 5) else { return nil }
    let freezes = first.map { CutoverCalendar.Freeze(from: $0, through: $0, why: "driftsstans") }
    return CutoverCalendar(windows: [CutoverCalendar.Window(from: from, to: to)], freezes: [freezes].compactMap { $0 })
  }

  /// An hour that is left out once a year and comes twice once a year, and the evenings of working days.
  private static let oddHours: CutoverCalendar? = {
    guard let from = TimeOfDay(hour: 2, minute: 30), let to = TimeOfDay(hour: 3, minute: 30), let evening = TimeOfDay(hour: 19),
      let late = TimeOfDay(hour: 23)
    else { return nil }
    let days: [LocalDate.Weekday] = [.monday, .tuesday, .wednesday, .thursday]
    return CutoverCalendar(
      windows: [CutoverCalendar.Window(from: from, to: to), CutoverCalendar.Window(days: days, from: evening, to: late)])
  }()

  /// Whether parties may be moved at `instant`, reckoned anew: it shares nothing with the calendar that the core asks, and knows of
  /// 2026 only. The hour that comes twice counts as open when either of its two readings is.
  func allows(_ instant: Instant) -> Bool {
    guard let calendar else { return true }
    let isSummer = instant.milliseconds >= Self.forward && instant.milliseconds < Self.back
    var offsets: [Int64] = [isSummer ? 2 : 1]
    if abs(instant.milliseconds - Self.back) < Stage.hour { offsets = [1, 2] }
    return offsets.contains { offset in
      let local = instant.milliseconds + offset * Stage.hour
      let (day, rest) = local.quotientAndRemainder(dividingBy: Stage.day)
      if calendar.isEmpty(onDay: day) { return false }
      let minute = Int(rest / Stage.minute)
      return calendar.windows.contains { window in
        let (from, to) = (window.from.minutes, window.to.minutes)
        if from < to { return window.begins(onDay: day) && minute >= from && minute < to }
        return window.begins(onDay: day) && minute >= from || window.begins(onDay: day - 1) && minute < to
      }
    }
  }

  /// What is reached when a cut-over begins at `instant`.
  func situation(_ instant: Instant) -> Situation? {
    if self.calendar == nil { return nil }
    if abs(instant.milliseconds - Self.forward) < 2 * Stage.hour { return .cutInSpringNight }
    if abs(instant.milliseconds - Self.back) < 2 * Stage.hour { return .cutInAutumnNight }
    return .cutInWindow
  }
}

/// What a history can meet that is neither a state nor a fault: each must be reached.
public enum Situation: String, Sendable, CaseIterable {
  case cutInWindow = "cut-in-window"
  case cutInSpringNight = "cut-in-spring-night"
  case cutInAutumnNight = "cut-in-autumn-night"
  /// The quiet was long enough by the clock, and waited for a working day.
  case quietOverDaysOff = "quiet-over-days-off"
  case messageExpired = "message-expired"
  case messageBridged = "message-bridged"
  case bridgeDied = "bridge-died"
  case staleSender = "stale-sender"
  /// A party below an organisation was written by itself.
  case wroteService = "wrote-service-by-itself"
  case wroteServicesBelow = "wrote-services-below"
  /// It was applied to some of them: the rest is finished one by one.
  case servicesBelowInPart = "services-below-in-part"
  case joinedOrganisation = "joined-organisation-queue"
  /// Our write took somebody's change away, and the register's log said so; the entry then read as written.
  case overwrote = "overwrote"
  /// The same, and the reading lagged behind.
  case overwroteUnseen = "overwrote-reading-lags"
  case overwriteSettled = "overwrite-settled"
  /// Messages were looked at by their metadata; or could not be.
  case sighted
  case notSighted = "not-sighted"
  /// A sender was named that never leaves the source bus.
  case senderConvicted = "sender-convicted"
  case senderExcepted = "sender-excepted"
  case queueExcepted = "queue-excepted"
  case drainedWithNamedException = "drained-with-named-exception"
  case messageForwarded = "message-forwarded"
  case forwardedBack = "forwarded-back"
  /// Between the target's answer and the source's.
  case forwarderDied = "forwarder-died"
  case forwardingStopped = "forwarding-stopped"
  /// Too large, or poison: it lies where it lay, and is told in every report.
  case messageSetAside = "message-set-aside"
  /// More came to a queue than people had answered for.
  case exceptionExceeded = "exception-exceeded"
  /// A receiver held messages at a look, on a bus that does not count them.
  case heldAtLook = "held-at-look"
  /// At another point than the cut an operator's program assented, did not, or was told of a roll-back.
  case stepAssented = "step-assented"
  case stepVetoed = "step-vetoed"
  case toldOfRollBack = "told-of-roll-back"
  /// The rest of a group was looked at anew before it was written.
  case restChecked = "rest-checked"
  /// It was written though the way back was broken, and people were told.
  case carriedThrough = "carried-through"
}

extension CutoverCalendar {
  fileprivate func isEmpty(onDay day: Int64) -> Bool {
    self.freezes.contains { freeze in
      freeze.from.daysSince1970 <= day && day <= freeze.through.daysSince1970
    }
  }
}

extension CutoverCalendar.Window {
  fileprivate func begins(onDay day: Int64) -> Bool {
    // 1 January 1970 was a Thursday.
    self.days.isEmpty || self.days.contains(LocalDate.Weekday.allCases[Int((day + 3) % 7)])
  }
}
