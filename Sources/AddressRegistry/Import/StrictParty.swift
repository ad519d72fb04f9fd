// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A party as a file writes it: no field more, none less.
struct StrictParty: Decodable {
  var record: PartyRecord

  private enum Field: String, CodingKey, CaseIterable {
    case herID, name, kind, parent, active, valid, addresses, organisationNumber, futureAddresses
  }
  private enum AddressField: String, CodingKey, CaseIterable { case typeCode, text, inherited }

  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int?
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  private struct StrictAddress: Decodable {
    var address: PartyRecord.Address

    init(from decoder: any Decoder) throws {
      try StrictParty.refuseUnknown(decoder, known: AddressField.allCases.map(\.rawValue))
      let fields = try decoder.container(keyedBy: AddressField.self)
      self.address = PartyRecord.Address(
        typeCode: try fields.decode(String.self, forKey: .typeCode), text: try fields.decode(String.self, forKey: .text),
        inherited: try fields.decode(Bool.self, forKey: .inherited))
    }
  }

  private struct StrictFutureAddress: Decodable {
    var address: PartyRecord.FutureAddress

    private enum Field: String, CodingKey, CaseIterable { case address, validFrom }

    init(from decoder: any Decoder) throws {
      try StrictParty.refuseUnknown(decoder, known: Field.allCases.map(\.rawValue))
      let fields = try decoder.container(keyedBy: Field.self)
      self.address = PartyRecord.FutureAddress(
        address: try fields.decode(StrictAddress.self, forKey: .address).address,
        validFrom: try fields.decode(String.self, forKey: .validFrom))
    }
  }

  init(from decoder: any Decoder) throws {
    try Self.refuseUnknown(decoder, known: Field.allCases.map(\.rawValue))
    let fields = try decoder.container(keyedBy: Field.self)
    self.record = PartyRecord(
      herID: try Self.herID(try fields.decode(Double.self, forKey: .herID), fields, .herID),
      name: try fields.decode(String.self, forKey: .name),
      kind: try fields.decode(PartyRecord.Kind.self, forKey: .kind),
      parent: try fields.decodeIfPresent(Double.self, forKey: .parent).map { try Self.herID($0, fields, .parent) },
      active: try fields.decode(Bool.self, forKey: .active), valid: try fields.decode(Bool.self, forKey: .valid),
      addresses: try fields.decode([StrictAddress].self, forKey: .addresses).map(\.address),
      organisationNumber: try fields.decodeIfPresent(Int32.self, forKey: .organisationNumber),
      futureAddresses: try fields.decodeIfPresent([StrictFutureAddress].self, forKey: .futureAddresses)?.map(\.address) ?? [])
  }

  /// Read as the widest number, for a number that an integer cannot hold would otherwise be told as broken JSON.
  private static func herID(_ number: Double, _ fields: KeyedDecodingContainer<Field>, _ field: Field) throws -> HerID {
    guard let value = Int32(exactly: number), let herID = HerID(value) else {
      throw DecodingError.dataCorruptedError(
        forKey: field, in: fields, debugDescription: "a HER-ID is a whole number greater than zero and at most \(Int32.max)")
    }
    return herID
  }

  private static func refuseUnknown(_ decoder: any Decoder, known: [String]) throws {
    let fields = try decoder.container(keyedBy: AnyKey.self)
    guard let stranger = fields.allKeys.filter({ !known.contains($0.stringValue) }).min(by: { $0.stringValue < $1.stringValue })
    else { return }
    throw DecodingError.dataCorruptedError(
      forKey: stranger, in: fields, debugDescription: "no such field (there are \(known.joined(separator: ", ")))")
  }

  /// What is wrong with the values, each of the right type as they are.
  var problem: (field: String, text: String)? { Self.problem(self.record) }

  static func problem(_ record: PartyRecord) -> (field: String, text: String)? {
    if record.parent == record.herID { return ("parent", "a party is not its own parent") }
    var seen: Set<QueueKind> = []
    for (index, address) in record.addresses.enumerated() {
      if address.typeCode.isEmpty { return ("addresses[\(index + 1)].typeCode", "is empty") }
      guard let kind = address.queueKind else { continue }
      guard (try? QueueAddress(text: address.text)) != nil else {
        return ("addresses[\(index + 1)].text", "\"\(address.text.prefix(200))\" is no queue address host/path/queue")
      }
      guard seen.insert(kind).inserted else {
        return ("addresses[\(index + 1)].typeCode", "a second address of type \(address.typeCode)")
      }
    }
    return nil
  }
}
