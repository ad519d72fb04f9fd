// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration
@testable import MigrationReport

/// A history that a test writes by hand, event by event, with the clock in its hand.
struct History {
  static let source = Bus(name: "servicebus", dialect: .rabbitMQ3, hosts: ["sb.test.example"], path: "NHN")
  static let target = Bus(name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test.example"], path: "NHN")

  /// Thursday 1 October 2026, ten o'clock in Norway.
  var now = Instant(milliseconds: 1_790_841_600_000)
  private(set) var rows: [ReportFold.Row] = []
  let plan: Plan
  var pulje: PuljeName { self.plan.name }

  init(
    _ names: [(herID: Int32, name: String)] = [(200, "Bakken legekontor"), (300, "Dalen sykehjem")],
    policy: Policy = History.policy
  ) throws {
    let records = try names.map { party in
      PartyRecord(
        herID: try #require(HerID(party.herID)), name: party.name, kind: .organisation, parent: nil, active: true, valid: true,
        addresses: QueueKind.inRegister.map { kind in
          PartyRecord.Address(
            typeCode: kind.registerCode ?? "", text: "sb.test.example/NHN/\(party.herID)_\(kind.rawValue)", inherited: false)
        }, organisationNumber: 987_654_321)
    }
    let request = PuljeRequest(
      name: try #require(PuljeName("pulje-1")), source: Self.source.name, target: Self.target.name,
      parties: records.map { PuljeRequest.Party(herID: $0.herID, vendor: "Alfa EPJ", listens: .both) }, policy: policy)
    self.plan = Planner(buses: [Self.source, Self.target], records: records).plan(request)
  }

  static var policy: Policy {
    var policy = Policy()
    policy.quietPeriod = .hours(2)
    policy.minimumLooks = 2
    policy.workdayInQuiet = false
    policy.watchPeriod = .days(14)
    return policy
  }

  mutating func happens(_ event: MigrationEvent, after span: TimeSpan = .seconds(10)) {
    self.now = self.now + span
    let sequence = Int64(self.rows.count + 1)
    self.rows.append(ReportFold.Row(sequence: sequence, hash: "hash-\(sequence)", at: self.now, event: event))
  }

  mutating func group(_ herID: Int32, _ event: GroupEvent, after span: TimeSpan = .seconds(10)) throws {
    self.happens(.group(pulje: self.pulje, group: GroupID(try #require(HerID(herID))), event: event), after: span)
  }

  func facts(environment: String? = "test", later: TimeSpan = .seconds(0)) throws -> ReportFacts {
    var fold = ReportFold(of: self.pulje)
    for row in self.rows { fold.take(row) }
    #expect(fold.inconsistentAt == nil)
    return try #require(fold.facts(ReportFacts.Given(madeAt: self.now + later, environment: environment, program: "1.2.3")))
  }

  // MARK: what happens

  mutating func isSealedAndStarted() {
    self.happens(.puljeSealed(plan: self.plan, by: "Kari"))
    self.happens(.puljeStarted(pulje: self.pulje, approvals: ["Kari", "Ola"]), after: .minutes(5))
  }

  mutating func isCutOver(_ herID: Int32, outcome: WriteOutcome = .answered) throws {
    try self.group(herID, .planned)
    try self.group(herID, .preflightPassed(report: PreflightReport(findings: [], baseline: self.look(herID, arrivals: 100))))
    try self.group(
      herID, .preflightPassed(report: PreflightReport(findings: [], baseline: self.look(herID, arrivals: 160))), after: .hours(1))
    try self.group(herID, .armed)
    let id = try #require(HerID(herID))
    let member = try #require(self.plan.groups.flatMap(\.members).first { $0.herID == id })
    let operation = OperationID.stray(id)
    try self.group(
      herID,
      .intentRecorded(
        operation: operation, herID: id, direction: .forward, base: member.before.hash, goal: member.after.hash))
    try self.group(herID, .writeReturned(operation: operation, herID: id, outcome: outcome), after: .seconds(2))
    try self.group(herID, .readAsGoal(herID: id, found: member.after.hash), after: .seconds(3))
  }

  mutating func isReached(_ herID: Int32, after span: TimeSpan = .seconds(20), latency: Int64? = 12) throws {
    try self.group(herID, .pinged(reports: [self.ping(herID, latency: latency)]), after: span)
  }

  mutating func drains(_ herID: Int32) throws {
    try self.group(herID, .drainBegan)
    for _ in 0..<5 { try self.group(herID, .looked(readings: self.look(herID, arrivals: 160)), after: .minutes(30)) }
    try self.group(herID, .drained)
    try self.group(herID, .watchBegan)
  }

  /// Looks as the daemon makes them in the watch, for so long.
  mutating func isWatched(_ herIDs: [Int32], for span: TimeSpan) throws {
    let (end, interval) = (self.now + span, self.plan.policy.watchLookInterval)
    while self.now + interval <= end {
      for (index, herID) in herIDs.enumerated() {
        try self.group(herID, .looked(readings: self.look(herID, arrivals: 160)), after: index == 0 ? interval : .seconds(0))
      }
    }
    self.now = end
  }

  func ping(_ herID: Int32, latency: Int64? = 12, accepted: Finding<PingCheck>.Result = .passed) throws -> PingReport {
    PingReport(
      herID: try #require(HerID(herID)), bus: Self.target.name,
      findings: [
        Finding(.accepted, accepted, seen: "accepted"), Finding(.negativeControl, .passed, seen: "refused"),
        Finding(.consumer, .passed, seen: "1 consumer"), Finding(.depthFalls, .passed, seen: "0 before, 0 after"),
        Finding(.echo, .impossible, seen: "no echo"),
      ], acceptedAfter: latency)
  }

  func look(_ herID: Int32, depth: Int64 = 0, arrivals: Int64? = nil, unreadable: Bool = false, on bus: Bus = Self.source)
    -> [QueueReading]
  {
    QueueKind.inRegister.map { kind in
      QueueReading(
        address: QueueAddress(host: bus.hosts[0], path: "NHN", queue: "\(herID)_\(kind.rawValue)"), kind: kind,
        count: unreadable
          ? .unreadable("time-out")
          : .counted(
            depth: kind == .asynchronous ? depth : 0, arrivals: arrivals.map { kind == .asynchronous ? $0 : 0 }, consumers: 1))
    }
  }
}
