// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The policy of a pulje file.
extension PuljeFile {
  static func policy(_ node: ConfigurationNode?) throws -> Policy {
    var policy = Policy()
    guard let node else { return policy }
    let fields = try node.mapping([
      "quiet-period", "look-interval", "minimum-looks", "watch-period", "watch-look-interval", "ping-tries", "ping-interval",
      "write-tries", "automatic-rollback", "leftovers", "approvals", "consumer-before-cutover", "echo-required", "ready-life",
      "verified-life", "drained-life", "source-kept", "workday-in-quiet", "calendar",
      "test-protocol", "hooks", "gates", "libraries", "blocks",
      "address-caches",
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
    try fields.read("test-protocol", into: &policy.testProtocol) { try Self.testProtocol($0) }
    if let hooks = fields.optional("hooks") { try Self.hooks(hooks, into: &policy) }
    try fields.read("gates", into: &policy.gates) { try Self.gates($0) }
    try fields.read("libraries", into: &policy.libraries) { try Self.libraries($0) }
    try fields.read("address-caches", into: &policy.declaredCaches) { try $0.elements.map(Self.addressCache) }
    try fields.read("blocks", into: &policy.blocks) { try $0.elements.map { try $0.choice(PlanFinding.Code.self) } }
    return policy
  }

  /// A list is of those before the cut; a mapping says of each where it is asked.
  private static func hooks(_ node: ConfigurationNode, into policy: inout Policy) throws {
    guard node.isMapping else {
      policy.hooks = try node.elements.map { try $0.text }
      return
    }
    let fields = try node.mapping(HookPoint.allCases.map(\.rawValue))
    policy.hooks = try fields.optional(HookPoint.cut.rawValue)?.elements.map { try $0.text }
    let steps = try HookPoint.allCases.filter { $0 != .cut }.flatMap { point in
      try fields.optional(point.rawValue)?.elements.map { StepHook(point, try $0.text) } ?? []
    }
    if !steps.isEmpty { policy.stepHooks = steps }
  }

  private static func addressCache(_ node: ConfigurationNode) throws -> DeclaredCache {
    let fields = try node.mapping(["vendor", "life"])
    let life = try fields.required("life")
    guard try life.span.milliseconds > 0 else { throw life.wrong(wanted: "a time longer than nothing") }
    return DeclaredCache(vendor: try fields.optional("vendor")?.text, life: try life.span)
  }

  private static func libraries(_ node: ConfigurationNode) throws -> LibraryPolicy {
    let fields = try node.mapping(["minimum", "updated-within-days"])
    let minimum = try fields.optional("minimum")?.elements.map { node in
      let fields = try node.mapping(["library", "version", "from"])
      let from = try fields.optional("from").map { node in
        guard let day = LocalDate(text: try node.text) else { throw node.wrong(wanted: "a day such as 2026-12-24") }
        return day
      }
      return LibraryPolicy.Minimum(
        library: try fields.required("library").text, version: try fields.required("version").text, from: from)
    }
    return LibraryPolicy(minimum: minimum ?? [], updatedWithinDays: try fields.optional("updated-within-days")?.integer)
  }

  private static func testProtocol(_ node: ConfigurationNode) throws -> TestProtocol {
    let fields = try node.mapping(["own-ping", "central-services", "value-chain", "vendor-confirms"])
    var tests = TestProtocol()
    try fields.read("own-ping", into: &tests.ownPing) { try $0.flag }
    try fields.read("central-services", into: &tests.centralServices) { try $0.elements.map { try $0.text } }
    try fields.read("value-chain", into: &tests.valueChain) { try $0.flag }
    try fields.read("vendor-confirms", into: &tests.vendorConfirms) { try $0.flag }
    return tests
  }

  private static func gates(_ node: ConfigurationNode) throws -> Gates {
    let fields = try node.mapping([
      "measure-interval", "ping-after-quiet", "ping-loss-percent", "depth", "dead-letters", "traffic",
    ])
    var gates = Gates()
    try fields.read("measure-interval", into: &gates.measureInterval) { try $0.span }
    try fields.read("ping-after-quiet", into: &gates.pingAfterQuiet) { try $0.span }
    try fields.read("ping-loss-percent", into: &gates.pingLossPercent) { try $0.integer }
    try fields.read("depth", into: &gates.depth) { Int64(try $0.integer) }
    try fields.read("dead-letters", into: &gates.deadLetters) { Int64(try $0.integer) }
    try fields.read("traffic", into: &gates.traffic) { Int64(try $0.integer) }
    return gates
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
