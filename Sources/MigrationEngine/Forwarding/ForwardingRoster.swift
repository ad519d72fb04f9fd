// SPDX-License-Identifier: Apache-2.0

import Migration

/// Which queues are being carried, and which are to be begun or ended: the scheduling of forwarders, as a value. Never two for one queue: an
/// errand that has changed is begun only after the one under way has ended.
struct ForwardingRoster: Sendable {
  struct Turn: Sendable {
    /// With whether what was set aside is tried once more.
    var begin: [(errand: ForwardingErrand, retriesSetAside: Bool)] = []
    var cancel: [ForwardingErrand.Key] = []
    /// When to look again by itself.
    var wake: Instant?
  }

  private struct Running: Sendable {
    var errand: ForwardingErrand
    var isCancelled = false
  }

  private var running: [ForwardingErrand.Key: Running] = [:]
  private var wanted: [ForwardingErrand.Key: ForwardingErrand] = [:]
  private var coolUntil: [ForwardingErrand.Key: Instant] = [:]
  private var failures: [ForwardingErrand.Key: Int] = [:]
  /// To be begun anew, with what was set aside.
  private var again: Set<ForwardingErrand.Key> = []
  var settings: EngineSettings
  /// Queues carried at once at most.
  private let most: Int

  init(settings: EngineSettings, most: Int) {
    self.settings = settings
    self.most = most
  }

  var isIdle: Bool { self.running.isEmpty }
  var keys: Set<ForwardingErrand.Key> { Set(self.running.keys) }

  /// These are begun anew, and what was set aside of them is tried once more.
  mutating func tryAgain(_ keys: Set<ForwardingErrand.Key>) {
    self.again.formUnion(keys)
    for key in keys { self.coolUntil[key] = nil }
  }

  /// What the state asks for now; nothing while it stops.
  mutating func turn(wanted: [ForwardingErrand.Key: ForwardingErrand], now: Instant) -> Turn {
    self.wanted = wanted
    var turn = Turn()
    for (key, run) in self.running where !run.isCancelled && (wanted[key] != run.errand || self.again.contains(key)) {
      self.running[key]?.isCancelled = true
      turn.cancel.append(key)
    }
    for key in Array(self.coolUntil.keys) where wanted[key] == nil {
      self.coolUntil[key] = nil
      self.failures[key] = nil
    }
    // In a fixed order, so that a queue is not passed over for ever by chance.
    let waiting = wanted.values.filter { self.running[$0.key] == nil }.sorted { "\($0.key)" < "\($1.key)" }
    for errand in waiting {
      if let cool = self.coolUntil[errand.key], now < cool {
        turn.wake = min(turn.wake ?? cool, cool)
        continue
      }
      guard self.running.count < self.most else { break }
      self.running[errand.key] = Running(errand: errand)
      turn.begin.append((errand, self.again.remove(errand.key) != nil))
    }
    return turn
  }

  /// One has ended. What failed by itself waits before it is begun again, longer each time.
  mutating func ended(_ errand: ForwardingErrand, _ end: ForwardingEnd, now: Instant, fraction: Double) {
    let key = errand.key
    guard self.running[key]?.errand == errand else { return }
    self.running[key] = nil
    switch end {
    case .cancelled:
      self.coolUntil[key] = nil
      self.failures[key] = nil
    // One that has stopped is not asked for any more once the history knows. Should it not come to know, this must not become a race.
    case .interrupted, .stopped:
      let failures = (self.failures[key] ?? 0) + 1
      self.failures[key] = failures
      self.coolUntil[key] = now + self.settings.delay(failures: failures, fraction: fraction)
    }
  }
}
