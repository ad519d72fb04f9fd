// SPDX-License-Identifier: Apache-2.0

extension PartyRecord {
  private enum CodingKeys: String, CodingKey {
    case herID, name, kind, parent, active, valid, addresses, organisationNumber, futureAddresses
  }

  /// What was written before there were organisation numbers and future addresses reads as having none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      herID: try container.decode(HerID.self, forKey: .herID), name: try container.decode(String.self, forKey: .name),
      kind: try container.decode(Kind.self, forKey: .kind), parent: try container.decodeIfPresent(HerID.self, forKey: .parent),
      active: try container.decode(Bool.self, forKey: .active), valid: try container.decode(Bool.self, forKey: .valid),
      addresses: try container.decode([Address].self, forKey: .addresses),
      organisationNumber: try container.decodeIfPresent(Int32.self, forKey: .organisationNumber),
      futureAddresses: try container.decodeIfPresent([FutureAddress].self, forKey: .futureAddresses) ?? [])
  }

  /// Facts that a record does not have are not written, so that its form is the one it always had.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(self.herID, forKey: .herID)
    try container.encode(self.name, forKey: .name)
    try container.encode(self.kind, forKey: .kind)
    try container.encodeIfPresent(self.parent, forKey: .parent)
    try container.encode(self.active, forKey: .active)
    try container.encode(self.valid, forKey: .valid)
    try container.encode(self.addresses, forKey: .addresses)
    try container.encodeIfPresent(self.organisationNumber, forKey: .organisationNumber)
    if !self.futureAddresses.isEmpty { try container.encode(self.futureAddresses, forKey: .futureAddresses) }
  }
}
