// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What somebody asks for: these parties, from this bus to that one, under this policy. The pulje file, read.
public struct PuljeRequest: Sendable, Hashable, Codable {
  public struct Party: Sendable, Hashable, Codable {
    /// Which buses the party's receiver hears while it moves.
    public enum Listens: String, Sendable, Hashable, Codable, CaseIterable {
      case both
      case one
    }

    public var herID: HerID
    public var vendor: String
    /// Not stated counts as `one`: silence is not success.
    public var listens: Listens
    /// The vendor has confirmed when its system starts on the target bus; the pre-flight then asks for no consumer there.
    public var startConfirmed: Bool
    /// It gives up its own queues and uses its organisation's (*virksomhetskø*) on the target bus.
    public var joinsOrganisation: Bool
    /// In which wave it goes, from 1, where waves are stated by party.
    public var wave: Int?
    /// Whether its system speaks AMQP 1.0; nil when nobody has said.
    public var speaksAMQP10: Bool?
    /// The user that its system logs in to the buses as, where it has one of its own: by it its connections are known.
    public var busUser: String?

    public init(
      herID: HerID, vendor: String, listens: Listens = .one, startConfirmed: Bool = false, joinsOrganisation: Bool = false
    ) {
      self.joinsOrganisation = joinsOrganisation
      self.herID = herID
      self.vendor = vendor
      self.listens = listens
      self.startConfirmed = startConfirmed
    }
  }

  /// How far one write reaches.
  public enum Scope: String, Sendable, Hashable, Codable, CaseIterable {
    case herID = "her-id"
    /// The HER-ID and all services below it. They must all be in the pulje: the write takes them along in any case.
    case servicesBelow = "services-below"
  }

  public var name: PuljeName
  public var source: BusName
  public var target: BusName
  public var parties: [Party]
  /// Organisations with all their services, as the registry knows them.
  public var organisations: [Organisation] = []
  /// What vendors say of their libraries.
  public var libraries: [LibrarySighting] = []
  public var policy: Policy
  /// nil: all go at once.
  public var waves: Waves?
  public var scope: Scope

  public init(
    name: PuljeName, source: BusName, target: BusName, parties: [Party], policy: Policy = Policy(), waves: Waves? = nil,
    scope: Scope = .herID
  ) {
    self.scope = scope
    self.name = name
    self.source = source
    self.target = target
    self.parties = parties
    self.policy = policy
    self.waves = waves
  }
}

/// A pulje's name: letters, digits, dash, underscore and dot, at most 64. It is used once and never again.
public struct PuljeName: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  public let text: String

  public init?(_ text: String) {
    let allowed = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard allowed, (1...64).contains(text.utf8.count) else { return nil }
    self.text = text
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let name = PuljeName(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a pulje's name is 1 to 64 letters, digits, dashes, underscores or dots")
    }
    self = name
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.text)
  }

  public static func < (lhs: PuljeName, rhs: PuljeName) -> Bool { lhs.text < rhs.text }
  public var description: String { self.text }
}
