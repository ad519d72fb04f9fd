// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What was measured on the target bus since the watch began. Counters and pings only; no message is looked at.
public struct GateLedger: Sendable, Hashable, Codable {
  public internal(set) var measurements: Int = 0
  public internal(set) var readable: Int = 0
  public internal(set) var last: [QueueReading] = []
  public internal(set) var lastAt: Instant?
  public internal(set) var pings: Int = 0
  public internal(set) var failedPings: Int = 0
  public internal(set) var lastPings: [PingReport] = []
  public internal(set) var lastPingAt: Instant?
  /// Messages counted in, where the bus tells of arrivals on every queue.
  public internal(set) var arrivals: Int64 = 0
  public internal(set) var countsArrivals: Bool = true
  /// When something was last seen to come: counted in, or lying there.
  public internal(set) var lastTrafficAt: Instant?
  /// Dead letters at the first readable measurement, by queue.
  var deadLettersBefore: [String: Int64] = [:]
  var lastArrivals: [String: Int64] = [:]
  /// What the forwarder had carried here by the last measurement: not the party's traffic.
  var carriedBefore: Int64?
  /// Measurements running in which some queue was longer than allowed.
  var longRunning: Int = 0

  public init() {}

  /// - Parameter carried: messages that our forwarder has brought here so far.
  mutating func take(
    _ readings: [QueueReading], pings: [PingReport], carried: Int64 = 0, at now: Instant, gates: Gates, policy: Policy
  ) {
    self.measurements += 1
    // Counted as arrivals by the bus, sooner or later: they are no sign of life of anybody.
    let ours = carried - (self.carriedBefore ?? carried)
    self.arrivals -= ours
    self.carriedBefore = carried
    self.last = readings
    self.lastAt = now
    if !readings.isEmpty, readings.allSatisfy(\.isReadable) {
      let heard = self.lastTrafficAt
      self.takeReadable(readings, at: now, gates: gates)
      if ours != 0 { self.lastTrafficAt = heard }
    }
    guard !pings.isEmpty else { return }
    self.lastPings = pings
    self.lastPingAt = now
    self.pings += pings.count
    self.failedPings += pings.count { $0.shortcoming(policy: policy) != nil }
  }

  private mutating func takeReadable(_ readings: [QueueReading], at now: Instant, gates: Gates) {
    self.readable += 1
    for reading in readings {
      let name = reading.address.description
      if reading.kind == .deadLetter {
        self.deadLettersBefore[name] = self.deadLettersBefore[name] ?? (reading.depth ?? 0)
        continue
      }
      if case .counted(_, nil, _, _) = reading.count { self.countsArrivals = false }
      if let depth = reading.depth, depth > 0 { self.lastTrafficAt = now }
      guard let count = reading.arrivals else { continue }
      let before = self.lastArrivals[name] ?? count
      self.lastArrivals[name] = count
      // A counter that fell may have begun anew, or be the sum over nodes of which one did not answer: then what it rises by came
      // long ago. Nothing can be taken from it any more.
      guard count >= before else {
        self.countsArrivals = false
        continue
      }
      if count > before { self.lastTrafficAt = now }
      self.arrivals += count - before
    }
    let isLong = readings.contains { $0.kind != .deadLetter && ($0.depth ?? 0) > gates.depth }
    self.longRunning = isLong ? self.longRunning + 1 : 0
  }

  /// Whether a ping must speak for the party: the first one, and whenever it has been quiet for long.
  func needsPing(at now: Instant, gates: Gates) -> Bool {
    // Without one the gate of pings has nothing to go by, however much traffic there is.
    guard self.lastPingAt != nil else { return true }
    let heard = [self.lastTrafficAt, self.lastPingAt].compactMap { $0 }.filter { $0 <= now }.max()
    return heard.map { now.since($0) >= gates.pingAfterQuiet } ?? true
  }

  /// What each gate says. Too few figures are inconclusive, and so are those that are older than three intervals.
  public func judge(_ gates: Gates, now: Instant) -> [GateFinding] {
    [self.judgePing(gates, now), self.judgeDepth(gates, now), self.judgeDeadLetters(gates, now), self.judgeTraffic(gates)]
  }

  private func stale(_ gates: Gates, _ now: Instant) -> String? {
    guard self.readable > 0, let last = self.lastAt else { return "nothing was measured" }
    if !self.last.allSatisfy(\.isReadable) { return "the counters cannot be read" }
    return now.since(last) > gates.measureInterval * 3 || last > now ? "the last measurement is from \(last)" : nil
  }

  private func judgePing(_ gates: Gates, _ now: Instant) -> GateFinding {
    guard let last = self.lastPingAt else {
      return GateFinding(gate: .ping, verdict: .inconclusive, seen: "no ping was sent in the watch")
    }
    let seen = "\(self.failedPings) of \(self.pings) pings failed, the last at \(last)"
    return GateFinding(
      gate: .ping, verdict: self.failedPings * 100 > self.pings * gates.pingLossPercent ? .fail : .pass, seen: seen)
  }

  private func judgeDepth(_ gates: Gates, _ now: Instant) -> GateFinding {
    if let stale = self.stale(gates, now) { return GateFinding(gate: .depth, verdict: .inconclusive, seen: stale) }
    let longest = self.last.filter { $0.kind != .deadLetter }.compactMap(\.depth).max() ?? 0
    let seen = "at most \(longest) messages on a queue at the last of \(self.measurements) measurements"
    return GateFinding(gate: .depth, verdict: self.longRunning >= 2 ? .fail : .pass, seen: seen)
  }

  private func judgeDeadLetters(_ gates: Gates, _ now: Instant) -> GateFinding {
    if let stale = self.stale(gates, now) { return GateFinding(gate: .deadLetters, verdict: .inconclusive, seen: stale) }
    let new = self.last.filter { $0.kind == .deadLetter }.reduce(Int64(0)) { sum, reading in
      sum + max(0, (reading.depth ?? 0) - (self.deadLettersBefore[reading.address.description] ?? 0))
    }
    return GateFinding(
      gate: .deadLetters, verdict: new > gates.deadLetters ? .fail : .pass, seen: "\(new) dead letters more than at the beginning"
    )
  }

  private func judgeTraffic(_ gates: Gates) -> GateFinding {
    if self.countsArrivals, self.readable > 1, self.arrivals >= gates.traffic {
      return GateFinding(gate: .traffic, verdict: .pass, seen: "\(self.arrivals) messages came")
    }
    let known = self.countsArrivals && self.readable > 0 ? "\(self.arrivals) messages came" : "this bus does not count arrivals"
    // A quiet party is spoken for by pings, and by nothing else.
    let answered = self.pings - self.failedPings
    guard answered > 0 else {
      return GateFinding(gate: .traffic, verdict: .inconclusive, seen: "\(known), and no ping was received")
    }
    return GateFinding(gate: .traffic, verdict: .pass, seen: "\(known); \(answered) pings were received in their place")
  }
}
