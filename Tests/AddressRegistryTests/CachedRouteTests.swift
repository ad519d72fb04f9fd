// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import AddressRegistry

@Suite("Routes in memory: as fresh as the file, whoever writes it")
struct CachedRouteTests {
  private let clock = TestClock()

  private func bus(_ resolver: AddressResolver, _ number: Int32 = 1) -> BusName? {
    resolver.cachedRoute(her(number), .asynchronous, buses: bothBuses)?.bus
  }

  @Test("what was looked up once is in memory, until it is an hour old")
  func everyday() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([party(1)])
      let resolver = AddressResolver(cache: cache, register: register, clock: self.clock)
      #expect(self.bus(resolver) == nil)
      _ = try await resolver.route(her(1), .asynchronous, buses: bothBuses)
      #expect(self.bus(resolver) == "servicebus")
      #expect(resolver.cachedRoute(her(1), .synchronousReply, buses: bothBuses) == nil)
      #expect(resolver.cachedRoute(her(1), .asynchronous, buses: [tjenestebuss]) == nil)
      self.clock.advance(by: .seconds(3_600))
      #expect(await failure { try await resolver.route(her(2), .asynchronous, buses: bothBuses) } != nil)
      #expect(self.bus(resolver) == "servicebus")
      self.clock.advance(by: .milliseconds(1))
      #expect(self.bus(resolver) == nil)
      #expect(register.questions == 2)
    }
  }

  @Test("another process reads that the party has moved: memory answers no more than a quarter of a second from before")
  func otherProcess() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/cache.sqlite"
      let daemon = try await AddressCache.open(path: path, access: .readWrite)
      try await daemon.save(party(1), source: .soap, readAt: self.clock.now, now: self.clock.now)
      let mine = try await AddressCache.open(path: path, access: .readOnly)
      let resolver = AddressResolver(cache: mine, register: nil, clock: self.clock)
      #expect(try await resolver.route(her(1), .asynchronous, buses: bothBuses).decision.bus.name == "servicebus")
      #expect(self.bus(resolver) == "servicebus")
      self.clock.advance(by: .milliseconds(200))
      try await daemon.save(
        try party(1).moved(to: tjenestebuss), source: .soap, readAt: self.clock.now, now: self.clock.now)
      self.clock.advance(by: .milliseconds(51))
      #expect(self.bus(resolver) == nil)
      #expect(try await resolver.route(her(1), .asynchronous, buses: bothBuses).decision.bus.name == "tjenestebuss")
      #expect(self.bus(resolver) == "tjenestebuss")
      try await mine.close()
      try await daemon.close()
    }
  }

  @Test("a look for one party brings the news of all that are in memory")
  func newsOfAll() async throws {
    try await withCache { cache in
      for number in Int32(1)...3 {
        try await cache.save(party(number), source: .soap, readAt: self.clock.now, now: self.clock.now)
      }
      let resolver = AddressResolver(cache: cache, register: nil, clock: self.clock)
      #expect(try await resolver.load(buses: bothBuses) == 3)
      #expect(self.bus(resolver, 2) == "servicebus")
      self.clock.advance(by: .seconds(1))
      try await cache.save(try party(2).moved(to: tjenestebuss), source: .soap, readAt: self.clock.now, now: self.clock.now)
      _ = try await resolver.route(her(1), .asynchronous, buses: bothBuses)
      #expect(self.bus(resolver, 2) == "tjenestebuss")
      #expect(self.bus(resolver, 3) == "servicebus")
    }
  }

  @Test("an event says that the party changed: memory forgets it at once, and what was being read does not come back")
  func event() async throws {
    try await withCache { cache in
      let gate = Gate()
      let register = ScriptedRegister([party(1), party(2)], gate: gate)
      let resolver = AddressResolver(cache: cache, register: register, clock: self.clock)
      try await cache.save(party(1), source: .soap, readAt: self.clock.now, now: self.clock.now)
      _ = try await resolver.route(her(1), .asynchronous, buses: bothBuses)
      #expect(self.bus(resolver) == "servicebus")
      await resolver.invalidate(her(1))
      #expect(self.bus(resolver) == nil)
      register.put(try party(1).moved(to: tjenestebuss))
      self.clock.advance(by: .milliseconds(1))
      gate.open()
      #expect(try await resolver.route(her(1), .asynchronous, buses: bothBuses).decision.bus.name == "tjenestebuss")
      #expect(self.bus(resolver) == "tjenestebuss")
    }
  }

  @Test("the register says that there is no such party: believed for a minute, and memory forgets it")
  func absent() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([])
      let resolver = AddressResolver(cache: cache, register: register, clock: self.clock)
      try await cache.save(party(1), source: .soap, readAt: self.clock.now, now: self.clock.now)
      _ = try await resolver.route(her(1), .asynchronous, buses: bothBuses)
      #expect(self.bus(resolver) == "servicebus")
      #expect(await failure { try await resolver.party(her(1), policy: .refresh) }?.stableCode == "AR-201")
      #expect(self.bus(resolver) == nil)
      for _ in 0..<5 { #expect(await failure { try await resolver.party(her(1)) }?.stableCode == "AR-201") }
      #expect(register.questions == 1)
      register.put(party(1))
      self.clock.advance(by: .seconds(60))
      #expect(try await resolver.party(her(1)).freshness == .fresh)
      #expect(register.questions == 2)
    }
  }

  @Test("for planning, five minutes are too old; for sending they are not")
  func planning() async throws {
    try await withCache { cache in
      let register = ScriptedRegister([party(1)])
      let resolver = AddressResolver(cache: cache, register: register, clock: self.clock)
      _ = try await resolver.party(her(1))
      self.clock.advance(by: .seconds(301))
      _ = try await resolver.party(her(1))
      #expect(register.questions == 1)
      _ = try await resolver.party(her(1), for: .planning)
      #expect(register.questions == 2)
    }
  }

  @Test("a clock that was set back makes nothing fresh")
  func clockSetBack() async throws {
    try await withCache { cache in
      let resolver = AddressResolver(cache: cache, register: nil, clock: self.clock)
      try await cache.save(party(1), source: .soap, readAt: self.clock.now, now: self.clock.now)
      _ = try await resolver.route(her(1), .asynchronous, buses: bothBuses)
      self.clock.advance(by: .seconds(-1))
      #expect(self.bus(resolver) == nil)
    }
  }

  @Test("look-ups and changes while the whole file is being read: everything is in memory afterwards, and nothing old")
  func loadingMeanwhile() async throws {
    try await withCache { cache in
      for number in Int32(1)...300 { try await cache.save(party(number), source: .soap, readAt: start, now: start) }
      let resolver = AddressResolver(cache: cache, register: nil, clock: self.clock)
      for _ in 0..<20 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<2 {
            group.addTask {
              let count = try await resolver.load(buses: bothBuses)
              #expect(count == 300)
            }
          }
          group.addTask { _ = try await resolver.route(her(7), .asynchronous, buses: bothBuses) }
          try await group.waitForAll()
        }
        for number in Int32(1)...300 { #expect(self.bus(resolver, number) == "servicebus") }
      }
    }
  }

  @Test("routes for two lists of buses asked of one resolver: loading says that it cannot serve both")
  func otherBuses() async throws {
    let memory = RouteMemory()
    memory.beginLoad(bothBuses)
    _ = memory.lookIfDue([tjenestebuss], now: start)
    #expect(!memory.loaded(RouteTable(buses: bothBuses), change: 1, readAt: start) { _ in false })
  }
}
