// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What the register shows, through the caches it has: each reading operation has its own, so that one shows a change while
/// another does not yet.
extension AddressRegisterServer {
  struct CacheKey: Hashable, Sendable {
    var operation: RegisterOperation
    var key: String
  }

  struct CachedAnswer: Sendable {
    var value: any Sendable
    /// Milliseconds since 1970.
    var madeAt: Int64
  }

  /// What `make` says, or what it said when this was last asked, while that is younger than the operation's lag.
  func cached<Value: Sendable>(_ operation: RegisterOperation, _ key: String, _ make: (inout Inside) -> Value) -> Value {
    let now = self.configuration.clock.milliseconds
    let lag = self.configuration.lags[operation] ?? .zero
    return self.inside.withLock { inside in
      guard lag > .zero else { return make(&inside) }
      let place = CacheKey(operation: operation, key: key)
      if let kept = inside.cached[place], .milliseconds(now - kept.madeAt) < lag, let value = kept.value as? Value {
        return value
      }
      let value = make(&inside)
      inside.cached[place] = CachedAnswer(value: value, madeAt: now)
      return value
    }
  }

  /// The party as this operation shows it; nil when there is none.
  func shown(_ herID: HerID, to operation: RegisterOperation) -> ShownParty? {
    var party = self.cached(operation, "\(herID)") { $0.shown(herID) }
    party?.serverTime = self.nextServerTime()
    return party
  }

  /// The party first, then all below it; nil when there is none.
  func family(of herID: HerID) -> [ShownParty]? {
    self.cached(.organisation, "\(herID)") { inside in
      guard let first = inside.shown(herID) else { return nil }
      return [first] + inside.register.descendants(of: herID).compactMap { inside.shown($0) }
    }
  }

  /// A made-up time that no two answers share: whoever hashes it will notice.
  func nextServerTime() -> MessageTimestamp {
    self.inside.withLock { inside in
      inside.answers += 1
      return MessageTimestamp(secondsSinceEpoch: 1_750_000_000 + inside.answers)
    }
  }

  /// Forgets what the caches hold, as a restart does.
  public func dropCaches() { self.inside.withLock { $0.cached.removeAll() } }
}

extension AddressRegisterServer.Inside {
  func shown(_ herID: HerID) -> ShownParty? {
    guard let record = self.register.record(herID) else { return nil }
    return ShownParty(
      record: record, parentName: record.parent.flatMap { self.register.name(of: $0) },
      lastChanged: RegisterAnswers.time(self.register.lastChange(of: herID)),
      serverTime: MessageTimestamp(secondsSinceEpoch: 1_750_000_000))
  }
}
