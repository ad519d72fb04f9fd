// SPDX-License-Identifier: Apache-2.0

import BusModel

@testable import Migration

/// Two buses, a handful of parties: 100 with 101 and 102 below it that inherit, 200 and 300 alone.
enum Fixture {
  static let start = Instant(milliseconds: 1_770_000_000_000)
  static let source = Bus(name: "servicebus", dialect: .rabbitMQ3, hosts: ["sb.test.example"], path: "NHN")
  static let target = Bus(name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.test.example"], path: "NHN")
  static let third = Bus(name: "third", dialect: .activeMQ, hosts: ["third.example"], path: "")
  static let buses = [source, target, third]

  static func herID(_ value: Int32) -> HerID { HerID(value) ?? Fixture.herID(1) }

  static func record(
    _ value: Int32, queues: Int32? = nil, on bus: Bus = source, parent: Int32? = nil, inherited: Bool = false,
    kind: PartyRecord.Kind = .organisation, active: Bool = true
  ) -> PartyRecord {
    let owner = queues ?? value
    var addresses = QueueKind.inRegister.map { kind in
      PartyRecord.Address(
        typeCode: kind.registerCode ?? "", text: "\(bus.hosts[0])/\(bus.path)/\(owner)_\(kind.rawValue)", inherited: inherited)
    }
    addresses.append(PartyRecord.Address(typeCode: "E_EDI", text: "edi\(value)@test.example", inherited: false))
    return PartyRecord(
      herID: herID(value), name: "Party \(value)", kind: kind, parent: parent.map(herID), active: active, valid: true,
      addresses: addresses)
  }

  static let records: [PartyRecord] = [
    record(100), record(101, queues: 100, parent: 100, inherited: true, kind: .service),
    record(102, queues: 100, parent: 100, inherited: true, kind: .service), record(200), record(300),
  ]

  static func party(_ value: Int32, listens: PuljeRequest.Party.Listens = .both) -> PuljeRequest.Party {
    PuljeRequest.Party(herID: herID(value), vendor: value < 200 ? "Alfa" : "Beta", listens: listens)
  }

  static func request(_ herIDs: [Int32], name: String = "pulje-1", policy: Policy = Policy()) -> PuljeRequest {
    PuljeRequest(
      name: name_(name), source: source.name, target: target.name, parties: herIDs.map { party($0) }, policy: policy)
  }

  static func name_(_ text: String) -> PuljeName { PuljeName(text) ?? name_("x") }

  static func plan(_ herIDs: [Int32], name: String = "pulje-1", policy: Policy = Policy()) -> Plan {
    Planner(buses: buses, records: records).plan(request(herIDs, name: name, policy: policy))
  }

  static func context(
    policy: Policy = Policy(), started: Bool = true, pause: Note? = nil, conflict: GroupID? = nil
  ) -> GroupContext {
    GroupContext(pulje: name_("pulje-1"), policy: policy, isStarted: started, pause: pause, conflictElsewhere: conflict)
  }

  // MARK: evidence

  static func preflight(_ change: (inout PreflightReport) -> Void = { _ in }) -> PreflightReport {
    var report = PreflightReport(
      findings: PreflightCheck.allCases.map { Finding($0, .passed, seen: "seen") }, baseline: look(deadLetters: 2))
    change(&report)
    return report
  }

  static func ping(_ herID: HerID, _ results: [PingCheck: Finding<PingCheck>.Result] = [:]) -> PingReport {
    let usual: [PingCheck: Finding<PingCheck>.Result] = [
      .accepted: .passed, .negativeControl: .passed, .consumer: .passed, .depthFalls: .passed, .echo: .impossible,
    ]
    return PingReport(
      herID: herID, bus: target.name,
      findings: PingCheck.allCases.map {
        Finding($0, results[$0] ?? usual[$0] ?? .impossible, seen: "\($0.rawValue) seen")
      })
  }

  static func look(
    depth: Int64 = 0, arrivals: Int64? = nil, deadLetters: Int64 = 2, unreadable: Bool = false, missing: Bool = false
  ) -> [QueueReading] {
    var readings = QueueKind.inRegister.map { kind in
      QueueReading(
        address: QueueAddress(host: "sb.test.example", path: "NHN", queue: "200_\(kind.rawValue)"), kind: kind,
        count: .counted(depth: kind == .asynchronous ? depth : 0, arrivals: arrivals, consumers: 1))
    }
    readings.append(
      QueueReading(
        address: QueueAddress(host: "sb.test.example", path: "NHN", queue: "200_dl"), kind: .deadLetter,
        count: .counted(depth: deadLetters, arrivals: nil, consumers: nil)))
    if unreadable { readings[1].count = .unreadable("time-out") }
    if missing { readings[1].count = .absent }
    return readings
  }
}

extension TimeSpan {
  static func + (lhs: TimeSpan, rhs: TimeSpan) -> TimeSpan { TimeSpan(milliseconds: lhs.milliseconds + rhs.milliseconds) }
}
