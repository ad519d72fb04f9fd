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
    let records = records.sorted { $0.herID < $1.herID }
    var forest = DisjointSets(count: records.count)
    var firstAtAddress: [QueueAddress: Int] = [:]
    var firstInheritor: [HerID: Int] = [:]
    var positions: [HerID: Int] = [:]
    var addresses: [[QueueAddress]] = []
    for (index, record) in records.enumerated() {
      if let twin = positions.updateValue(index, forKey: record.herID) { forest.join(index, twin) }
      var own: [QueueAddress] = []
      for entry in record.addresses {
        guard let kind = entry.queueKind else { continue }
        let address: QueueAddress
        do { address = try QueueAddress(text: entry.text) } catch {
          throw .addressMalformed(record.herID, kind, text: String(entry.text.prefix(200)))
        }
        own.append(address)
        if let other = firstAtAddress[address] { forest.join(index, other) } else { firstAtAddress[address] = index }
        if entry.inherited, let parent = record.parent {
          if let other = firstInheritor[parent] { forest.join(index, other) } else { firstInheritor[parent] = index }
        }
      }
      addresses.append(own)
    }
    for (parent, child) in firstInheritor {
      if let index = positions[parent] { forest.join(index, child) }
    }
    var byRoot: [Int: (members: Set<HerID>, addresses: Set<QueueAddress>)] = [:]
    for index in records.indices {
      let root = forest.root(of: index)
      byRoot[root, default: ([], [])].members.insert(records[index].herID)
      byRoot[root]?.addresses.formUnion(addresses[index])
    }
    return byRoot.values
      .map { group in
        QueueSharingGroup(
          members: group.members.sorted(), addresses: group.addresses.sorted { $0.description < $1.description })
      }
      .sorted { ($0.members.first?.value ?? 0) < ($1.members.first?.value ?? 0) }
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
  private var parents: [Int]
  private var sizes: [Int]

  init(count: Int) {
    self.parents = Array(0..<count)
    self.sizes = Array(repeating: 1, count: count)
  }

  mutating func root(of element: Int) -> Int {
    var element = element
    while self.parents[element] != element {
      self.parents[element] = self.parents[self.parents[element]]
      element = self.parents[element]
    }
    return element
  }

  mutating func join(_ one: Int, _ other: Int) {
    var large = self.root(of: one)
    var small = self.root(of: other)
    guard large != small else { return }
    if self.sizes[large] < self.sizes[small] { swap(&large, &small) }
    self.parents[small] = large
    self.sizes[large] += self.sizes[small]
  }
}
