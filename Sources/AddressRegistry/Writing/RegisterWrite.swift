// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which intent a write to the register carries out. Sent along where the register takes it, so that a write that is sent
/// twice is done once, and so that every change there can be matched to one intent (invariant I-2).
public struct OperationID: Sendable, Hashable, Codable, CustomStringConvertible, ExpressibleByStringLiteral {
  public let text: String
  public init(_ text: String) { self.text = text }
  public init(stringLiteral value: String) { self.text = value }
  public init(from decoder: any Decoder) throws { self.text = try decoder.singleValueContainer().decode(String.self) }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.text)
  }
  public var description: String { self.text }
}

/// What is to be changed in a party's entry.
public enum RegisterChange: Sendable, Hashable, Codable {
  /// This HER-ID's queue addresses go to the bus; parties that inherit from it go along, since they hold none of their own.
  case switchToBus(BusName)
  /// This HER-ID's and those of all services below it.
  case switchToBusWithServicesBelow(BusName)
  /// The organisation's queue (*virksomhetskø*): this HER-ID gives up its own queue addresses and inherits its parent's.
  case useOrganisationQueue
  /// The general update: all electronic addresses of the entry, of every type, become exactly these. The way back.
  case replaceAddresses([PartyRecord.Address])
}

/// One change, for one HER-ID, under one operation id. It is made durable before it is carried out.
public struct RegisterWrite: Sendable, Hashable, Codable, CustomStringConvertible {
  public var herID: HerID
  public var change: RegisterChange
  public var operationID: OperationID
  /// What the entry's addresses shall be afterwards, as the planner worked it out. The register is not told: it is for the
  /// operator's instructions and for the read-back. Nil when it is not known beforehand.
  public var expectedAddresses: [PartyRecord.Address]?

  public init(
    herID: HerID, change: RegisterChange, operationID: OperationID, expectedAddresses: [PartyRecord.Address]? = nil
  ) {
    self.herID = herID
    self.change = change
    self.operationID = operationID
    self.expectedAddresses = expectedAddresses
  }

  public var description: String {
    switch self.change {
    case .switchToBus(let bus): "switch HER-ID \(self.herID) to bus \(bus)"
    case .switchToBusWithServicesBelow(let bus): "switch HER-ID \(self.herID) and all services below it to bus \(bus)"
    case .useOrganisationQueue: "let HER-ID \(self.herID) use its organisation's queue"
    case .replaceAddresses(let addresses): "set the \(addresses.count) electronic addresses of HER-ID \(self.herID)"
    }
  }
}
