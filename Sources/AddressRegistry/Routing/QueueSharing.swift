// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Parties that share a queue address and so move together (invariant I-3).
public struct QueueSharingGroup: Sendable, Hashable {
  /// In order of HER-ID.
  public let members: [HerID]
  /// Every queue address a member has, in order of text.
  public let addresses: [QueueAddress]

  public init(members: [HerID], addresses: [QueueAddress]) {
    self.members = members
    self.addresses = addresses
  }
}

/// Which parties move together, worked out from records alone.
public enum QueueSharing {
  /// What can be said of all parties of a register at once.
  public struct Survey: Sendable, Hashable {
    /// In order of their first member. A party with an unreadable address is in the group that its other addresses make.
    public var groups: [QueueSharingGroup]
    /// Addresses that are none: nobody can tell who shares them, so their parties are not to be moved before they are mended.
    public var unreadable: [UnreadableAddress]
  }

  /// A queue address of a party that is none.
  public struct UnreadableAddress: Sendable, Hashable {
    public var herID: HerID
    public var kind: QueueKind
    /// The first 200 characters of what the register has.
    public var text: String
  }

  /// The groups of `records`: two parties are in one when they share a whole queue address (host, path and queue), right
  /// away or over others; and a party that inherits a queue is in its organisation's group, whatever texts the two show, for
  /// it follows when the organisation moves.
  ///
  /// A party without a queue address is a group of its own without addresses. Parents that are not among the records count
  /// only by what their children share.
  ///
  /// - Returns: groups in order of their first member.
  /// - Throws: ``AddressRegistryError`` `addressMalformed`: with an unreadable address nobody can tell who shares it.
  public static func groups(of records: [PartyRecord]) throws(AddressRegistryError) -> [QueueSharingGroup] {
    let survey = Self.survey(of: records)
    if let address = survey.unreadable.first {
      throw .addressMalformed(address.herID, address.kind, text: address.text)
    }
    return survey.groups
  }

  /// As ``groups(of:)``, with unreadable addresses listed instead of thrown. Takes time in proportion to the records.
  public static func survey(of records: [PartyRecord]) -> Survey {
    let records = records.sorted { $0.herID < $1.herID }
    var unreadable: [UnreadableAddress] = []
    var forest = DisjointSets(count: records.count)
    var firstAtAddress = [QueueAddress: Int32](minimumCapacity: records.count * 3)
    var firstInheritor: [HerID: Int32] = [:]
    var positions = [HerID: Int32](minimumCapacity: records.count)
    /// Every address once, with the first record that has it.
    var addresses: [(record: Int32, address: QueueAddress)] = []
    addresses.reserveCapacity(records.count * 3)
    for (number, record) in records.enumerated() {
      let index = Int32(number)
      if let twin = positions.updateValue(index, forKey: record.herID) { forest.join(index, twin) }
      for entry in record.addresses {
        guard let kind = entry.queueKind else { continue }
        if entry.inherited, let parent = record.parent {
          if let other = firstInheritor[parent] { forest.join(index, other) } else { firstInheritor[parent] = index }
        }
        guard let address = try? QueueAddress(text: entry.text) else {
          unreadable.append(UnreadableAddress(herID: record.herID, kind: kind, text: String(entry.text.prefix(200))))
          continue
        }
        if let other = firstAtAddress[address] {
          forest.join(index, other)
        } else {
          firstAtAddress[address] = index
          addresses.append((index, address))
        }
      }
    }
    for (parent, child) in firstInheritor {
      if let index = positions[parent] { forest.join(index, child) }
    }
    return Survey(groups: Self.collect(records, addresses, &forest), unreadable: unreadable)
  }

  /// Records come in order of HER-ID, so groups come in order of their first member, and members in order.
  private static func collect(
    _ records: [PartyRecord], _ addresses: [(record: Int32, address: QueueAddress)], _ forest: inout DisjointSets
  ) -> [QueueSharingGroup] {
    var groupOfRoot = [Int32](repeating: -1, count: records.count)
    var members: [[HerID]] = []
    for (number, record) in records.enumerated() {
      let root = Int(forest.root(of: Int32(number)))
      if groupOfRoot[root] < 0 {
        groupOfRoot[root] = Int32(members.count)
        members.append([])
      }
      let group = Int(groupOfRoot[root])
      if members[group].last != record.herID { members[group].append(record.herID) }
    }
    var shared = [[QueueAddress]](repeating: [], count: members.count)
    for (record, address) in addresses { shared[Int(groupOfRoot[Int(forest.root(of: record))])].append(address) }
    return zip(members, shared).map { members, addresses in
      QueueSharingGroup(
        members: members,
        addresses: addresses.count < 2 ? addresses : addresses.sorted { $0.description < $1.description })
    }
  }

  /// The parties of `records` below `organisation`, at any depth, in order of HER-ID.
  public static func descendants(of organisation: HerID, among records: [PartyRecord]) -> [HerID] {
    let children = Dictionary(grouping: records.filter { $0.parent != nil }, by: \.parent)
    var found: Set<HerID> = []
    var waiting = [organisation]
    while let next = waiting.popLast() {
      // A register that makes a party its own ancestor must not keep us here for ever.
      for child in children[next] ?? [] where child.herID != organisation && found.insert(child.herID).inserted {
        waiting.append(child.herID)
      }
    }
    return found.sorted()
  }
}

/// Union-find with path halving and union by size.
private struct DisjointSets {
  private var parents: [Int32]
  private var sizes: [Int32]

  init(count: Int) {
    self.parents = Array(0..<Int32(count))
    self.sizes = Array(repeating: 1, count: count)
  }

  mutating func root(of element: Int32) -> Int32 {
    var element = Int(element)
    while Int(self.parents[element]) != element {
      self.parents[element] = self.parents[Int(self.parents[element])]
      element = Int(self.parents[element])
    }
    return Int32(element)
  }

  mutating func join(_ one: Int32, _ other: Int32) {
    var large = Int(self.root(of: one))
    var small = Int(self.root(of: other))
    guard large != small else { return }
    if self.sizes[large] < self.sizes[small] { swap(&large, &small) }
    self.parents[small] = Int32(large)
    self.sizes[large] += self.sizes[small]
  }
}
