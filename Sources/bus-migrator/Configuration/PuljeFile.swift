// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The pulje file: which parties, from where to where, under which policy.
enum PuljeFile {
  static func read(_ path: String) throws -> PuljeRequest { try Self.read(ConfigurationNode.file(path)) }

  static func read(_ root: ConfigurationNode) throws -> PuljeRequest {
    let fields = try root.mapping([
      "name", "source", "target", "defaults", "parties", "parties-file", "organisations", "libraries-file", "policy", "waves",
      "scope",
    ])
    let nameNode = try fields.required("name")
    guard let name = PuljeName(try nameNode.text) else {
      throw nameNode.wrong(wanted: "1 to 64 letters, digits, dashes, underscores or dots")
    }
    var usual = Usual()
    if let node = fields.optional("defaults") {
      let defaults = try node.mapping(["vendor", "listens", "start-confirmed"])
      try defaults.read("vendor", into: &usual.vendor) { try $0.text }
      try defaults.read("listens", into: &usual.listens) { try $0.choice(PuljeRequest.Party.Listens.self) }
      try defaults.read("start-confirmed", into: &usual.startConfirmed) { try $0.flag }
    }
    var parties = try fields.optional("parties")?.elements.map { try Self.party($0, usual) } ?? []
    if let node = fields.optional("parties-file") {
      parties += try PuljeTables.parties(Paths.absolute(try node.text, besides: root.file), usual: usual)
    }
    let organisations = try fields.optional("organisations")?.elements.map { try Self.organisation($0, usual) } ?? []
    if ["parties", "parties-file", "organisations"].allSatisfy({ fields.optional($0) == nil }) {
      throw CommandLineError.keyMissing(place: root.place, key: "parties, parties-file or organisations")
    }
    var request = PuljeRequest(
      name: name, source: BusName(try fields.required("source").text), target: BusName(try fields.required("target").text),
      parties: parties, policy: try Self.policy(fields.optional("policy")),
      waves: try Self.waves(fields.optional("waves"), parties: parties),
      scope: try fields.optional("scope")?.choice(PuljeRequest.Scope.self) ?? .herID)
    request.organisations = organisations
    if let node = fields.optional("libraries-file") {
      request.libraries = try PuljeTables.libraries(Paths.absolute(try node.text, besides: root.file))
    }
    return request
  }

  /// What holds for every party unless it says otherwise.
  struct Usual {
    var vendor: String?
    var listens = PuljeRequest.Party.Listens.one
    var startConfirmed = false
  }

  private static func party(_ node: ConfigurationNode, _ usual: Usual) throws -> PuljeRequest.Party {
    let fields = try node.mapping([
      "her-id", "vendor", "listens", "start-confirmed", "organisation-queue", "wave", "amqp-1-0", "bus-user",
    ])
    guard let vendor = try fields.optional("vendor")?.text ?? usual.vendor else {
      throw CommandLineError.keyMissing(place: node.place, key: "vendor")
    }
    var party = PuljeRequest.Party(
      herID: try fields.required("her-id").herID, vendor: vendor, listens: usual.listens, startConfirmed: usual.startConfirmed)
    try fields.read("listens", into: &party.listens) { try $0.choice(PuljeRequest.Party.Listens.self) }
    try fields.read("start-confirmed", into: &party.startConfirmed) { try $0.flag }
    try fields.read("organisation-queue", into: &party.joinsOrganisation) { try $0.flag }
    try fields.read("wave", into: &party.wave) { try $0.integer }
    try fields.read("amqp-1-0", into: &party.speaksAMQP10) { try $0.flag }
    try fields.read("bus-user", into: &party.busUser) { try $0.text }
    return party
  }

  private static func organisation(_ node: ConfigurationNode, _ usual: Usual) throws -> PuljeRequest.Organisation {
    let fields = try node.mapping(["number", "vendor", "listens", "start-confirmed"])
    guard let vendor = try fields.optional("vendor")?.text ?? usual.vendor else {
      throw CommandLineError.keyMissing(place: node.place, key: "vendor")
    }
    let number = try fields.required("number")
    guard let value = Self.organisationNumber(try number.text) else { throw number.wrong(wanted: Self.organisationWanted) }
    var organisation = PuljeRequest.Organisation(
      number: value, vendor: vendor, listens: usual.listens, startConfirmed: usual.startConfirmed)
    try fields.read("listens", into: &organisation.listens) { try $0.choice(PuljeRequest.Party.Listens.self) }
    try fields.read("start-confirmed", into: &organisation.startConfirmed) { try $0.flag }
    return organisation
  }

  static let organisationWanted = "an organisation number: nine digits, with a check digit that fits"

  /// Nine digits of which the last checks the others (modulus 11); blanks between them are passed over.
  static func organisationNumber(_ text: String) -> Int32? {
    let digits = text.filter { $0 != " " }.compactMap { $0.isASCII ? $0.wholeNumberValue : nil }
    guard digits.count == 9, text.filter({ $0 != " " }).count == 9 else { return nil }
    let sum = zip(digits, [3, 2, 7, 6, 5, 4, 3, 2]).reduce(0) { $0 + $1.0 * $1.1 }
    guard (11 - sum % 11) % 11 == digits[8] else { return nil }
    return Int32(digits.reduce(0) { $0 * 10 + $1 })
  }

  private static func waves(_ node: ConfigurationNode?, parties: [PuljeRequest.Party]) throws -> Waves? {
    let isStated = parties.contains { $0.wave != nil }
    guard let node else { return isStated ? .stated : nil }
    if isStated { throw node.wrong(wanted: "no waves here, since parties state theirs") }
    if case .scalar(let scalar) = node.node, scalar.string == "by-vendor" { return .byVendor }
    guard case .sequence = node.node else { throw node.wrong(wanted: "a list of how many groups each wave holds, or by-vendor") }
    return .sizes(try node.elements.map { try $0.integer })
  }
}
