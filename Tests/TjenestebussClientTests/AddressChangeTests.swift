// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import Foundation
import NIOConcurrencyHelpers
import Testing

@testable import TjenestebussClient

@Suite("A party's entry has changed", .timeLimit(.minutes(5)))
struct AddressChangeTests {
  @Test("Which events are changes of a party, by whatever case and type of header")
  func events() throws {
    func event(_ properties: AMQPMap, subject: String? = nil) -> RegistryEvent {
      RegistryEvent(
        AMQPMessage(properties: AMQPProperties(subject: subject), applicationProperties: properties, body: .data([1])))
    }
    let party = try Fixture.herID(100)
    for name in ["CommunicationPartyCreated", "CommunicationPartyUpdated", "CommunicationPartyTransportEnabled"] {
      #expect(event(["eventName": .string(name), "herId": "100"]) == .addressChanged(AddressChange(herID: party, event: name)))
    }
    #expect(
      event(["EventName": "CommunicationPartyUpdated", "HerId": .int(100)])
        == .addressChanged(AddressChange(herID: party, event: "CommunicationPartyUpdated")))
    #expect(
      event(["herId": "100"], subject: "CommunicationPartyUpdated")
        == .addressChanged(AddressChange(herID: party, event: "CommunicationPartyUpdated")))
    #expect(event(["eventName": "CpaCreated", "herId": "100"]) == .other)
    #expect(event([:]) == .other)
    #expect(event(["eventName": "CommunicationPartyUpdated"]) == .unreadable)
    #expect(event(["eventName": "CommunicationPartyUpdated", "herId": "0"]) == .unreadable)
  }

  private func withResolver(
    _ body: (AddressResolver, Register, AddressCache) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("change-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = try await AddressCache.open(path: folder.appendingPathComponent("c.sqlite").path, access: .readWrite)
    let register = Register()
    try await body(AddressResolver(cache: cache, register: register, clock: register), register, cache)
    try await cache.close()
  }

  @Test("After a change the cached entry answers no more: the register is asked at the next look-up, once")
  func invalidate() async throws {
    try await self.withResolver { resolver, register, _ in
      let party = try Fixture.herID(100)
      #expect(try await resolver.party(party).entry.record.name == "before")
      #expect(try await resolver.party(party).entry.record.name == "before")
      #expect(register.asked == 1)
      register.set("after")
      register.advance()
      await resolver.invalidate(party)
      register.advance()
      #expect(try await resolver.party(party).entry.record.name == "after")
      #expect(try await resolver.party(party).freshness == .fresh)
      #expect(register.asked == 2)
    }
  }

  @Test("The register cannot be asked after a change: an error, never the place where the party was")
  func registerAway() async throws {
    try await self.withResolver { resolver, register, cache in
      let party = try Fixture.herID(100)
      _ = try await resolver.party(party)
      register.advance()
      await resolver.invalidate(party)
      register.set(nil)
      await #expect(throws: AddressRegistryError.self) { try await resolver.party(party) }
      await #expect(throws: AddressRegistryError.self, "also within the pause after a failure") {
        try await resolver.party(party)
      }
      // A restart: the file remembers it as too old to be used.
      let restarted = AddressResolver(cache: cache, register: register, clock: register)
      await #expect(throws: AddressRegistryError.self) { try await restarted.party(party) }
      register.set("after")
      register.advance(.seconds(60))
      #expect(try await resolver.party(party).entry.record.name == "after")
    }
  }
}

/// A register, and the time.
private final class Register: AddressRegisterReading, RegistryClock {
  private struct State {
    var name: String? = "before"
    var asked = 0
    var now = RegistryInstant(millisecondsSinceEpoch: 1_763_700_000_000)
  }
  private let state = NIOLockedValueBox(State())

  var asked: Int { self.state.withLockedValue { $0.asked } }
  var now: RegistryInstant { self.state.withLockedValue { $0.now } }

  /// Nil: it cannot be asked.
  func set(_ name: String?) { self.state.withLockedValue { $0.name = name } }
  func advance(_ duration: Duration = .seconds(1)) { self.state.withLockedValue { $0.now = $0.now.advanced(by: duration) } }

  func party(_ herID: HerID) async throws -> PartyRecord {
    let name = self.state.withLockedValue { state in
      state.asked += 1
      return state.name
    }
    guard let name else { throw AddressRegistryError.registerUnreachable(url: "x", seen: "away") }
    return PartyRecord(
      herID: herID, name: name, kind: .organisation, parent: nil, active: true, valid: true,
      addresses: [.init(typeCode: "E_SB_ASYNC", text: "sb/NHN/100_async", inherited: false)])
  }
}
