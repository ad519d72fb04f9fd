// SPDX-License-Identifier: Apache-2.0

/// When each of many queues is looked at next, so that a bus is not burdened. Pure: time and random draw come in as values.
///
/// A queue that changes is looked at often, a quiet one rarer and rarer, up to a bound that keeps a change from being seen late. A
/// draw shortens each pause by a little, so that queues that began together do not stay together. No more questions leave in a second
/// than the rate allows; where more are due, the one that has waited longest comes first, and all get later alike.
public struct WatchSchedule: Sendable {
  public struct Settings: Sendable, Hashable {
    /// The pause after a change. Default 5 s.
    public var shortest: Duration
    /// The pause after many looks without one. Default 45 s: what changes is then seen within a minute.
    public var longest: Duration
    /// By how much a pause is longer than the one before it. Default 1.5.
    public var growth: Double
    /// The share of a pause that a draw may take away. Default 0.2.
    public var spread: Double
    /// The most queues asked about in a second. Default 250, which is enough for 11,250 queues with a bound of 45 s.
    public var rate: Double
    /// The most queues asked about at once. Default 100.
    public var batch: Int

    public init(
      shortest: Duration = .seconds(5), longest: Duration = .seconds(45), growth: Double = 1.5, spread: Double = 0.2,
      rate: Double = 250, batch: Int = 100
    ) {
      self.shortest = max(shortest, .milliseconds(1))
      self.longest = max(longest, self.shortest)
      self.growth = max(growth, 1)
      self.spread = min(max(spread, 0), 1)
      self.rate = max(rate, 0.001)
      self.batch = max(batch, 1)
    }

    /// For a bus that lists all its queues in a few questions: the whole list every 20 to 30 s, which leaves time for the list itself
    /// to come late and to take long: 10,000 queues took RabbitMQ 3.10 some 8 to 20 s on a busy machine.
    public static let wholeBus = Settings(shortest: .seconds(20), longest: .seconds(30), rate: 1, batch: 1)
  }

  /// What a look showed.
  public enum Look: Sendable, Hashable {
    case changed
    case same
    /// Asked again no sooner than a quiet one: who does not answer is not to be pressed.
    case unreadable
  }

  public enum Step: Sendable, Hashable {
    /// To be answered by ``answered(_:_:at:draw:)`` for each.
    case ask([String])
    /// Nothing is due before that time.
    case wait(until: Duration)
    /// Nothing is watched, or every queue is being asked about.
    case idle
  }

  private struct Entry: Sendable {
    let name: String
    var due: Duration
    var pause: Duration
    var isAsked = false
  }

  public let settings: Settings
  private var entries: [Entry] = []
  private var places: [String: Int] = [:]
  private var allowance: Double
  private var counted: Duration

  /// - Parameters:
  ///   - names: each once; all are due at once, as fast as the rate allows.
  ///   - now: the time on a clock that never goes back, as all times here.
  public init(_ names: [String] = [], settings: Settings = Settings(), at now: Duration = .zero) {
    self.settings = settings
    self.allowance = Double(settings.batch)
    self.counted = now
    for name in names { self.add(name, at: now) }
  }

  public var count: Int { self.entries.count }

  /// The longest time between two looks at one queue, when every question is answered at once: the bound, or what the rate makes of so
  /// many queues.
  public var longestGap: Duration { max(self.settings.longest, .seconds(Double(self.entries.count) / self.settings.rate)) }

  /// A further queue, due at once. One that is watched already stays as it is.
  public mutating func add(_ name: String, at now: Duration) {
    guard self.places[name] == nil else { return }
    self.places[name] = self.entries.count
    self.entries.append(Entry(name: name, due: now, pause: self.settings.shortest))
  }

  /// An answer about it that is still to come changes nothing.
  public mutating func remove(_ name: String) {
    guard let place = self.places.removeValue(forKey: name) else { return }
    let last = self.entries.removeLast()
    if place < self.entries.count {
      self.entries[place] = last
      self.places[last.name] = place
    }
  }

  /// What is to be done now.
  public mutating func next(at now: Duration) -> Step {
    self.refill(at: now)
    var due: [Int] = []
    var earliest: Duration?
    for place in self.entries.indices where !self.entries[place].isAsked {
      let time = self.entries[place].due
      if time <= now { due.append(place) } else if time < earliest ?? .seconds(Int64.max / 4) { earliest = time }
    }
    if due.isEmpty { return earliest.map { .wait(until: $0) } ?? .idle }
    let most = min(self.settings.batch, due.count)
    // Not one by one as the allowance comes in: as many together as are wanted, so that questions can be put together.
    guard self.allowance >= Double(most) else {
      return .wait(until: now + .seconds((Double(most) - self.allowance) / self.settings.rate) + .milliseconds(1))
    }
    if due.count > most { due.sort { (self.entries[$0].due, $0) < (self.entries[$1].due, $1) } }
    self.allowance -= Double(most)
    return .ask(
      due.prefix(most).map { place in
        self.entries[place].isAsked = true
        return self.entries[place].name
      })
  }

  /// A look is over.
  ///
  /// - Parameter draw: 0 up to 1, drawn anew for each answer.
  public mutating func answered(_ name: String, _ look: Look, at now: Duration, draw: Double) {
    guard let place = self.places[name], self.entries[place].isAsked else { return }
    let longer = min(self.entries[place].pause * self.settings.growth, self.settings.longest)
    let pause =
      switch look {
      case .changed: self.settings.shortest
      case .same, .unreadable: longer
      }
    self.entries[place].isAsked = false
    self.entries[place].pause = pause
    self.entries[place].due = now + pause * (1 - self.settings.spread * min(max(draw, 0), 1))
  }

  private mutating func refill(at now: Duration) {
    guard now > self.counted else { return }
    self.allowance = min(Double(self.settings.batch), self.allowance + (now - self.counted) / .seconds(1) * self.settings.rate)
    self.counted = now
  }
}
