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

  private static func policy(_ node: ConfigurationNode?) throws -> Policy {
    var policy = Policy()
    guard let node else { return policy }
    let fields = try node.mapping([
      "quiet-period", "look-interval", "minimum-looks", "watch-period", "watch-look-interval", "ping-tries", "ping-interval",
      "write-tries", "automatic-rollback", "leftovers", "approvals", "consumer-before-cutover", "echo-required", "ready-life",
      "verified-life", "drained-life", "source-kept", "workday-in-quiet", "calendar",
    ])
    try fields.read("quiet-period", into: &policy.quietPeriod) { try $0.span }
    try fields.read("look-interval", into: &policy.lookInterval) { try $0.span }
    try fields.read("minimum-looks", into: &policy.minimumLooks) { try $0.integer }
    try fields.read("watch-period", into: &policy.watchPeriod) { try $0.span }
    try fields.read("watch-look-interval", into: &policy.watchLookInterval) { try $0.span }
    try fields.read("ping-tries", into: &policy.pingTries) { try $0.integer }
    try fields.read("ping-interval", into: &policy.pingInterval) { try $0.span }
    try fields.read("write-tries", into: &policy.writeTries) { try $0.integer }
    try fields.read("automatic-rollback", into: &policy.automaticRollback) { try $0.flag }
    try fields.read("leftovers", into: &policy.leftovers) { try $0.choice(Policy.Leftovers.self) }
    try fields.read("approvals", into: &policy.approvals) { try $0.integer }
    try fields.read("consumer-before-cutover", into: &policy.consumerBeforeCutover) { try $0.flag }
    try fields.read("echo-required", into: &policy.echoRequired) { try $0.flag }
    try fields.read("ready-life", into: &policy.readyLife) { try $0.span }
    try fields.read("verified-life", into: &policy.verifiedLife) { try $0.span }
    try fields.read("drained-life", into: &policy.drainedLife) { try $0.span }
    try fields.read("source-kept", into: &policy.sourceKept) { try $0.span }
    try fields.read("workday-in-quiet", into: &policy.workdayInQuiet) { try $0.flag }
    try fields.read("calendar", into: &policy.calendar) { try Self.calendar($0) }
    return policy
  }

  private static func calendar(_ node: ConfigurationNode) throws -> CutoverCalendar {
    let fields = try node.mapping(["windows", "freezes"])
    var calendar = CutoverCalendar()
    calendar.windows = try fields.optional("windows")?.elements.map { try Self.window($0) } ?? []
    calendar.freezes = try fields.optional("freezes")?.elements.map { try Self.freeze($0) } ?? []
    return calendar
  }

  private static func window(_ node: ConfigurationNode) throws -> CutoverCalendar.Window {
    let fields = try node.mapping(["days", "from", "to"])
    func time(_ key: String) throws -> TimeOfDay {
      let node = try fields.required(key)
      guard let time = TimeOfDay(text: try node.text) else { throw node.wrong(wanted: "a time of day such as 22:00") }
      return time
    }
    let days = try fields.optional("days")?.elements.map { try $0.choice(LocalDate.Weekday.self) } ?? []
    return CutoverCalendar.Window(days: days, from: try time("from"), to: try time("to"))
  }

  private static func freeze(_ node: ConfigurationNode) throws -> CutoverCalendar.Freeze {
    let fields = try node.mapping(["from", "through", "why"])
    func day(_ key: String) throws -> LocalDate {
      let node = try fields.required(key)
      guard let day = LocalDate(text: try node.text) else { throw node.wrong(wanted: "a day such as 2026-12-24") }
      return day
    }
    return CutoverCalendar.Freeze(from: try day("from"), through: try day("through"), why: try fields.required("why").text)
  }
}
