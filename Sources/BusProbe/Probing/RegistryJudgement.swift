// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure

/// What cache and register say of a party, judged: steps 11 to 13, and the route. Pure.
struct RegistryJudgement: Sendable {
  /// What looking somewhere brought.
  enum Look<Found: Sendable>: Sendable {
    case notConfigured
    case failed(any ExplainedError)
    /// It was asked, and has no such party.
    case none
    case found(Found)
  }

  private(set) var steps: [ProbeStep] = []
  private(set) var decision: RouteDecision?

  init(
    _ herID: HerID, kind: QueueKind, buses: [Bus], cache: Look<RegistryEntry>, cacheMilliseconds: Double?,
    register: Look<RegistryEntry>, registerMilliseconds: Double?, now: RegistryInstant, cacheMaximumAge: Duration
  ) {
    self.steps.append(Self.cacheStep(cache, kind, cacheMilliseconds, now, cacheMaximumAge))
    self.steps.append(Self.registerStep(herID, register, cache, kind, registerMilliseconds))
    // Where the register answered that it knows nobody, our copy is worth nothing.
    if case .none = register { return }
    let entry: RegistryEntry
    if case .found(let live) = register {
      entry = live
    } else if case .found(let cached) = cache {
      entry = cached
    } else {
      // The steps so far say why there is nothing; where none of them failed, this one must.
      if !self.steps.contains(where: { $0.verdict == .failed }) {
        self.steps.append(ProbeStep(.decision, error: AddressRegistryError.partyUnknown(herID, askedRegister: false)))
      }
      return
    }
    self.decide(entry, kind, buses, now, cacheMaximumAge)
  }

  private mutating func decide(
    _ entry: RegistryEntry, _ kind: QueueKind, _ buses: [Bus], _ now: RegistryInstant, _ maximumAge: Duration
  ) {
    let decision: RouteDecision
    do throws(AddressRegistryError) {
      decision = try RouteDecision.decide(entry, kind: kind, buses: buses, now: now)
    } catch {
      self.steps.append(ProbeStep(.decision, error: error))
      return
    }
    let all = QueueKind.inRegister.compactMap { kind in
      (try? RouteDecision.decide(entry, kind: kind, buses: buses, now: now)).map { (kind, $0.bus.name) }
    }
    if Set(all.map(\.1)).count > 1 {
      let words = all.map { "\($0.0.rawValue) on \($0.1)" }.joined(separator: ", ")
      self.steps.append(ProbeStep(.halfMoved, seen: words))
      return
    }
    self.decision = decision
    let origin =
      switch decision.origin {
      case .own: "its own"
      case .inherited(let parent): "inherited from \(parent)"
      case .inheritedFromUnnamed: "inherited, from whom is not said"
      }
    let isOld = entry.source != .soap && decision.age > maximumAge
    self.steps.append(
      ProbeStep(
        isOld ? .decidedFromOldCache : .decided, seen: "bus \(decision.bus.name), \(decision.address), \(origin)"))
  }

  private static func address(_ entry: RegistryEntry, _ kind: QueueKind) -> String {
    entry.record.addresses.first { $0.queueKind == kind }?.text ?? "no \(kind.rawValue) address"
  }

  private static func cacheStep(
    _ cache: Look<RegistryEntry>, _ kind: QueueKind, _ milliseconds: Double?, _ now: RegistryInstant, _ maximumAge: Duration
  ) -> ProbeStep {
    switch cache {
    case .notConfigured: return ProbeStep(.cacheNotConfigured, seen: "no cache")
    case .failed(let error): return ProbeStep(.cache, error: error, verdict: .warning, milliseconds: milliseconds)
    case .none: return ProbeStep(.cacheLacks, seen: "not in the cache", milliseconds: milliseconds)
    case .found(let entry):
      let age = entry.age(at: now)
      let isFresh = age >= .zero && age <= maximumAge
      return ProbeStep(
        isFresh ? .cacheFresh : .cacheOld,
        seen:
          "\(entry.record.name): \(Self.address(entry, kind)), from \(entry.source.rawValue), \(age.components.seconds / 60) min old",
        milliseconds: milliseconds)
    }
  }

  private static func registerStep(
    _ herID: HerID, _ register: Look<RegistryEntry>, _ cache: Look<RegistryEntry>, _ kind: QueueKind, _ milliseconds: Double?
  ) -> ProbeStep {
    switch register {
    case .notConfigured: return ProbeStep(.registerNotConfigured, seen: "no register")
    case .none:
      return ProbeStep(
        .register, error: AddressRegistryError.partyUnknown(herID, askedRegister: true), milliseconds: milliseconds)
    case .failed(let error):
      // With a copy at hand the ladder goes on, and says that it rests on the copy.
      let hasCopy = if case .found = cache { true } else { false }
      return ProbeStep(.register, error: error, verdict: hasCopy ? .warning : .failed, milliseconds: milliseconds)
    case .found(let live):
      let seen = "\(live.record.name): \(Self.address(live, kind))"
      guard case .found(let cached) = cache else {
        return ProbeStep(.registerOnly, seen: seen, milliseconds: milliseconds)
      }
      if cached.hash == live.hash { return ProbeStep(.registerAgrees, seen: seen, milliseconds: milliseconds) }
      return ProbeStep(.registerDiffers, seen: "\(seen); our copy: \(Self.address(cached, kind))", milliseconds: milliseconds)
    }
  }
}
