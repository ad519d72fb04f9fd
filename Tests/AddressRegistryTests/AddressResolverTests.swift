// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@Suite("A look-up: the cache while fresh, else the register, else the cache with its age shown")
struct AddressResolverTests {
  private let clock = TestClock()
  private let down = AddressRegistryError.registerUnreachable(url: "https://ar.example.no", seen: "refused")

  private func resolver(_ cache: AddressCache, _ register: ScriptedRegister?) -> AddressResolver {
    AddressResolver(cache: cache, register: register, clock: self.clock)
  }

  @Test("an unknown party is asked for once, cached, and asked for again when it is an hour old")
  func everyday() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([party(1)])
      let resolver = self.resolver(cache, register)
      #expect(try await resolver.party(her(1)).freshness == .fresh)
      self.clock.advance(by: .seconds(3_600))
      let cached = try await resolver.party(her(1))
      #expect(cached.freshness == .fresh)
      #expect(cached.age == .seconds(3_600))
      #expect(register.questions == 1)
      self.clock.advance(by: .seconds(1))
      let moved = try party(1).moved(to: tjenestebuss)
      register.put(moved)
      let again = try await resolver.party(her(1))
      #expect(again.entry.record == moved)
      #expect(again.age == .zero)
      #expect(register.questions == 2)
      #expect(try await cache.party(her(1))?.record == moved)
    }
  }

  @Test("a hundred callers at once ask the register once")
  func hundred() async throws {
    try await withCache { cache in
      let gate = Gate()
      let register = ScriptedRegister([party(1)], gate: gate)
      let resolver = self.resolver(cache, register)
      try await withThrowingTaskGroup(of: PartyRecord.self) { group in
        for _ in 0..<100 { group.addTask { try await resolver.party(her(1)).entry.record } }
        group.addTask {
          gate.open()
          return party(1)
        }
        for try await record in group { #expect(record == party(1)) }
      }
      #expect(register.questions == 1)
    }
  }

  @Test("with the register down the cached entry is used, and its age and the reason are told")
  func stale() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([party(1)])
      let resolver = self.resolver(cache, register)
      _ = try await resolver.party(her(1))
      register.fail(with: self.down)
      self.clock.advance(by: .seconds(7_200))
      let answer = try await resolver.party(her(1))
      #expect(answer.entry.record == party(1))
      #expect(answer.age == .seconds(7_200))
      #expect(answer.freshness == .stale(because: "AR-401: refused"))
      let route = try await resolver.route(her(1), .asynchronous, buses: bothBuses)
      #expect(route.decision.age == .seconds(7_200))
      #expect(route.freshness == .stale(because: "AR-401: refused"))
    }
  }

  @Test("not every message waits out the same time-out: for 30 seconds after a failure nobody asks")
  func restraint() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([party(1)])
      let resolver = self.resolver(cache, register)
      _ = try await resolver.party(her(1))
      register.fail(with: self.down)
      self.clock.advance(by: .seconds(4_000))
      for _ in 0..<5 { _ = try await resolver.party(her(1)) }
      #expect(register.questions == 2)
      self.clock.advance(by: .seconds(30))
      register.fail(with: nil)
      #expect(try await resolver.party(her(1)).freshness == .fresh)
      #expect(register.questions == 3)
    }
  }

  @Test("beyond twelve hours an old address is not used any more")
  func tooStale() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([party(1)])
      let resolver = self.resolver(cache, register)
      _ = try await resolver.party(her(1))
      register.fail(with: self.down)
      self.clock.advance(by: .seconds(12 * 3_600))
      _ = try await resolver.party(her(1))
      self.clock.advance(by: .seconds(31))
      let error = await failure { try await resolver.party(her(1)) }
      #expect(
        error
          == .tooStale(her(1), age: .seconds(12 * 3_600 + 31), limit: .seconds(12 * 3_600), because: "AR-401: refused"))
    }
  }

  @Test("a refresh asks even while the cache is fresh, and has no stale answer")
  func refresh() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([party(1)])
      let resolver = self.resolver(cache, register)
      _ = try await resolver.party(her(1))
      let moved = try party(1).moved(to: tjenestebuss)
      register.put(moved)
      #expect(try await resolver.party(her(1)).entry.record == party(1))
      #expect(try await resolver.route(her(1), .asynchronous, buses: bothBuses, policy: .refresh).decision.bus == tjenestebuss)
      #expect(try await resolver.party(her(1)).entry.record == moved)
      register.fail(with: self.down)
      #expect(await failure { try await resolver.party(her(1), policy: .refresh) } == self.down)
      #expect(try await resolver.party(her(1)).entry.record == moved)
    }
  }

  @Test("no such party is the register's answer: no stale entry covers it")
  func gone() async throws {
    try await withCache { cache in
      try await cache.save(party(1), source: .soap, readAt: start, now: start)
      let resolver = self.resolver(cache, ScriptedRegister([]))
      self.clock.advance(by: .seconds(4_000))
      #expect(await failure { try await resolver.party(her(1)) } == .partyUnknown(her(1), askedRegister: true))
      #expect(await failure { try await resolver.party(her(2)) } == .partyUnknown(her(2), askedRegister: true))
    }
  }

  @Test("with the register down and nothing cached, the register's error comes out")
  func downAndEmpty() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([])
      register.fail(with: self.down)
      #expect(await failure { try await self.resolver(cache, register).party(her(1)) } == self.down)
    }
  }

  @Test("without a register, files serve: stale after an hour and said to be, never useless")
  func filesOnly() async throws {
    try await withCache { cache in
      _ = try await cache.importParties([party(1)], readAt: start, now: start)
      let resolver = self.resolver(cache, nil)
      #expect(try await resolver.party(her(1)).freshness == .fresh)
      self.clock.advance(by: .seconds(30 * 86_400))
      let answer = try await resolver.party(her(1))
      #expect(answer.freshness == .stale(because: "no register is configured"))
      #expect(answer.age == .seconds(30 * 86_400))
      #expect(await failure { try await resolver.party(her(2)) } == .partyUnknown(her(2), askedRegister: false))
      #expect(await failure { try await resolver.party(her(1), policy: .refresh) }?.stableCode == "AR-410")
    }
  }

  @Test("the cache alone answers what it has, and says when that is old")
  func cacheOnly() async throws {
    try await withCache { cache in
      try await cache.save(party(1), source: .soap, readAt: start, now: start)
      let register = ScriptedRegister([party(1)])
      let resolver = self.resolver(cache, register)
      #expect(try await resolver.party(her(1), policy: .cacheOnly).freshness == .fresh)
      self.clock.advance(by: .seconds(100_000))
      let answer = try await resolver.party(her(1), policy: .cacheOnly)
      #expect(answer.freshness == .stale(because: "the register was not asked"))
      #expect(
        await failure { try await resolver.party(her(2), policy: .cacheOnly) } == .partyUnknown(her(2), askedRegister: false))
      #expect(register.questions == 0)
    }
  }

  @Test("an entry from the future is not fresh: the clock was set back")
  func future() async throws {
    try await withCache { cache in
      try await cache.save(party(1), source: .soap, readAt: start.advanced(by: .seconds(600)), now: start)
      let register = ScriptedRegister([party(1)])
      let answer = try await self.resolver(cache, register).party(her(1))
      #expect(answer.age == .zero)
      #expect(register.questions == 1)
    }
  }

  @Test("with a cache that is open for reading only, the register's answer is used and not kept")
  func readOnlyCache() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/cache.sqlite"
      let writer = try await AddressCache.open(path: path, access: .readWrite)
      try await writer.save(party(1), source: .soap, readAt: start, now: start)
      let reader = try await AddressCache.open(path: path, access: .readOnly)
      let moved = try party(1).moved(to: tjenestebuss)
      let resolver = self.resolver(reader, ScriptedRegister([moved]))
      #expect(try await resolver.party(her(1)).entry.record == party(1))
      #expect(try await resolver.party(her(1), policy: .refresh).entry.record == moved)
      #expect(try await writer.party(her(1))?.record == party(1))
      try await reader.close()
      try await writer.close()
    }
  }
}
