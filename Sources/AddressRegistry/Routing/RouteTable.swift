// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The routes of many parties in memory, found by HER-ID in nanoseconds and without allocating. A value; pure.
///
/// It holds only what leads to exactly one queue on exactly one bus. Whatever else can be said of a party (not active, no such
/// address, two of them, on no bus) is said by ``RouteDecision``, to which those who find nothing here turn.
struct RouteTable: Sendable {
  private struct Leg: Sendable {
    var site: QueueSite
    var queue: String
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
  /// What stands before the last slash of addresses, in bytes, and where it leads: shared by all that begin so.
  private struct Prefix: Sendable {
    var bytes: [UInt8]
    var site: QueueSite
  }
  private var prefixes: [Prefix] = []

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
    return CachedRoute(site: leg.site, queue: leg.queue, readAt: self.slots[place].readAt)
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
    self.put(record.herID, slot)
  }

  /// The same from a record's bytes in the cache.
  mutating func put(_ herID: HerID, readAt: RegistryInstant, content: UnsafeRawBufferPointer) throws(RecordContent.Malformed) {
    var found = (asynchronous: OneText.none, synchronous: OneText.none, error: OneText.none)
    let isActive = try RecordContent.queueAddresses(content) { kind, text in
      switch kind {
      case .asynchronous: found.asynchronous.note(text)
      case .synchronous: found.synchronous.note(text)
      case .error: found.error.note(text)
      case .synchronousReply, .deadLetter: break
      }
    }
    var slot = Slot(readAt: readAt)
    if isActive {
      slot.asynchronous = found.asynchronous.text.flatMap { self.leg($0) }
      slot.synchronous = found.synchronous.text.flatMap { self.leg($0) }
      slot.error = found.error.text.flatMap { self.leg($0) }
    }
    self.put(herID, slot)
  }

  /// The texts of one kind of address: one only leads anywhere.
  private enum OneText {
    case none
    case one(UnsafeRawBufferPointer)
    case several

    mutating func note(_ text: UnsafeRawBufferPointer) {
      switch self {
      case .none: self = .one(text)
      case .one(let before): if !before.elementsEqual(text) { self = .several }
      case .several: break
      }
    }

    var text: UnsafeRawBufferPointer? { if case .one(let text) = self { text } else { nil } }
  }

  private mutating func put(_ herID: HerID, _ slot: Slot) {
    guard slot.asynchronous != nil || slot.synchronous != nil || slot.error != nil else { return self.remove(herID) }
    if self.count * 2 >= self.keys.count { self.grow() }
    let index = self.index(of: herID.value)
    if self.keys[index] != 0 {
      self.slots[Int(self.places[index])] = slot
      return
    }
    self.keys[index] = herID.value
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
    guard var found else { return nil }
    return found.withUTF8 { self.leg(UnsafeRawBufferPointer($0)) }
  }

  /// Nearly all addresses differ in their last part only: what stands before it is read once.
  private mutating func leg(_ text: UnsafeRawBufferPointer) -> Leg? {
    guard let slash = text.lastIndex(of: UInt8(ascii: "/")), slash + 1 < text.count else { return nil }
    let queue = UnsafeRawBufferPointer(rebasing: text[(slash + 1)...])
    guard queue.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return self.read(text) }
    let prefix = UnsafeRawBufferPointer(rebasing: text[..<slash])
    if let known = self.prefixes.first(where: { $0.bytes.elementsEqual(prefix) }) {
      return Leg(site: known.site, queue: String(decoding: queue, as: UTF8.self))
    }
    guard let leg = self.read(text) else { return nil }
    // Some dozens at most in a real register; a made-up one shall not make the search long.
    if self.prefixes.count < 64 { self.prefixes.append(Prefix(bytes: Array(prefix), site: leg.site)) }
    return leg
  }

  private func read(_ text: UnsafeRawBufferPointer) -> Leg? {
    guard let text = String(validating: text, as: UTF8.self), let address = try? QueueAddress(text: text) else { return nil }
    var holder: BusName?
    for bus in self.buses where bus.holds(address) {
      guard holder == nil else { return nil }
      holder = bus.name
    }
    return holder.map { Leg(site: QueueSite(bus: $0, host: address.host, path: address.path), queue: address.queue) }
  }
}
