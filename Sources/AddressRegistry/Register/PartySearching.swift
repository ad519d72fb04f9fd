// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What is searched for in the register.
public struct PartySearch: Sendable, Hashable {
  /// A constraint by the register's own name for it. Which names it knows is not public.
  public struct Constraint: Sendable, Hashable {
    public var key: String
    public var value: String

    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  public var constraints: [Constraint]
  /// Parties per answer. Default 100.
  public var pageSize: Int

  public init(constraints: [Constraint], pageSize: Int = 100) {
    self.constraints = constraints
    self.pageSize = pageSize
  }
}

/// A party that a search found.
public struct PartyHit: Sendable, Hashable {
  public var herID: HerID
  public var name: String
  /// The whole entry; nil when the answer did not hold all of it. Then it is read by its number.
  public var record: PartyRecord?

  public init(herID: HerID, name: String, record: PartyRecord?) {
    self.herID = herID
    self.name = name
    self.record = record
  }
}

/// One page of what a search found.
public struct PartyPage: Sendable, Hashable {
  /// Counted from 1.
  public var page: Int
  public var hits: [PartyHit]
  public var failures: [PartyFailure]
  /// How many parties the whole search finds; nil when the register did not say.
  public var total: Int?

  public init(page: Int, hits: [PartyHit], failures: [PartyFailure], total: Int?) {
    self.page = page
    self.hits = hits
    self.failures = failures
    self.total = total
  }
}

/// The register searched, page by page.
public protocol PartySearching: Sendable {
  /// - Parameter page: counted from 1.
  /// - Throws: the `register…` cases of ``AddressRegistryError``, `CancellationError`.
  func search(_ search: PartySearch, page: Int) async throws -> PartyPage
}

extension PartySearching {
  /// All pages, one after the other: until as many parties came as the search finds, a page is not full, or the same page
  /// comes twice running. While the register changes, a party can be passed over or come twice.
  ///
  /// - Parameter take: gets each page; what it throws ends the search.
  public func searchAll(
    _ search: PartySearch, isolation: isolated (any Actor)? = #isolation, _ take: (PartyPage) async throws -> Void
  ) async throws {
    var taken = 0
    var previous: PartyPage?
    var number = 1
    while true {
      var page = try await self.search(search, page: number)
      page.page = number
      let count = page.hits.count + page.failures.count
      // A register that shows the same page again and again must not keep us for ever.
      let isRepeated = page.hits == previous?.hits && page.failures == previous?.failures
      guard count > 0, !isRepeated else { return }
      try await take(page)
      taken += count
      if page.total.map({ taken >= $0 }) ?? (count < search.pageSize) { return }
      previous = page
      number += 1
    }
  }
}
