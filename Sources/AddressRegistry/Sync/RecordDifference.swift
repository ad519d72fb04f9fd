// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Where two records of one party differ, field by field.
public struct RecordDifference: Sendable, Hashable, Codable {
  /// One field, such as `name` or `address E_SB_ASYNC`.
  public struct Field: Sendable, Hashable, Codable {
    public var name: String
    /// Nil where the field was not there.
    public var before: String?
    public var after: String?

    public init(name: String, before: String?, after: String?) {
      self.name = name
      self.before = before
      self.after = after
    }
  }

  public var herID: HerID
  public var fields: [Field]

  /// Nil when the two say the same. The order of addresses alone is no difference, as it is none for the record's hash.
  public init?(from before: PartyRecord, to after: PartyRecord) {
    var fields: [Field] = []
    func compare(_ name: String, _ one: String?, _ other: String?) {
      if !Self.isSame(one, other) { fields.append(Field(name: name, before: one, after: other)) }
    }
    compare("name", before.name, after.name)
    compare("kind", before.kind.rawValue, after.kind.rawValue)
    compare("parent", before.parent?.description, after.parent?.description)
    compare("active", String(before.active), String(after.active))
    compare("valid", String(before.valid), String(after.valid))
    compare("organisation number", before.organisationNumber.map(String.init), after.organisationNumber.map(String.init))
    fields += Self.lists(
      before.addresses.map { ("address \($0.typeCode)", Self.text($0)) },
      after.addresses.map { ("address \($0.typeCode)", Self.text($0)) })
    fields += Self.lists(
      before.futureAddresses.map { ("future address \($0.address.typeCode)", "\(Self.text($0.address)) from \($0.validFrom)") },
      after.futureAddresses.map { ("future address \($0.address.typeCode)", "\(Self.text($0.address)) from \($0.validFrom)") })
    guard !fields.isEmpty else { return nil }
    self.herID = after.herID
    self.fields = fields
  }

  /// By bytes, as the hash is made: the standard library takes an å of one character and one of two for the same.
  private static func isSame(_ one: String?, _ other: String?) -> Bool {
    guard let one, let other else { return one == nil && other == nil }
    return one.utf8.elementsEqual(other.utf8)
  }

  private static func text(_ address: PartyRecord.Address) -> String { address.text + (address.inherited ? " (inherited)" : "") }

  /// Pairs what is left on both sides when equal entries are taken out, name by name.
  private static func lists(_ before: [(name: String, text: String)], _ after: [(name: String, text: String)]) -> [Field] {
    var gone = Dictionary(grouping: before, by: \.name).mapValues { $0.map(\.text) }
    var come: [String: [String]] = [:]
    for (name, text) in after {
      if let index = gone[name]?.firstIndex(where: { Self.isSame($0, text) }) {
        gone[name]?.remove(at: index)
      } else {
        come[name, default: []].append(text)
      }
    }
    let names = Set(gone.filter { !$0.value.isEmpty }.keys).union(come.keys).sorted()
    return names.flatMap { name -> [Field] in
      let (left, right) = (gone[name] ?? [], come[name] ?? [])
      return (0..<max(left.count, right.count)).map { index in
        Field(
          name: name, before: left.indices.contains(index) ? left[index] : nil,
          after: right.indices.contains(index) ? right[index] : nil)
      }
    }
  }
}

/// What we wrote, what it was, and what it is: whose hand was last on a party's entry.
public enum ThreeWayVerdict: Sendable, Hashable {
  /// The entry is what we wrote.
  case asWritten
  /// The entry is what it was before we wrote: never applied, or taken back, by us or somebody else.
  case asBefore
  /// Somebody else has changed it since: where it differs from what we wrote.
  case foreignChange(RecordDifference)

  /// - Parameters:
  ///   - before: the record that our write was based on.
  ///   - written: what we wrote.
  ///   - now: what the register has.
  public static func judge(before: PartyRecord, written: PartyRecord, now: PartyRecord) -> ThreeWayVerdict {
    if now.hash == written.hash { return .asWritten }
    if now.hash == before.hash { return .asBefore }
    // Hashes differ, so there is a difference to be told.
    return RecordDifference(from: written, to: now).map { .foreignChange($0) } ?? .asWritten
  }
}
