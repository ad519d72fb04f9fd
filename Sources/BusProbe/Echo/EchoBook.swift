// SPDX-License-Identifier: Apache-2.0

/// Who waits for the echo of which ping on one reply queue, and until when. Pure: ``EchoDesk`` keeps it and carries out what it says.
///
/// What somebody waits for is accepted and handed to that one alone. What nobody waits for here may be awaited by a prober elsewhere: it is
/// kept unsettled, goes back when the link ends, and is let go after a minute, when no echo is worth anything any more, or when there are
/// many.
struct EchoBook: Sendable, Hashable {
  typealias Instant = ContinuousClock.Instant
  /// One who waits.
  typealias Wait = Int
  /// Something that came on the reply queue.
  typealias Delivery = Int

  struct Limits: Sendable, Hashable {
    /// Those who wait at once.
    var waits = 256
    /// The pings that are waited for at once, by all together.
    var pings = 4_096
    /// The longest wait.
    var longest = Duration.seconds(300)
    /// Echoes of others that are kept; below the link's credit, so that our own still come.
    var kept = 20
    /// An echo lives no longer than its ping.
    var keptFor = Duration.seconds(60)
  }

  enum Event: Sendable, Hashable {
    /// Somebody is about to send these pings.
    case announced(Wait, [String], until: Instant)
    /// Somebody waits no more, or is gone.
    case givenUp(Wait)
    case came(PingEcho, Delivery)
    case timePassed
    /// What was kept went back with the link.
    case linkEnded
    /// Who reads the queue stops.
    case closing
  }

  enum Action: Sendable, Hashable {
    case refuse(Wait, EchoError)
    case hand(PingEcho, Wait)
    /// Nothing more comes for this one: all its echoes came, or its time is up.
    case end(Wait)
    case accept(Delivery)
    case keep(Delivery)
  }

  private struct Waiting: Sendable, Hashable {
    var pings: [String]
    var missing: Set<String>
    var until: Instant
  }

  private struct Kept: Sendable, Hashable {
    var delivery: Delivery
    var since: Instant
  }

  let limits: Limits
  private var waits: [Wait: Waiting] = [:]
  private var waitOf: [String: Wait] = [:]
  private var kept: [Kept] = []

  init(limits: Limits = Limits()) { self.limits = limits }

  /// How many pings are waited for.
  var awaited: Int { self.waitOf.count }

  mutating func take(_ event: Event, at now: Instant) -> [Action] {
    var actions = self.letGo(now)
    switch event {
    case .announced(let wait, let pings, let until):
      if let refusal = self.refusal(pings, until: until, now) {
        actions.append(.refuse(wait, refusal))
      } else {
        self.waits[wait] = Waiting(pings: pings, missing: Set(pings), until: until)
        for ping in pings { self.waitOf[ping] = wait }
      }
    case .givenUp(let wait): self.remove(wait)
    case .came(let echo, let delivery):
      guard let wait = self.waitOf[echo.originalMessageID] else {
        self.kept.append(Kept(delivery: delivery, since: now))
        actions.append(.keep(delivery))
        if self.kept.count > self.limits.kept { actions.append(.accept(self.kept.removeFirst().delivery)) }
        break
      }
      actions.append(.accept(delivery))
      // A second echo of the same ping is no news.
      if self.waits[wait]?.missing.remove(echo.originalMessageID) != nil {
        actions.append(.hand(echo, wait))
        if self.waits[wait]?.missing.isEmpty == true { actions.append(.end(wait)) }
      }
    case .timePassed: break
    case .linkEnded: self.kept = []
    case .closing:
      for (wait, waiting) in self.waits.sorted(by: { $0.key < $1.key }) {
        self.remove(wait)
        if !waiting.missing.isEmpty { actions.append(.end(wait)) }
      }
    }
    return actions
  }

  /// What time alone has ended.
  private mutating func letGo(_ now: Instant) -> [Action] {
    var actions: [Action] = []
    while let first = self.kept.first, first.since + self.limits.keptFor <= now {
      self.kept.removeFirst()
      actions.append(.accept(first.delivery))
    }
    for (wait, waiting) in self.waits.filter({ $0.value.until <= now }).sorted(by: { $0.key < $1.key }) {
      self.remove(wait)
      if !waiting.missing.isEmpty { actions.append(.end(wait)) }
    }
    return actions
  }

  private mutating func remove(_ wait: Wait) {
    for ping in self.waits.removeValue(forKey: wait)?.pings ?? [] { self.waitOf[ping] = nil }
  }

  private func refusal(_ pings: [String], until: Instant, _ now: Instant) -> EchoError? {
    if self.waits.count >= self.limits.waits { return .tooMuch(.waits, limit: self.limits.waits) }
    if self.waitOf.count + pings.count > self.limits.pings { return .tooMuch(.pings, limit: self.limits.pings) }
    if until - now > self.limits.longest { return .tooMuch(.seconds, limit: Int(self.limits.longest.components.seconds)) }
    if let taken = pings.first(where: { self.waitOf[$0] != nil }) { return .awaitedAlready(String(taken.prefix(80))) }
    return nil
  }
}
