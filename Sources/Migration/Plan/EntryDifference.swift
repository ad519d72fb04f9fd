// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One field of a register entry that reads in two ways.
public struct EntryDifference: Sendable, Hashable, Codable, CustomStringConvertible {
  public var field: String
  public var was: String?
  public var now: String?

  /// Every field in which the two differ, by name.
  public static func between(_ was: PartyRecord, _ now: PartyRecord) -> [EntryDifference] {
    let (old, new) = (self.fields(was), self.fields(now))
    return Set(old.keys).union(new.keys).sorted().compactMap { name in
      old[name] == new[name] ? nil : EntryDifference(field: name, was: old[name], now: new[name])
    }
  }

  /// An entry's fields in words.
  static func fields(_ record: PartyRecord) -> [String: String] {
    var fields = [
      "name": record.name, "kind": record.kind.rawValue, "parent": record.parent?.description ?? "none",
      "active": String(record.active), "valid": String(record.valid),
    ]
    if let number = record.organisationNumber { fields["organisation number"] = String(number) }
    func words(_ address: PartyRecord.Address) -> String { address.inherited ? "\(address.text) (inherited)" : address.text }
    for (code, addresses) in Dictionary(grouping: record.addresses, by: \.typeCode) {
      fields[code] = addresses.map(words).sorted().joined(separator: ", ")
    }
    for (code, addresses) in Dictionary(grouping: record.futureAddresses, by: \.address.typeCode) {
      fields["\(code) to come"] = addresses.map { "\(words($0.address)) from \($0.validFrom)" }.sorted().joined(separator: ", ")
    }
    return fields
  }

  public var description: String { "\(self.field) was \(self.was ?? "not there"), is \(self.now ?? "not there")" }
}
