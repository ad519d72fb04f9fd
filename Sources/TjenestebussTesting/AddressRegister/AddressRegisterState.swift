// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// The testing register's entries and what was ever done to them. Pure: no IO, no clock.
///
/// Entries are kept as slots: a queue address that is inherited has no text of its own, and shows its organisation's when the
/// entry is read. So the children move when the organisation is switched, and nobody writes theirs.
public struct AddressRegisterState: Sendable, Hashable, Codable {
  /// One party's entry changed as it shows.
  public struct Change: Sendable, Hashable, Codable {
    /// Counts from 1 over the whole register.
    public var sequence: Int
    public var herID: HerID
    /// Nil when the change came from elsewhere than a write with an id.
    public var operationID: OperationID?
    public var operation: String
    /// Whether the write was to another party from which this one inherits, or below which it lies.
    public var followed: Bool
    /// Nil when the party was new.
    public var before: RecordHash?
    public var after: RecordHash
    /// When, in milliseconds since 1970 by the register's clock.
    public var time: Int64
    /// Whether the entry was not there before.
    public var created: Bool { self.before == nil }
  }

  /// Why a write was refused, in the register's terms.
  public enum Refusal: Error, Hashable {
    case fault(code: String, message: String)
    case validation(property: String, message: String)

    static func unknown(_ herID: HerID) -> Refusal {
      .fault(code: "InvalidHerIdSupplied", message: "There is no communication party with HER-ID \(herID).")
    }
  }

  /// What a write came to.
  public enum Applied: Sendable, Hashable {
    case changed
    /// The entry was so already.
    case unchanged
    /// The same operation id was carried out before; nothing was done again.
    case repeated
  }

  private struct Performed: Sendable, Hashable, Codable {
    var herID: HerID
    var change: RegisterChange
  }

  private var slots: [HerID: PartyRecord]
  public private(set) var changes: [Change] = []
  private var performed: [String: Performed] = [:]
  /// Who stands right below whom: made from the slots.
  private var below: [HerID: Set<HerID>] = [:]

  /// Made from the changes.
  private var lastChanged: [HerID: Int64] = [:]

  private enum CodingKeys: String, CodingKey { case slots, changes, performed }

  /// - Parameter records: of each HER-ID the last one counts.
  public init(records: [PartyRecord]) {
    self.slots = Dictionary(minimumCapacity: records.count)
    for record in records { self.slots[record.herID] = record }
    self.index()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.slots = try container.decode([HerID: PartyRecord].self, forKey: .slots)
    self.changes = try container.decode([Change].self, forKey: .changes)
    self.performed = try container.decode([String: Performed].self, forKey: .performed)
    self.index()
  }

  private mutating func index() {
    for (herID, record) in self.slots { if let parent = record.parent { self.below[parent, default: []].insert(herID) } }
    for change in self.changes { self.lastChanged[change.herID] = change.time }
  }

  // MARK: - Reading

  public var herIDs: [HerID] { self.slots.keys.sorted() }

  public var count: Int { self.slots.count }

  public func has(_ herID: HerID) -> Bool { self.slots[herID] != nil }

  func name(of herID: HerID) -> String? { self.slots[herID]?.name }

  /// When the entry was last changed, in milliseconds since 1970; a fixed instant for those that never were.
  public func lastChange(of herID: HerID) -> Int64 { self.lastChanged[herID] ?? Self.beginning }

  /// When all entries were last changed that never were, in milliseconds since 1970.
  static let beginning: Int64 = 1_736_928_000_000

  /// The parties right below this one, in order of HER-ID.
  public func children(of herID: HerID) -> [HerID] { self.below[herID, default: []].sorted() }

  /// All parties below this one, however deep, in order of HER-ID.
  public func descendants(of herID: HerID) -> [HerID] {
    var found: Set<HerID> = []
    var open = [herID]
    while let next = open.popLast() {
      for child in self.below[next, default: []] where child != herID && found.insert(child).inserted { open.append(child) }
    }
    return found.sorted()
  }

  /// Every entry as it shows.
  public var records: [PartyRecord] { self.herIDs.compactMap { self.record($0) } }

  /// The entry as it shows, with inheritance worked out.
  public func record(_ herID: HerID) -> PartyRecord? { self.record(herID, above: []) }

  private func record(_ herID: HerID, above: Set<HerID>) -> PartyRecord? {
    guard var record = self.slots[herID], !above.contains(herID) else { return nil }
    guard record.addresses.contains(where: { $0.inherited && $0.queueKind != nil }), let parent = record.parent,
      let organisation = self.record(parent, above: above.union([herID]))
    else { return record }
    record.addresses = record.addresses.compactMap { slot in
      guard slot.inherited, let kind = slot.queueKind else { return slot }
      guard let source = organisation.addresses.first(where: { $0.queueKind == kind }) else { return nil }
      return PartyRecord.Address(typeCode: slot.typeCode, text: source.text, inherited: true)
    }
    return record
  }

  // MARK: - Writing

  /// Carries a write out, or refuses it and changes nothing.
  ///
  /// - Parameter operationID: nil for a change that nobody gave an id; otherwise the idempotency key.
  /// - Parameter buses: which bus a name means.
  /// - Parameter limit: how many entries are written before the work breaks off (the id then counts as not carried out); nil for
  ///   all of them.
  @discardableResult
  public mutating func apply(
    _ change: RegisterChange, to herID: HerID, operationID: OperationID?, operation: String, buses: [Bus], limit: Int? = nil,
    at time: Int64 = 0
  ) throws(Refusal) -> Applied {
    if let operationID, let before = self.performed[operationID.text] {
      guard before == Performed(herID: herID, change: change) else {
        throw .fault(code: "OperationIdReused", message: "The operation id was used for another change.")
      }
      return .repeated
    }
    guard let slot = self.slots[herID] else { throw .unknown(herID) }
    /// In the order in which they are written.
    var updates: [PartyRecord] = []
    switch change {
    case .switchToBus(let name):
      updates.append(try self.moved(herID, to: try Self.bus(name, among: buses)))
    case .switchToBusWithServicesBelow(let name):
      let bus = try Self.bus(name, among: buses)
      updates.append(try self.moved(herID, to: bus))
      for below in self.descendants(of: herID) {
        // Those that inherit follow by themselves; only queues of their own are written.
        guard let child = self.slots[below], child.addresses.contains(where: { $0.queueKind != nil && !$0.inherited }) else {
          continue
        }
        updates.append(try self.movedOwn(child, to: bus))
      }
    case .useOrganisationQueue:
      updates.append(try self.inheriting(slot))
    case .replaceAddresses(let addresses):
      for address in addresses {
        if address.typeCode.isEmpty { throw .validation(property: "TypeCodeValue", message: "is required") }
        if address.queueKind != nil, (try? QueueAddress(text: address.text)) == nil {
          throw .validation(property: "Address", message: "is no queue address")
        }
      }
      var record = slot
      record.addresses = addresses
      updates.append(record)
    }
    let isWhole = limit.map { updates.count <= $0 } ?? true
    let applied = self.commit(
      limit.map { Array(updates.prefix($0)) } ?? updates, herID: herID, operationID: operationID, operation: operation,
      time: time)
    if let operationID, isWhole { self.performed[operationID.text] = Performed(herID: herID, change: change) }
    return applied
  }

  /// Puts an entry in place as somebody else would: no operation id.
  public mutating func put(_ record: PartyRecord, at time: Int64 = 0) {
    _ = self.commit([record], herID: record.herID, operationID: nil, operation: "put", time: time)
  }

  private mutating func commit(
    _ updates: [PartyRecord], herID: HerID, operationID: OperationID?, operation: String, time: Int64
  ) -> Applied {
    // What is inherited changes with what it is inherited from.
    let affected = Set(updates.flatMap { [$0.herID] + self.descendants(of: $0.herID) }).sorted()
    let before = affected.map { self.record($0)?.hash }
    for record in updates {
      if let parent = self.slots[record.herID]?.parent { self.below[parent]?.remove(record.herID) }
      if let parent = record.parent { self.below[parent, default: []].insert(record.herID) }
      self.slots[record.herID] = record
    }
    var changed = false
    for (affected, before) in zip(affected, before) {
      guard let after = self.record(affected)?.hash, after != before else { continue }
      changed = true
      self.changes.append(
        Change(
          sequence: self.changes.count + 1, herID: affected, operationID: operationID, operation: operation,
          followed: affected != herID, before: before, after: after,
          time: time))
      self.lastChanged[affected] = time
    }
    return changed ? .changed : .unchanged
  }

  private static func bus(_ name: BusName, among buses: [Bus]) throws(Refusal) -> Bus {
    guard let bus = buses.first(where: { $0.name == name }) else {
      throw .validation(property: "bus", message: "there is no bus of that name")
    }
    return bus
  }

  /// The party's queue addresses on the bus, all of them its own from now on.
  private func moved(_ herID: HerID, to bus: Bus) throws(Refusal) -> PartyRecord {
    guard var record = self.record(herID) else { throw .unknown(herID) }
    guard record.addresses.contains(where: { $0.queueKind != nil }) else {
      throw .fault(code: "NoQueueAddresses", message: "The communication party has no queue addresses.")
    }
    for index in record.addresses.indices where record.addresses[index].queueKind != nil {
      record.addresses[index].inherited = false
    }
    return try Self.onBus(record, bus)
  }

  private func movedOwn(_ record: PartyRecord, to bus: Bus) throws(Refusal) -> PartyRecord {
    var moved = try Self.onBus(record, bus)
    for (index, address) in record.addresses.enumerated() where address.inherited { moved.addresses[index] = address }
    return moved
  }

  private static func onBus(_ record: PartyRecord, _ bus: Bus) throws(Refusal) -> PartyRecord {
    do { return try record.moved(to: bus) } catch {
      throw .fault(code: "AddressUnreadable", message: "An address of the communication party is unreadable.")
    }
  }

  private func inheriting(_ slot: PartyRecord) throws(Refusal) -> PartyRecord {
    guard let parent = slot.parent, let organisation = self.record(parent) else {
      throw .fault(code: "NoParentOrganization", message: "The communication party has no organisation to inherit from.")
    }
    let offered = organisation.addresses.filter { $0.queueKind != nil }
    guard !offered.isEmpty else {
      throw .fault(code: "NoQueueAddresses", message: "The organisation has no queue addresses to inherit.")
    }
    var record = slot
    record.addresses.removeAll { address in
      address.queueKind != nil && !offered.contains { $0.queueKind == address.queueKind }
    }
    for source in offered {
      let inherited = PartyRecord.Address(typeCode: source.typeCode, text: source.text, inherited: true)
      if let index = record.addresses.firstIndex(where: { $0.queueKind == source.queueKind }) {
        record.addresses[index] = inherited
      } else {
        record.addresses.append(inherited)
      }
    }
    return record
  }
}
