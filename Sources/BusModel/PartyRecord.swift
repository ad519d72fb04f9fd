// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A party's entry in the address register: what we read, compare, change and restore.
///
/// ``canonicalForm`` leaves out what the server owns (LastChanged, ServerTime), so that two reads of an unchanged
/// entry hash alike and a roll-back can be proven exact (invariant I-4).
public struct PartyRecord: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable { case organisation, department, service, person, unknown }

  /// One electronic address of the entry, kept as the register wrote it, whatever its type.
  public struct Address: Sendable, Hashable, Codable {
    /// The register's type code, such as `E_SB_ASYNC` or `E_EDI`.
    public var typeCode: String
    /// The address text as the register holds it.
    public var text: String
    /// Whether the entry inherits it from its parent organisation (*virksomhetskø*).
    public var inherited: Bool

    public init(typeCode: String, text: String, inherited: Bool) {
      self.typeCode = typeCode
      self.text = text
      self.inherited = inherited
    }

    /// Which queue this is; nil for types that name no queue.
    public var queueKind: QueueKind? { QueueKind(registerCode: self.typeCode) }
  }

  /// An address that the register will put in place by itself at a time to come (`FutureElectronicAddresses`).
  public struct FutureAddress: Sendable, Hashable, Codable {
    public var address: Address
    /// When, as the register wrote it: an XML `dateTime`, mostly without time zone (Norwegian local time). Not interpreted;
    /// empty when it did not say.
    public var validFrom: String

    public init(address: Address, validFrom: String) {
      self.address = address
      self.validFrom = validFrom
    }
  }

  public var herID: HerID
  public var name: String
  public var kind: Kind
  public var parent: HerID?
  public var active: Bool
  public var valid: Bool
  /// In the register's order; the canonical form sorts.
  public var addresses: [Address]
  /// The national number of the organisation: its own, and of every other party that of the one it stands below. Nil when the
  /// register did not say.
  public var organisationNumber: Int32?
  /// Scheduled changes, in the register's order. A plan that does not know of them is overtaken by them.
  public var futureAddresses: [FutureAddress]

  public init(
    herID: HerID, name: String, kind: Kind, parent: HerID?, active: Bool, valid: Bool, addresses: [Address],
    organisationNumber: Int32? = nil, futureAddresses: [FutureAddress] = []
  ) {
    self.herID = herID
    self.name = name
    self.kind = kind
    self.parent = parent
    self.active = active
    self.valid = valid
    self.addresses = addresses
    self.organisationNumber = organisationNumber
    self.futureAddresses = futureAddresses
  }

  /// How the party's system is reached otherwise than over a bus: the type codes of its addresses that name neither a queue nor a
  /// certificate (E_DS), each once, in the entry's order. `E_EDI` is EDI by mail; others are told as the register writes them.
  public var otherTransports: [String] {
    var codes: [String] = []
    for address in self.addresses where address.queueKind == nil && address.typeCode != "E_DS" && !address.text.isEmpty {
      if !codes.contains(address.typeCode) { codes.append(address.typeCode) }
    }
    return codes
  }

  /// The queue address of `kind`; nil when the entry has none.
  ///
  /// - Throws: ``BusModelError`` `queueAddressMalformed` when the register's text is no address.
  public func queueAddress(_ kind: QueueKind) throws(BusModelError) -> QueueAddress? {
    guard let address = self.addresses.first(where: { $0.queueKind == kind }) else { return nil }
    return try QueueAddress(text: address.text)
  }

  /// One line a field, sorted addresses, lengths before texts so that no text can imitate another field. Organisation number
  /// and future addresses stand in it only where there are any: records without them hash as they always did.
  public var canonicalForm: String {
    func field(_ name: String, _ value: String) -> String { "\(name):\(value.utf8.count):\(value)\n" }
    var form = field("record", "party/1") + field("her-id", self.herID.description) + field("name", self.name)
    form += field("kind", self.kind.rawValue) + field("parent", self.parent?.description ?? "-")
    form += field("active", String(self.active)) + field("valid", String(self.valid))
    if let number = self.organisationNumber { form += field("organisation-number", String(number)) }
    let lines = self.addresses.map {
      field("type", $0.typeCode) + field("address", $0.text) + field("inherited", String($0.inherited))
    }
    let future = self.futureAddresses.map {
      field("future-type", $0.address.typeCode) + field("future-address", $0.address.text)
        + field("future-inherited", String($0.address.inherited)) + field("valid-from", $0.validFrom)
    }
    return form + lines.sorted().joined() + future.sorted().joined()
  }

  /// SHA-256 of the canonical form.
  public var hash: RecordHash {
    RecordHash(bytes: SHA256.hash(data: Array(self.canonicalForm.utf8)))
  }
}

/// The SHA-256 of a record's canonical form, in lower-case hexadecimal.
public struct RecordHash: Sendable, Hashable, Codable, CustomStringConvertible {
  public let hex: String
  public init(hex: String) { self.hex = hex }

  /// - Parameter bytes: 32 of them.
  public init(bytes: some Sequence<UInt8>) {
    self = ContiguousArray(bytes).withUnsafeBytes { Self(raw: $0) }
  }

  /// The same without a detour, for many.
  package init(raw bytes: UnsafeRawBufferPointer) {
    self.hex = String(unsafeUninitializedCapacity: bytes.count * 2) { text in
      for index in 0..<bytes.count {
        text[index * 2] = Self.digit(bytes[index] >> 4)
        text[index * 2 + 1] = Self.digit(bytes[index] & 15)
      }
      return bytes.count * 2
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 87 }

  /// The 32 bytes; empty when the text is no such hash.
  public var bytes: [UInt8] {
    let digits = self.hex.utf8.compactMap { digit -> UInt8? in
      switch digit {
      case 48...57: digit - 48
      case 97...102: digit - 87
      default: nil
      }
    }
    guard digits.count == 64, self.hex.utf8.count == 64 else { return [] }
    return (0..<32).map { digits[$0 * 2] << 4 | digits[$0 * 2 + 1] }
  }

  public init(from decoder: any Decoder) throws { self.hex = try decoder.singleValueContainer().decode(String.self) }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.hex)
  }
  public var description: String { String(self.hex.prefix(12)) }
}
