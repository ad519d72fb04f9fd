// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationEngine
import Synchronization

/// Register and buses in this process: they answer at once, and as one wishes. What is measured is the engine's own work.
final class MemoryWorld: RegisterPort, BusPort, HookPort {
  private let register: Mutex<[HerID: PartyRecord]>
  private let children: [HerID: [HerID]]
  let calls = Mutex<(reads: Int, writes: Int, pings: Int, looks: Int)>((0, 0, 0, 0))

  init(_ records: [PartyRecord]) {
    self.register = Mutex(Dictionary(records.map { ($0.herID, $0) }, uniquingKeysWith: { first, _ in first }))
    var children: [HerID: [HerID]] = [:]
    for record in records { if let parent = record.parent { children[parent, default: []].append(record.herID) } }
    self.children = children
  }

  func recordNow(_ herID: HerID) -> PartyRecord? { self.register.withLock { $0[herID] } }

  func read(_ herID: HerID) async throws(RegisterReadError) -> PartyRecord {
    self.calls.withLock { $0.reads += 1 }
    guard let record = self.recordNow(herID) else { throw .unknownParty(herID) }
    return record
  }

  func known() async throws(RegisterReadError) -> [PartyRecord] { self.register.withLock { Array($0.values) } }

  /// A write of an organisation shows in all that inherit from it, as in the register.
  func writeNow(_ order: WriteOrder) {
    self.register.withLock { register in
      register[order.herID] = order.goal
      for child in self.children[order.herID] ?? [] {
        guard var heir = register[child] else { continue }
        for index in heir.addresses.indices where heir.addresses[index].inherited {
          let code = heir.addresses[index].typeCode
          if let text = order.goal.addresses.first(where: { $0.typeCode == code })?.text { heir.addresses[index].text = text }
        }
        register[child] = heir
      }
    }
  }

  func write(_ order: WriteOrder) async -> WriteOutcome {
    self.calls.withLock { $0.writes += 1 }
    self.writeNow(order)
    return .answered
  }

  func ask(_ question: HookQuestion) async -> HookAnswer { .assented("CHG-7") }

  func preflight(
    source: BusName, sourceQueues: [GroupQueue], target: BusName, targetQueues: [GroupQueue]
  ) async -> [Finding<PreflightCheck>] { Self.findings }

  func ping(_ herID: HerID, on bus: BusName, queues: [GroupQueue]) async -> PingReport {
    self.calls.withLock { $0.pings += 1 }
    return Self.report(herID, bus)
  }

  func look(at queues: [GroupQueue], on bus: BusName) async -> [QueueReading] {
    self.calls.withLock { $0.looks += 1 }
    return Self.readings(queues)
  }

  static let findings = PreflightCheck.allCases.map { Finding($0, .passed, seen: "seen at the bus: it is as it should be") }

  static func report(_ herID: HerID, _ bus: BusName) -> PingReport {
    PingReport(
      herID: herID, bus: bus,
      findings: [
        Finding(.accepted, .passed, seen: "the bus accepted the ping"),
        Finding(.negativeControl, .passed, seen: "a send to a name that cannot exist was refused"),
        Finding(.consumer, .passed, seen: "1 consumer"), Finding(.depthFalls, .passed, seen: "0 before, 0 after"),
        Finding(.echo, .impossible, seen: "no answer agreed"),
      ])
  }

  static func readings(_ queues: [GroupQueue]) -> [QueueReading] {
    queues.map { queue in
      let isThere = QueueKind.inRegister.contains(queue.kind)
      return QueueReading(
        address: queue.address, kind: queue.kind, count: isThere ? .counted(depth: 0, arrivals: 1_204, consumers: 1) : .absent)
    }
  }

  /// The answer to a call, without waiting.
  func answer(_ call: PortCall) -> PortAnswer {
    switch call {
    case .read(let herID): self.recordNow(herID).map { .record($0) } ?? .notRead("no such party")
    case .preflight(_, let queues, _, _):
      .checked(PreflightReport(findings: Self.findings, baseline: Self.readings(queues)))
    case .ping(let herID, let bus, _): .pinged(Self.report(herID, bus))
    case .look(let queues, _): .looked(Self.readings(queues))
    case .peek(let queues, _): .sighted(queues.map { QueueSightings(queue: $0.address, sightings: [], isWhole: true) })
    case .hook: .hook(.assented("CHG-7"))
    }
  }
}
