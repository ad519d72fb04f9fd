// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The pulje file: which parties, from where to where, under which policy.
enum PuljeFile {
  static func read(_ path: String) throws -> PuljeRequest { try Self.read(ConfigurationNode.file(path)) }

  static func read(_ root: ConfigurationNode) throws -> PuljeRequest {
    let fields = try root.mapping(["name", "source", "target", "defaults", "parties", "policy", "waves", "scope"])
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
    return PuljeRequest(
      name: name, source: BusName(try fields.required("source").text), target: BusName(try fields.required("target").text),
      parties: try fields.required("parties").elements.map { try Self.party($0, usual) },
      policy: try Self.policy(fields.optional("policy")), waves: try fields.optional("waves")?.elements.map { try $0.integer },
      scope: try fields.optional("scope")?.choice(PuljeRequest.Scope.self) ?? .herID)
  }

  private struct Usual {
    var vendor: String?
    var listens = PuljeRequest.Party.Listens.one
    var startConfirmed = false
  }

  private static func party(_ node: ConfigurationNode, _ usual: Usual) throws -> PuljeRequest.Party {
    let fields = try node.mapping(["her-id", "vendor", "listens", "start-confirmed", "organisation-queue"])
    guard let vendor = try fields.optional("vendor")?.text ?? usual.vendor else {
      throw CommandLineError.keyMissing(place: node.place, key: "vendor")
    }
    var party = PuljeRequest.Party(
      herID: try fields.required("her-id").herID, vendor: vendor, listens: usual.listens, startConfirmed: usual.startConfirmed)
    try fields.read("listens", into: &party.listens) { try $0.choice(PuljeRequest.Party.Listens.self) }
    try fields.read("start-confirmed", into: &party.startConfirmed) { try $0.flag }
    try fields.read("organisation-queue", into: &party.joinsOrganisation) { try $0.flag }
    return party
  }
}
