// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// Who knows where a party's queues are. `AddressResolver` does, from the address register and its cache; tests hand in
/// their own.
public protocol RouteResolving: Sendable {
  /// - Parameters:
  ///   - buses: the buses that are configured; the address's host tells which of them it is.
  ///   - lookUp: whether the cache may answer.
  /// - Throws: an error that explains itself when there is no such party, no such queue, or nobody to ask.
  func route(to herID: HerID, kind: QueueKind, buses: [Bus], lookUp: RouteLookUp) async throws -> Route
  /// The party's entry has changed: what is cached of it must not answer any more.
  func forget(_ herID: HerID) async
  /// How long ago the party's entry was read from the register, as far as a copy of it is kept here; the register is not asked.
  ///
  /// - Returns: nil where there is no copy, or its age is not known.
  func copyAge(of herID: HerID) async -> Duration?
}

extension RouteResolving {
  public func copyAge(of herID: HerID) async -> Duration? { nil }
}

/// How a route is looked up.
public enum RouteLookUp: Sendable, Hashable {
  /// From the cache while it is fresh.
  case cached
  /// From the register itself, now: after a message came back.
  case refreshed
}

extension AddressResolver: RouteResolving {
  public func forget(_ herID: HerID) async { await self.invalidate(herID) }

  public func copyAge(of herID: HerID) async -> Duration? {
    // A copy from the future was read before the clock was set back: how old it is, nobody knows.
    guard let age = try? await self.party(herID, policy: .cacheOnly).age, age >= .zero else { return nil }
    return age
  }

  public func route(to herID: HerID, kind: QueueKind, buses: [Bus], lookUp: RouteLookUp) async throws -> Route {
    if lookUp == .cached, let known = self.cachedRoute(herID, kind, buses: buses) {
      return Route(
        herID: herID, kind: kind, bus: known.bus, address: known.address, age: self.age(of: known), staleBecause: nil)
    }
    let policy: Policy =
      switch lookUp {
      case .cached: .cacheWhileFresh
      case .refreshed: .refresh
      }
    let (decision, freshness) = try await self.route(herID, kind, buses: buses, policy: policy)
    var because: String?
    if case .stale(let reason) = freshness { because = reason }
    return Route(
      herID: herID, kind: kind, bus: decision.bus.name, address: decision.address, age: decision.age, staleBecause: because)
  }
}
