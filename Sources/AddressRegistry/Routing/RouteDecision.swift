// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which bus and queue a message for a party goes to, and on what grounds.
public struct RouteDecision: Sendable, Hashable {
  /// Whose address it is.
  public enum Origin: Sendable, Hashable {
    /// The party's own.
    case own
    /// Its organisation's (*virksomhetskø*).
    case inherited(from: HerID)
    /// The register says inherited, but names no parent.
    case inheritedFromUnnamed
  }

  public var herID: HerID
  public var kind: QueueKind
  public var bus: Bus
  public var address: QueueAddress
  public var origin: Origin
  /// The entry it was read from: its source, instant, version and hash.
  public var entry: RegistryEntry
  /// The age of that entry when the decision was made.
  public var age: Duration

  /// Decides from a record alone.
  ///
  /// An address is never built from a HER-ID and a bus never guessed from a path: what is missing, malformed, doubled or on
  /// no configured bus is an error. `valid` is not asked: the register says false of every organisation, which can own
  /// queues all the same.
  public static func decide(
    _ entry: RegistryEntry, kind: QueueKind, buses: [Bus], now: RegistryInstant
  ) throws(AddressRegistryError) -> RouteDecision {
    let record = entry.record
    let herID = record.herID
    guard kind.registerCode != nil else { throw .kindNotInRegister(kind) }
    guard record.active else { throw .partyNotActive(herID) }
    let candidates = record.addresses.filter { $0.queueKind == kind }
    guard let found = candidates.first else {
      let others = record.otherTransports
      if others.isEmpty || record.addresses.contains(where: { $0.queueKind != nil }) { throw .addressMissing(herID, kind) }
      throw .otherTransport(herID, kind, typeCodes: others)
    }
    guard candidates.allSatisfy({ $0.text == found.text }) else {
      throw .addressAmbiguous(herID, kind, texts: candidates.map(\.text))
    }
    let address: QueueAddress
    do { address = try QueueAddress(text: found.text) } catch {
      throw .addressMalformed(herID, kind, text: String(found.text.prefix(200)))
    }
    let holders = buses.filter { $0.holds(address) }
    guard let bus = holders.first else {
      throw .addressOnNoBus(herID, kind, address, configured: buses.map(\.name))
    }
    guard holders.count == 1 else { throw .addressOnSeveralBuses(herID, kind, address, holders.map(\.name)) }
    let origin: Origin =
      if !found.inherited { .own } else if let parent = record.parent { .inherited(from: parent) } else { .inheritedFromUnnamed }
    return RouteDecision(
      herID: herID, kind: kind, bus: bus, address: address, origin: origin, entry: entry, age: entry.age(at: now))
  }
}
