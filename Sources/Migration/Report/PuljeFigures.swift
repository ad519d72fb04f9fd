// SPDX-License-Identifier: Apache-2.0

/// A pulje in figures, for monitoring: sums over its groups, as they stand at one instant.
public struct PuljeFigures: Sendable, Hashable {
  public struct Wait: Sendable, Hashable {
    public var code: WaitReason.Code
    public var spending: Spending
  }

  public var name: PuljeName
  public var phase: PuljePhase
  public var groups: [GroupPhase: Int] = [:]
  public var parties: [GroupPhase: Int] = [:]
  public var waits: [Wait: Int] = [:]
  public var lights: [WayBack.Light: Int] = [:]
  /// On the queues that are being left, dead letters apart, at the last looks.
  public var leftovers: Int64 = 0
  public var newDeadLetters: Int64 = 0
  public var lateArrivals = 0
  public var unreadableLooks = 0
  public var pingFailures = 0
  /// When the oldest message came that was seen on a queue being left; nil when none was seen, or the bus does not tell.
  public var oldestLeftover: Instant?
  /// Groups whose last look could not be read whole.
  public var unreadableNow = 0

  public init(_ pulje: PuljeState, stop: Note?, now: Instant) {
    self.name = pulje.name
    self.phase = pulje.phase(now: now)
    let contexts = pulje.contexts(stop: stop, now: now)
    for place in pulje.groups.indices {
      let group = pulje.groups[place]
      let context = contexts.context(at: place)
      self.groups[group.phase, default: 0] += 1
      self.parties[group.phase, default: 0] += group.members.count
      if case .wait(let wait) = group.next(in: context, now: now) {
        self.waits[Wait(code: wait.code, spending: wait.spending), default: 0] += 1
      }
      // What was removed with approval is no way back that ought to be open.
      if group.phase != .removed { self.lights[WayBack(group, context: context, now: now).light, default: 0] += 1 }
      self.pingFailures += group.pingFailures
      let drain = group.drain
      self.leftovers += drain.leftovers
      self.newDeadLetters += drain.newDeadLetters
      self.lateArrivals += drain.lateArrivals
      self.unreadableLooks += drain.unreadableLooks
      if !drain.last.isEmpty, !drain.lastIsReadable { self.unreadableNow += 1 }
      for sighted in drain.sighted {
        for sighting in sighted.sightings {
          guard let came = sighting.enqueuedAt ?? sighting.sentAt else { continue }
          let at = Instant(milliseconds: came)
          self.oldestLeftover = self.oldestLeftover.map { min($0, at) } ?? at
        }
      }
    }
  }
}
