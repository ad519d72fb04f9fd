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
    var form = ""
    form.reserveCapacity(256 + 128 * (self.addresses.count + self.futureAddresses.count))
    form.append(field: "record", "party/1")
    form.append(field: "her-id", self.herID.description)
    form.append(field: "name", self.name)
    form.append(field: "kind", self.kind.rawValue)
    form.append(field: "parent", self.parent?.description ?? "-")
    form.append(field: "active", self.active ? "true" : "false")
    form.append(field: "valid", self.valid ? "true" : "false")
    if let number = self.organisationNumber { form.append(field: "organisation-number", String(number)) }
    let lines = self.addresses.map { address in
      var line = ""
      line.reserveCapacity(64 + address.text.utf8.count)
      line.append(field: "type", address.typeCode)
      line.append(field: "address", address.text)
      line.append(field: "inherited", address.inherited ? "true" : "false")
      return line
    }
    let future = self.futureAddresses.map { future in
      var line = ""
      line.append(field: "future-type", future.address.typeCode)
      line.append(field: "future-address", future.address.text)
      line.append(field: "future-inherited", future.address.inherited ? "true" : "false")
      line.append(field: "valid-from", future.validFrom)
      return line
    }
    for line in lines.sorted() { form += line }
    for line in future.sorted() { form += line }
    return form
  }

  /// SHA-256 of the canonical form.
  public var hash: RecordHash {
    if let bytes = self.canonicalBytes { return bytes.withUnsafeBufferPointer { RecordHash(SHA256.hash(data: $0)) } }
    var form = self.canonicalForm
    return form.withUTF8 { RecordHash(SHA256.hash(data: $0)) }
  }
}

extension String {
  /// Its length stands before the value, so that no text can imitate another field.
  fileprivate mutating func append(field name: String, _ value: String) {
    self += name
    self += ":"
    self += String(value.utf8.count)
    self += ":"
    self += value
    self += "\n"
  }
}
