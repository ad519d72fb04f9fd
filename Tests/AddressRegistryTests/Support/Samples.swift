// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Testing

/// A HER-ID that is known to be one.
func her(_ number: Int32, sourceLocation: SourceLocation = #_sourceLocation) -> HerID {
  guard let herID = HerID(number) else {
    Issue.record("\(number) is no HER-ID", sourceLocation: sourceLocation)
    return her(1)
  }
  return herID
}

let serviceBus = Bus(
  name: "servicebus", dialect: .serviceBusWindowsServer, hosts: ["sb.test.nhn.no", "sb.nhn.no"], path: "DigitalDialog")
let tjenestebuss = Bus(name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test.nhn.no"], path: "NHNTESTServiceBus")
let bothBuses = [serviceBus, tjenestebuss]

/// The three queue addresses of `owner`, on the bus of that host.
func queues(
  of owner: Int32, host: String = "sb.test.nhn.no", path: String = "DigitalDialog", inherited: Bool = false
) -> [PartyRecord.Address] {
  [("E_SB_ASYNC", "async"), ("E_SB_SYNC", "sync"), ("E_SB_ERROR", "error")].map { code, suffix in
    PartyRecord.Address(typeCode: code, text: "\(host)/\(path)/\(owner)_\(suffix)", inherited: inherited)
  }
}

func party(
  _ number: Int32, name: String = "Testsenteret", kind: PartyRecord.Kind = .service, parent: Int32? = nil, active: Bool = true,
  valid: Bool = true, addresses: [PartyRecord.Address]? = nil
) -> PartyRecord {
  PartyRecord(
    herID: her(number), name: name, kind: kind, parent: parent.map { her($0) }, active: active, valid: valid,
    addresses: addresses ?? queues(of: number))
}

/// An organisation with queues of its own, two services that inherit them, and one with its own.
func family() -> [PartyRecord] {
  [
    party(100, name: "Kommunen", kind: .organisation, valid: false),
    party(101, name: "Fastlegen", parent: 100, addresses: queues(of: 100, inherited: true)),
    party(102, name: "Hjemmetjenesten", parent: 100, addresses: queues(of: 100, inherited: true)),
    party(103, name: "Legevakten", parent: 100),
  ]
}

let start = RegistryInstant(millisecondsSinceEpoch: 1_750_000_000_000)

/// What a call threw, as the registry's own error.
func failure<Value>(
  _ body: () async throws -> Value, sourceLocation: SourceLocation = #_sourceLocation
) async -> AddressRegistryError? {
  do {
    _ = try await body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    return nil
  } catch let error as AddressRegistryError {
    return error
  } catch {
    Issue.record("another error was thrown: \(error)", sourceLocation: sourceLocation)
    return nil
  }
}
