// SPDX-License-Identifier: Apache-2.0

extension DrainVerdict {
  /// The same verdict from the events alone, one at a time, without the state that the daemon keeps.
  public struct Recomputation: Sendable {
    private let pulje: PuljeName
    private let id: GroupID
    private var plan: Plan?
    private var group: GroupState?
    /// The history speaks of the group before its plan was sealed.
    private var isBroken = false
    /// Events taken, those about other groups among them.
    public private(set) var events = 0

    public init(pulje: PuljeName, group id: GroupID) {
      self.pulje = pulje
      self.id = id
    }

    /// The next event; those that are not about this group are passed over.
    public mutating func take(_ event: MigrationEvent, at: Instant) {
      self.events += 1
      switch event {
      case .puljeSealed(let sealed, _) where sealed.name == self.pulje:
        self.plan = sealed
        self.group = sealed.groups.first { $0.id == self.id }.map { GroupState($0, at: at) }
      case .group(self.pulje, self.id, let event):
        guard let policy = self.plan?.policy else {
          self.isBroken = true
          return
        }
        self.group?.apply(event, at: at, policy: policy)
      case .daemonStarted: self.group?.applyRestart(at: at)
      default: break
      }
    }

    /// nil when the history has no such group.
    public func verdict(now: Instant) -> DrainVerdict? {
      guard !self.isBroken, let plan, let group else { return nil }
      return group.drainVerdict(plan, now: now) { herID in
        plan.groups.lazy.flatMap(\.members).first { $0.herID == herID }?.vendor
      }
    }
  }

  /// - Parameter history: all events in order.
  /// - Returns: nil when the history has no such group.
  public static func recomputed(
    pulje: PuljeName, group id: GroupID, from history: some Sequence<(event: MigrationEvent, at: Instant)>, now: Instant
  ) -> DrainVerdict? {
    var recomputation = Recomputation(pulje: pulje, group: id)
    for (event, at) in history { recomputation.take(event, at: at) }
    return recomputation.verdict(now: now)
  }
}
