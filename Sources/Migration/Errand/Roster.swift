// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Who is at work, who is to begin, and when to look again: the engine's scheduling, as a value. Bounded by ``EngineSettings``.
public struct Roster: Sendable {
  public struct Key: Sendable, Hashable {
    public var pulje: PuljeName
    public var group: GroupID

    public init(pulje: PuljeName, group: GroupID) {
      self.pulje = pulje
      self.group = group
    }
  }

  /// What is begun now, and when to look again by itself; nil when only news can move anything.
  public struct Turn: Sendable {
    public var begin: [(key: Key, action: GroupAction)] = []
    public var wake: Instant?

    mutating func wake(at instant: Instant) { self.wake = min(self.wake ?? instant, instant) }
  }

  public private(set) var busy: [Key: GroupAction] = [:]
  /// A group whose last result was refused waits a moment: whatever is wrong, it must not turn the loop into a race.
  private var coolUntil: [Key: Instant] = [:]
  private var outlooks: [PuljeName: Outlooks] = [:]
  /// Can be changed at any time: what is under way goes on as it was begun.
  public var settings: EngineSettings

  public init(settings: EngineSettings) { self.settings = settings }

  /// Takes what is due into work.
  public mutating func turn(_ state: MigrationState, now: Instant) -> Turn {
    var turn = Turn(wake: self.settings.heartbeat.map { now + $0 })
    var writes = self.busy.values.count(where: \.isWrite)
    // A bus that answers nobody, or a rate that lets few through, must not keep every place taken from those who go back, or have a
    // write whose end nobody knows.
    let ordinary = max(1, self.settings.concurrentGroups - self.settings.concurrentGroups / 4)
    // Counted when the first group wants a place: at most turns none does.
    var ordinaryBusy: Int?
    for pulje in state.ordered {
      // Out of the dictionary and back, so that it is changed where it lies.
      var outlooks = self.outlooks.removeValue(forKey: pulje.name) ?? Outlooks()
      let contexts = pulje.contexts(stop: state.stop, now: now)
      outlooks.refresh(pulje.groups, contexts, now: now)
      for place in pulje.groups.indices {
        switch outlooks[place] {
        case .done: continue
        case .wait(let until):
          if let until { turn.wake(at: until) }
          continue
        case .act: break
        }
        // A group that is at work has something to do, or waits for what its work will change.
        guard self.busy.count < self.settings.concurrentGroups else { continue }
        let group = pulje.groups[place]
        let key = Key(pulje: pulje.name, group: group.id)
        if self.busy[key] != nil { continue }
        if let cool = self.coolUntil[key], now < cool {
          turn.wake(at: cool)
          continue
        }
        let taken = ordinaryBusy ?? self.busy.keys.count { !Self.isUrgent($0, state) }
        ordinaryBusy = taken
        guard group.isUrgent || taken < ordinary else { continue }
        guard case .act(let action) = group.next(in: contexts.context(at: place), now: now) else { continue }
        if action.isWrite {
          guard writes < self.settings.concurrentWrites else { continue }
          writes += 1
        }
        if !group.isUrgent { ordinaryBusy = taken + 1 }
        self.busy[key] = action
        turn.begin.append((key, action))
      }
      self.outlooks[pulje.name] = outlooks
    }
    return turn
  }

  private static func isUrgent(_ key: Key, _ state: MigrationState) -> Bool {
    state.puljer[key.pulje]?.groups[key.group]?.isUrgent ?? false
  }

  /// The errand for `key` is over.
  public mutating func finished(_ key: Key, wasRefused: Bool, now: Instant) {
    self.busy[key] = nil
    self.coolUntil[key] = wasRefused ? now + self.settings.retryBase : nil
  }
}

extension GroupState {
  /// Whether it goes back, or a write of its is open.
  fileprivate var isUrgent: Bool { self.direction == .back || self.phase.isWriting }
}

extension GroupAction {
  var isWrite: Bool { if case .write = self { true } else { false } }
}
