// SPDX-License-Identifier: Apache-2.0

import BusProbe

/// When the next round of a watch begins. Pure.
struct WatchPace: Sendable, Equatable {
  /// What was asked for.
  let wanted: WatchInterval
  /// How far apart two pings of one party are, whoever sends them (``PingRation``). Zero where rounds send none.
  let ration: Duration

  init(_ wanted: WatchInterval, _ target: TargetOptions, _ configuration: PingerConfiguration) {
    let sends =
      !target.noSend && (target.send || !configuration.settings.sendsOnlyWhenTold) && (target.quitAfter ?? .echo) >= .credit
    self.init(wanted, ration: sends ? configuration.partyInterval : .zero)
  }

  init(_ wanted: WatchInterval, ration: Duration) {
    self.wanted = wanted
    self.ration = ration
  }

  /// From one round's beginning to the next one's.
  var interval: WatchInterval { WatchInterval(atLeast: self.ration, self.wanted) }
  var isSlowed: Bool { self.interval != self.wanted }

  /// How long after a round's beginning the next one begins. Where it pinged, the ration counts from when leave was asked for, which was after the
  /// login, however long that took: a round at the ration's own pace would be refused for some milliseconds.
  ///
  /// - Parameter taken: how long the round took.
  func untilNext(_ look: ProbeLook, taken: Duration) -> Duration {
    guard self.ration > .zero, look.wasToSend, look.report[.attach] != nil else { return self.interval.duration }
    func time(_ code: ProbeCode) -> Double { look.report[code]?.milliseconds ?? 0 }
    // Whatever came after the leave, and was timed; what was not only makes this later.
    let after = time(.attach) + max(time(.outcome), time(.echo)) + time(.negativeControl)
    let asked = max(.zero, taken - .microseconds(Int64(after * 1_000)))
    return max(self.interval.duration, asked + self.ration)
  }
}
