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
    self.steps.append(Self.cacheStep(herID, cache, kind, cacheMilliseconds, now, cacheMaximumAge))
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
        self.steps.append(ProbeStep(.nobodyKnows, [.herID: "\(herID)"]))
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
      self.steps.append(Self.undecided(error))
      return
    }
    let all = QueueKind.inRegister.compactMap { kind in
      (try? RouteDecision.decide(entry, kind: kind, buses: buses, now: now)).map { (kind, $0.bus.name) }
    }
    if Set(all.map(\.1)).count > 1 {
      self.steps.append(
        ProbeStep(.halfMoved, [.queues: .list(all.map { .words([.text($0.0.rawValue), .term(.on), "\($0.1)"]) })]))
      return
    }
    self.decision = decision
    let origin: ProbeValue =
      switch decision.origin {
      case .own: .term(.own)
      case .inherited(let parent): .words([.term(.inheritedFrom), "\(parent)"])
      case .inheritedFromUnnamed: .term(.inherited)
      }
    let isOld = entry.source != .soap && decision.age > maximumAge
    self.steps.append(
      ProbeStep(
        isOld ? .decidedFromOldCache : .decided,
        [
          .bus: "\(decision.bus.name)", .address: "\(decision.address)", .origin: origin,
          .minutes: .number(decision.age.components.seconds / 60),
        ]))
  }

  /// Why an entry leads to no bus.
  private static func undecided(_ error: AddressRegistryError) -> ProbeStep {
    func list(_ texts: [String]) -> ProbeValue { .text(texts.joined(separator: ", ")) }
    func buses(_ names: [BusName]) -> ProbeValue { names.isEmpty ? .term(.notTold) : list(names.map(\.text)) }
    switch error {
    case .partyNotActive(let herID): return ProbeStep(.partyInactive, [.herID: "\(herID)"])
    case .addressMissing(let herID, let kind):
      return ProbeStep(.addressMissing, [.herID: "\(herID)", .kind: .text(kind.rawValue)])
    case .addressMalformed(_, _, let text): return ProbeStep(.addressMalformed, [.address: .text(text)])
    case .addressAmbiguous(_, let kind, let texts):
      return ProbeStep(.addressAmbiguous, [.kind: .text(kind.rawValue), .queues: list(texts)])
    case .otherTransport(_, _, let codes): return ProbeStep(.otherTransport, [.kind: list(codes)])
    case .addressOnNoBus(_, _, let address, let configured):
      return ProbeStep(.addressOnNoBus, [.address: "\(address)", .buses: buses(configured)])
    case .addressOnSeveralBuses(_, _, let address, let names):
      return ProbeStep(.addressOnSeveralBuses, [.address: "\(address)", .buses: buses(names)])
    default: return ProbeStep(.notDecided, [.error: .error(error)])
    }
  }

  private static func address(_ entry: RegistryEntry, _ kind: QueueKind) -> ProbeValue {
    (entry.record.addresses.first { $0.queueKind == kind }?.text).map { .text($0) } ?? .term(.noAddress)
  }

  private static func cacheStep(
    _ herID: HerID, _ cache: Look<RegistryEntry>, _ kind: QueueKind, _ milliseconds: Double?, _ now: RegistryInstant,
    _ maximumAge: Duration
  ) -> ProbeStep {
    switch cache {
    case .notConfigured: return ProbeStep(.cacheNotConfigured)
    case .failed(let error):
      var finding = ProbeFinding.cacheUnusable
      switch error as? AddressRegistryError {
      case .cacheRowDamaged, .cacheCorrupt: finding = .cacheDamaged
      default: break
      }
      return ProbeStep(finding, [.error: .error(error)], milliseconds: milliseconds)
    case .none: return ProbeStep(.cacheLacks, [.herID: "\(herID)"], milliseconds: milliseconds)
    case .found(let entry):
      let age = entry.age(at: now)
      let isFresh = age >= .zero && age <= maximumAge
      return ProbeStep(
        isFresh ? .cacheFresh : .cacheOld,
        [
          .name: .text(entry.record.name), .address: Self.address(entry, kind), .source: .text(entry.source.rawValue),
          .minutes: .number(age.components.seconds / 60),
        ],
        milliseconds: milliseconds)
    }
  }

  private static func registerStep(
    _ herID: HerID, _ register: Look<RegistryEntry>, _ cache: Look<RegistryEntry>, _ kind: QueueKind, _ milliseconds: Double?
  ) -> ProbeStep {
    switch register {
    case .notConfigured: return ProbeStep(.registerNotConfigured)
    case .none: return ProbeStep(.registerUnknown, [.herID: "\(herID)"], milliseconds: milliseconds)
    case .failed(let error):
      // With a copy at hand the ladder goes on, and says that it rests on the copy.
      let hasCopy = if case .found = cache { true } else { false }
      return ProbeStep(
        Self.registerFinding(error), [.error: .error(error)], verdict: hasCopy ? .warning : .failed, milliseconds: milliseconds)
    case .found(let live):
      var facts: [ProbeFact: ProbeValue] = [.name: .text(live.record.name), .address: Self.address(live, kind)]
      guard case .found(let cached) = cache else { return ProbeStep(.registerOnly, facts, milliseconds: milliseconds) }
      if cached.hash == live.hash { return ProbeStep(.registerAgrees, facts, milliseconds: milliseconds) }
      facts[.cached] = Self.address(cached, kind)
      return ProbeStep(.registerDiffers, facts, milliseconds: milliseconds)
    }
  }

  private static func registerFinding(_ error: any ExplainedError) -> ProbeFinding {
    switch error as? AddressRegistryError {
    case .registerUnreachable, .registerTimedOut, .registerConnectionLost: .registerUnreachable
    case .registerLoginRefused, .tokenRefused, .tokenUnreadable, .signingKeyUnusable, .registerConfigurationInvalid:
      .registerRefused
    default: .registerFaulty
    }
  }
}

extension ProbeValue {
  /// Any error that explains itself: its stable code, and what was seen.
  static func error(_ error: any ExplainedError) -> ProbeValue {
    .text("[\(error.stableCode)] \(error.explanation.seen)")
  }
}
