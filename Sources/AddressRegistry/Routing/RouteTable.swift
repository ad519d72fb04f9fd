// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Where messages for a party go, as last read: all that sending needs, and nothing else.
public struct CachedRoute: Sendable, Hashable {
  public var bus: BusName
  public var address: QueueAddress
  /// When the register was asked for it.
  public var readAt: RegistryInstant
}

/// The routes of many parties in memory, found by HER-ID in nanoseconds and without allocating. A value; pure.
///
/// It holds only what leads to exactly one queue on exactly one bus. Whatever else can be said of a party (not active, no such
/// address, two of them, on no bus) is said by ``RouteDecision``, to which those who find nothing here turn.
struct RouteTable: Sendable {
  private struct Leg: Sendable {
    var bus: BusName
    var address: QueueAddress
  }

  private struct Slot: Sendable {
    var readAt: RegistryInstant
    var asynchronous: Leg?
    var synchronous: Leg?
    var error: Leg?
  }

  let buses: [Bus]
  /// HER-IDs by open addressing; 0 where there is none.
  private var keys: [Int32]
  /// The place in `slots` of the key at the same index.
  private var places: [Int32]
  private var slots: [Slot] = []
  private var free: [Int32] = []
  private var mask: Int
  private(set) var count = 0
  private var knownTexts: Set<String> = []

  init(buses: [Bus], capacity: Int = 1_024) {
    self.buses = buses
    var size = 1_024
    while size < capacity * 2 { size *= 2 }
    self.keys = Array(repeating: 0, count: size)
    self.places = Array(repeating: 0, count: size)
    self.mask = size - 1
  }

  private static func hash(_ key: Int32) -> Int {
    // Fibonacci hashing: HER-IDs come in runs.
    Int(truncatingIfNeeded: UInt64(UInt32(bitPattern: key)) &* 0x9E37_79B9_7F4A_7C15 >> 32)
  }

  /// The index of the key, or of the empty place where it would be.
  private func index(of key: Int32) -> Int {
    var index = Self.hash(key) & self.mask
    while self.keys[index] != key, self.keys[index] != 0 { index = (index + 1) & self.mask }
    return index
  }

  /// - Returns: nil when nothing is known that leads to one queue.
  func route(_ herID: HerID, _ kind: QueueKind) -> CachedRoute? {
    let index = self.index(of: herID.value)
    guard self.keys[index] != 0 else { return nil }
    let place = Int(self.places[index])
    let leg =
      switch kind {
      case .asynchronous: self.slots[place].asynchronous
      case .synchronous: self.slots[place].synchronous
      case .error: self.slots[place].error
      case .synchronousReply, .deadLetter: nil as Leg?
      }
    guard let leg else { return nil }
    return CachedRoute(bus: leg.bus, address: leg.address, readAt: self.slots[place].readAt)
  }

  /// When the party's routes were read.
  func readAt(_ herID: HerID) -> RegistryInstant? {
    let index = self.index(of: herID.value)
    return self.keys[index] == 0 ? nil : self.slots[Int(self.places[index])].readAt
  }

  /// Takes in what was read; a party that leads nowhere is taken out.
  mutating func put(_ entry: RegistryEntry) {
    let record = entry.record
    var slot = Slot(readAt: entry.readAt)
    if record.active {
      slot.asynchronous = self.leg(record, .asynchronous)
      slot.synchronous = self.leg(record, .synchronous)
      slot.error = self.leg(record, .error)
    }
    guard slot.asynchronous != nil || slot.synchronous != nil || slot.error != nil else { return self.remove(record.herID) }
    if self.count * 2 >= self.keys.count { self.grow() }
    let index = self.index(of: record.herID.value)
    if self.keys[index] != 0 {
      self.slots[Int(self.places[index])] = slot
      return
    }
    self.keys[index] = record.herID.value
    if let place = self.free.popLast() {
      self.places[index] = place
      self.slots[Int(place)] = slot
    } else {
      self.places[index] = Int32(self.slots.count)
      self.slots.append(slot)
    }
    self.count += 1
  }

  mutating func remove(_ herID: HerID) {
    var hole = self.index(of: herID.value)
    guard self.keys[hole] != 0 else { return }
    let place = self.places[hole]
    self.slots[Int(place)] = Slot(readAt: RegistryInstant(millisecondsSinceEpoch: 0))
    self.free.append(place)
    self.count -= 1
    // Those behind close up, so that no search ends before them.
    var index = (hole + 1) & self.mask
    while self.keys[index] != 0 {
      let home = Self.hash(self.keys[index]) & self.mask
      if (index - home) & self.mask >= (index - hole) & self.mask {
        self.keys[hole] = self.keys[index]
        self.places[hole] = self.places[index]
        hole = index
      }
      index = (index + 1) & self.mask
    }
    self.keys[hole] = 0
  }

  mutating func remove(where isUnwanted: (HerID) -> Bool) {
    for key in self.keys where key != 0 { if let herID = HerID(key), isUnwanted(herID) { self.remove(herID) } }
  }

  mutating func removeAll() { self = RouteTable(buses: self.buses) }

  private mutating func grow() {
    var larger = RouteTable(buses: self.buses, capacity: self.keys.count)
    for (key, place) in zip(self.keys, self.places) where key != 0 {
      let index = larger.index(of: key)
      larger.keys[index] = key
      larger.places[index] = place
    }
    self.keys = larger.keys
    self.places = larger.places
    self.mask = larger.mask
  }

  /// By the rules of ``RouteDecision/decide(_:kind:buses:now:)``, in short: exactly one address that is one, on exactly one bus.
  private mutating func leg(_ record: PartyRecord, _ kind: QueueKind) -> Leg? {
    var found: String?
    for address in record.addresses where address.queueKind == kind {
      if let found, found != address.text { return nil }
      found = address.text
    }
    guard let found, var address = try? QueueAddress(text: found) else { return nil }
    var holder: BusName?
    for bus in self.buses where bus.holds(address) {
      guard holder == nil else { return nil }
      holder = bus.name
    }
    guard let holder else { return nil }
    // Hosts and paths are few: each text is kept once.
    address = QueueAddress(host: self.shared(address.host), path: self.shared(address.path), queue: address.queue)
    return Leg(bus: holder, address: address)
  }

  private mutating func shared(_ text: String) -> String {
    if self.knownTexts.count > 1_000 { return text }
    return self.knownTexts.insert(text).memberAfterInsert
  }
}
