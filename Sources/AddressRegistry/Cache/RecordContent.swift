// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A party's record as bytes in the cache: every field, the addresses in the register's order.
///
/// Form 1: form number, HER-ID, flags, kind, parent, name, addresses, extras; numbers little-endian, texts with their length
/// before them. An extra is a fact that few records have: its tag, its length, its bytes. A reader that meets a tag it does not
/// know refuses the row.
enum RecordContent {
  /// Why bytes are no record.
  struct Malformed: Error, Equatable {}

  private static let form: UInt8 = 1
  private static let kinds: [PartyRecord.Kind] = [.unknown, .organisation, .department, .service, .person]

  /// Never renumbered.
  fileprivate enum Extra: UInt8 { case organisationNumber = 1, futureAddress = 2 }

  // MARK: Writing

  static func bytes(of record: PartyRecord) -> [UInt8] {
    var bytes: [UInt8] = [Self.form]
    bytes.reserveCapacity(64 + record.addresses.count * 64)
    bytes.append(number: record.herID.value)
    bytes.append((record.active ? 1 : 0) | (record.valid ? 2 : 0) | (record.parent == nil ? 0 : 4))
    bytes.append(UInt8(Self.kinds.firstIndex(of: record.kind) ?? 0))
    bytes.append(number: record.parent?.value ?? 0)
    bytes.append(text: record.name)
    bytes.append(length: record.addresses.count)
    for address in record.addresses {
      bytes.append(address.inherited ? 1 : 0)
      bytes.append(text: address.typeCode)
      bytes.append(text: address.text)
    }
    bytes.append(length: (record.organisationNumber == nil ? 0 : 1) + record.futureAddresses.count)
    if let number = record.organisationNumber {
      var extra: [UInt8] = []
      extra.append(number: number)
      bytes.append(extra: .organisationNumber, extra)
    }
    for future in record.futureAddresses {
      var extra: [UInt8] = [future.address.inherited ? 1 : 0]
      extra.append(text: future.address.typeCode)
      extra.append(text: future.address.text)
      extra.append(text: future.validFrom)
      bytes.append(extra: .futureAddress, extra)
    }
    return bytes
  }

  // MARK: Reading

  static func record(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> PartyRecord {
    var reader = Reader(bytes: bytes)
    let head = try Self.head(&reader)
    let name = try reader.text()
    let count = try reader.length()
    // Each takes three bytes at least: a count beyond that would only make us reserve.
    guard count <= bytes.count / 3 else { throw Malformed() }
    var addresses: [PartyRecord.Address] = []
    addresses.reserveCapacity(count)
    for _ in 0..<count {
      let inherited = try reader.byte()
      guard inherited <= 1 else { throw Malformed() }
      addresses.append(
        PartyRecord.Address(typeCode: try reader.text(), text: try reader.text(), inherited: inherited == 1))
    }
    var record = PartyRecord(
      herID: head.herID, name: name, kind: head.kind, parent: head.parent, active: head.active, valid: head.valid,
      addresses: addresses)
    for _ in 0..<(try reader.length()) { try Self.readExtra(&reader, into: &record) }
    guard reader.isAtEnd else { throw Malformed() }
    return record
  }

  /// What routes are made of, without making the record: whether the party is active, and the text of each queue address in the
  /// register's order. Of bytes that a seal vouches for.
  ///
  /// - Returns: whether the party is active; `each` is called either way.
  static func queueAddresses(
    _ bytes: UnsafeRawBufferPointer, _ each: (QueueKind, UnsafeRawBufferPointer) -> Void
  ) throws(Malformed) -> Bool {
    var reader = Reader(bytes: bytes)
    let head = try Self.head(&reader)
    _ = try reader.run()
    for _ in 0..<(try reader.length()) {
      _ = try reader.byte()
      let code = try reader.run()
      let text = try reader.run()
      if let kind = Self.kind(code) { each(kind, text) }
    }
    return head.active
  }

  private static func kind(_ code: UnsafeRawBufferPointer) -> QueueKind? {
    // All codes of queues begin so; a text is made for those only.
    guard code.starts(with: "E_SB_".utf8) else { return nil }
    return QueueKind(registerCode: String(decoding: code, as: UTF8.self))
  }

  private static func readExtra(_ reader: inout Reader, into record: inout PartyRecord) throws(Malformed) {
    guard let tag = Extra(rawValue: try reader.byte()) else { throw Malformed() }
    var extra = Reader(bytes: try reader.run())
    switch tag {
    case .organisationNumber: record.organisationNumber = try extra.number()
    case .futureAddress:
      let inherited = try extra.byte()
      guard inherited <= 1 else { throw Malformed() }
      let address = PartyRecord.Address(typeCode: try extra.text(), text: try extra.text(), inherited: inherited == 1)
      record.futureAddresses.append(PartyRecord.FutureAddress(address: address, validFrom: try extra.text()))
    }
    guard extra.isAtEnd else { throw Malformed() }
  }

  /// What stands before the name.
  struct Head {
    var herID: HerID
    var kind: PartyRecord.Kind
    var parent: HerID?
    var active: Bool
    var valid: Bool
  }

  private static func head(_ reader: inout Reader) throws(Malformed) -> Head {
    guard try reader.byte() == Self.form, let herID = HerID(try reader.number()) else { throw Malformed() }
    let flags = try reader.byte()
    let kind = Int(try reader.byte())
    let parentNumber = try reader.number()
    guard flags < 8, Self.kinds.indices.contains(kind) else { throw Malformed() }
    let parent = HerID(parentNumber)
    guard (flags & 4 != 0) == (parent != nil) else { throw Malformed() }
    return Head(herID: herID, kind: Self.kinds[kind], parent: parent, active: flags & 1 != 0, valid: flags & 2 != 0)
  }

  private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    var isAtEnd: Bool { self.position == self.bytes.count }

    mutating func byte() throws(Malformed) -> UInt8 {
      guard self.position < self.bytes.count else { throw Malformed() }
      defer { self.position += 1 }
      return self.bytes[self.position]
    }

    mutating func number() throws(Malformed) -> Int32 {
      guard self.bytes.count - self.position >= 4 else { throw Malformed() }
      defer { self.position += 4 }
      return Int32(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.position, as: Int32.self))
    }

    /// Seven bits a byte, the lowest first.
    mutating func length() throws(Malformed) -> Int {
      var value = 0
      var shift = 0
      while shift < 28 {
        let byte = try self.byte()
        value |= Int(byte & 0x7F) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      throw Malformed()
    }

    mutating func run() throws(Malformed) -> UnsafeRawBufferPointer {
      let count = try self.length()
      guard count <= self.bytes.count - self.position else { throw Malformed() }
      defer { self.position += count }
      return UnsafeRawBufferPointer(rebasing: self.bytes[self.position..<(self.position + count)])
    }

    mutating func text() throws(Malformed) -> String {
      let bytes = try self.run()
      let text = String(decoding: bytes, as: UTF8.self)
      // The row's seal vouches that these bytes were a text; what is not UTF-8 nearly always grows when it is mended.
      guard text.utf8.count == bytes.count else { throw Malformed() }
      return text
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(number: Int32) {
    Swift.withUnsafeBytes(of: number.littleEndian) { self.append(contentsOf: $0) }
  }

  fileprivate mutating func append(length: Int) {
    var rest = length
    while rest >= 0x80 {
      self.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    self.append(UInt8(rest))
  }

  fileprivate mutating func append(extra tag: RecordContent.Extra, _ bytes: [UInt8]) {
    self.append(tag.rawValue)
    self.append(length: bytes.count)
    self.append(contentsOf: bytes)
  }

  fileprivate mutating func append(text: String) {
    self.append(length: text.utf8.count)
    self.append(contentsOf: text.utf8)
  }
}
