// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore

/// What the core asks for, carried out. Each ends by bringing its result to the loop; none believes an answer it did not read back.
extension MigrationEngine {
  /// Does `action` and tells the loop that the group is free again, or what ends the engine: a crash point struck.
  nonisolated func carryOut(_ action: GroupAction, _ key: Key) async {
    do {
      try await self.perform(action, key)
      self.outlet.yield(.finished(key, wasRefused: false))
    } catch is Refusal {
      // Somebody changed the group meanwhile; what was found is worth nothing now, and is found again.
      self.outlet.yield(.finished(key, wasRefused: true))
    } catch EngineError.notRunning {
      // The loop has ended: nobody is left to tell.
    } catch {
      self.outlet.yield(.failed(error))
    }
  }

  private nonisolated func perform(_ action: GroupAction, _ key: Key) async throws {
    guard let (group, plan) = await self.group(key) else { return }
    switch action {
    case .advance: try await self.bring(.advance, key)
    case .snapshot: try await self.takeSnapshot(group, key)
    case .preflight: try await self.preflight(group, plan, key)
    case .write(let herID): try await self.write(herID, group, plan, key)
    case .readBack(let herID): try await self.readBack(herID, group, key)
    case .ping: try await self.ping(group, plan, key)
    case .look: try await self.look(group, plan, key)
    }
  }

  private func group(_ key: Key) -> (GroupState, Plan)? {
    guard let pulje = self.state.puljer[key.pulje], let group = pulje.groups[key.group] else { return nil }
    return (group, pulje.plan)
  }

  @discardableResult
  private nonisolated func bring(_ input: GroupInput, _ key: Key) async throws -> [MigrationEvent] {
    try await self.submit(.group(key.pulje, key.group, input), actor: "daemon")
  }

  private nonisolated func retryAt(failures: Int) -> Instant {
    self.ports.clock.now + self.settings.delay(failures: failures, fraction: self.ports.jitter.fraction())
  }

  private nonisolated func around<Value>(_ deed: CrashPoint.Deed, _ work: () async -> Value) async throws -> Value {
    try self.ports.crashPoints.reached(CrashPoint(moment: .before, deed: deed))
    let value = await work()
    try self.ports.crashPoints.reached(CrashPoint(moment: .after, deed: deed))
    return value
  }

  /// The entry, or nil after the failure was brought to the loop.
  private nonisolated func read(_ herID: HerID, _ group: GroupState, _ key: Key) async throws -> PartyRecord? {
    let ports = self.ports
    let answer = try await self.around(.read) {
      await within(self.settings.readDeadline, clock: ports.clock) { () -> Result<PartyRecord, RegisterReadError> in
        do throws(RegisterReadError) { return .success(try await ports.register.read(herID)) } catch { return .failure(error) }
      }
    }
    let seen: String
    switch answer {
    case .success(let record): return record
    case .failure(.unknownParty): seen = "the register says it does not know HER-ID \(herID)"
    case .failure(.failed(let words)): seen = words
    case nil: seen = "no answer within \(self.settings.readDeadline)"
    }
    try await self.bring(.readFailed(herID, seen: seen, retryAt: self.retryAt(failures: 2)), key)
    return nil
  }

  private nonisolated func takeSnapshot(_ group: GroupState, _ key: Key) async throws {
    var records: [PartyRecord] = []
    for member in group.members {
      guard let record = try await self.read(member.herID, group, key) else { return }
      records.append(record)
    }
    try await self.bring(.snapshot(records), key)
  }

  private nonisolated func preflight(_ group: GroupState, _ plan: Plan, _ key: Key) async throws {
    let members = group.members.map(\.plan)
    let sourceQueues = members.queues(after: false)
    let targetQueues = members.queues(after: true)
    let ports = self.ports
    let report = try await self.around(.preflight) {
      await within(self.settings.probeDeadline, clock: ports.clock) {
        async let findings = ports.buses.preflight(
          source: plan.source, sourceQueues: sourceQueues, target: plan.target, targetQueues: targetQueues)
        async let baseline = ports.buses.look(at: sourceQueues, on: plan.source)
        return PreflightReport(findings: await findings, baseline: await baseline)
      }
    }
    let late = "no answer within \(self.settings.probeDeadline)"
    let failed = PreflightReport(findings: PreflightCheck.allCases.map { Finding($0, .failed, seen: late) }, baseline: [])
    try await self.bring(.preflight(report ?? failed, retryAt: self.retryAt(failures: 3)), key)
  }

  /// Read, check, make the intent durable, write, keep the answer. The read-back is the next action.
  private nonisolated func write(_ herID: HerID, _ group: GroupState, _ plan: Plan, _ key: Key) async throws {
    guard let observed = try await self.read(herID, group, key) else { return }
    let events = try await self.bring(.beginWrite(herID, observed: observed), key)
    guard case .group(_, _, .intentRecorded(let operation, _, let direction, _, _)) = events.first,
      let member = group.member(herID)
    else { return }
    // Somebody may have turned the group back since the intent was kept; then nothing is sent.
    guard await self.isOpen(operation, key) else { return }
    let order = WriteOrder(
      operation: operation, herID: herID, direction: direction, base: observed, goal: member.goal(direction),
      bus: direction == .forward ? plan.target : plan.source)
    let ports = self.ports
    let outcome = try await self.around(.write) {
      await within(self.settings.writeDeadline, clock: ports.clock) { await ports.register.write(order) }
    }
    try await self.bring(
      .writeReturned(operation, outcome ?? .unknown("no answer within \(self.settings.writeDeadline)")), key)
  }

  private func isOpen(_ operation: Migration.OperationID, _ key: Key) -> Bool {
    self.state.puljer[key.pulje]?.groups[key.group]?.members.contains { $0.writing == .intent(operation) } ?? false
  }

  private nonisolated func readBack(_ herID: HerID, _ group: GroupState, _ key: Key) async throws {
    guard let record = try await self.read(herID, group, key), let member = group.member(herID) else { return }
    let retryAt =
      member.handedOver ? self.ports.clock.now + self.settings.handedOverInterval : self.retryAt(failures: member.failedTries)
    try await self.bring(.readBack(record, retryAt: retryAt), key)
  }

  private nonisolated func ping(_ group: GroupState, _ plan: Plan, _ key: Key) async throws {
    let forward = group.direction == .forward
    let bus = forward ? plan.target : plan.source
    var reports: [PingReport] = []
    let ports = self.ports
    for member in group.members {
      let queues = member.plan.registerQueues(after: forward)
      let report = try await self.around(.ping) {
        await within(self.settings.probeDeadline, clock: ports.clock) {
          await ports.buses.ping(member.herID, on: bus, queues: queues)
        }
      }
      let late = Finding(PingCheck.accepted, .failed, seen: "no answer within \(self.settings.probeDeadline)")
      reports.append(report ?? PingReport(herID: member.herID, bus: bus, findings: [late]))
    }
    try await self.bring(.pinged(reports, retryAt: self.ports.clock.now + plan.policy.pingInterval), key)
  }

  private nonisolated func look(_ group: GroupState, _ plan: Plan, _ key: Key) async throws {
    let forward = group.direction == .forward
    let queues = group.members.map(\.plan).queues(after: !forward)
    let bus = forward ? plan.source : plan.target
    let ports = self.ports
    let readings = try await self.around(.look) {
      await within(self.settings.probeDeadline, clock: ports.clock) { await ports.buses.look(at: queues, on: bus) }
    }
    let late = Count.unreadable("no answer within \(self.settings.probeDeadline)")
    try await self.bring(
      .looked(readings ?? queues.map { QueueReading(address: $0.address, kind: $0.kind, count: late) }), key)
  }

  private typealias Count = QueueReading.Count
}
