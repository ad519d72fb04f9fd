// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration
import MigrationStore

/// What the core asks for, carried out: an ``Errand`` says what is asked outside and what is brought to the loop, and this does it.
extension MigrationEngine {
  /// Does `action` and tells the loop that the group is free again, or what ends the engine: a crash point struck.
  nonisolated func carryOut(_ action: GroupAction, _ key: Roster.Key) async {
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

  private nonisolated func perform(_ action: GroupAction, _ key: Roster.Key) async throws {
    guard var errand = await self.errand(action, key) else { return }
    var step = errand.begin()
    while true {
      switch step {
      case .call(let call):
        // Cancelled: the loop has ended, and nothing was asked.
        guard (try? await self.ports.pace.pass(call)) != nil else { return }
        let answer = try await self.ask(call)
        step = errand.take(answer, at: self.ports.clock.now, fraction: self.ports.jitter.fraction())
      case .bring(let input):
        let events = try await self.submit(.group(key.pulje, key.group, input), actor: "daemon")
        step = errand.brought(events.compactMap { if case .group(_, _, let event) = $0 { event } else { nil } })
      case .write(let order):
        guard (try? await self.ports.pace.write()) != nil else { return }
        // Somebody may have turned the group back, or stopped the line, since the intent was kept; then nothing is sent.
        guard await self.mayWrite(order.operation, key) else { return }
        step = errand.wrote(order.operation, try await self.write(order))
      case .ended: return
      }
    }
  }

  private func errand(_ action: GroupAction, _ key: Roster.Key) -> Errand? {
    guard let pulje = self.state.puljer[key.pulje], let group = pulje.groups[key.group] else { return nil }
    return Errand(action, group: group, of: pulje, settings: self.settings)
  }

  private func mayWrite(_ operation: Migration.OperationID, _ key: Roster.Key) -> Bool {
    self.state.mayWrite(operation, in: key.pulje, group: key.group)
  }

  private nonisolated func around<Value>(_ deed: CrashPoint.Deed, _ work: () async -> Value) async throws -> Value {
    try self.ports.crashPoints.reached(CrashPoint(moment: .before, deed: deed))
    let value = await work()
    try self.ports.crashPoints.reached(CrashPoint(moment: .after, deed: deed))
    return value
  }

  private nonisolated func write(_ order: WriteOrder) async throws -> PortAnswer {
    let ports = self.ports
    let deadline = self.settings.writeDeadline
    let outcome = try await self.around(.write) {
      await within(deadline, clock: ports.clock) { await ports.register.write(order) }
    }
    return outcome.map { .wrote($0) } ?? .noAnswer(within: deadline)
  }

  private nonisolated func ask(_ call: PortCall) async throws -> PortAnswer {
    let ports = self.ports
    let settings = self.settings
    let (deed, deadline): (CrashPoint.Deed, TimeSpan) =
      switch call {
      case .read: (.read, settings.readDeadline)
      case .preflight: (.preflight, settings.probeDeadline)
      case .ping: (.ping, settings.probeDeadline)
      case .look, .peek: (.look, settings.probeDeadline)
      case .hook: (.hook, settings.hookDeadline)
      }
    let answer = try await self.around(deed) {
      await within(deadline, clock: ports.clock) { await Self.answer(call, ports) }
    }
    return answer ?? .noAnswer(within: deadline)
  }

  private static func answer(_ call: PortCall, _ ports: Ports) async -> PortAnswer {
    switch call {
    case .read(let herID):
      do throws(RegisterReadError) { return .record(try await ports.register.read(herID)) } catch {
        switch error {
        case .unknownParty: return .notRead("the register says it does not know HER-ID \(herID)")
        case .failed(let words): return .notRead(words)
        }
      }
    case .preflight(let source, let sourceQueues, let target, let targetQueues):
      async let findings = ports.buses.preflight(
        source: source, sourceQueues: sourceQueues, target: target, targetQueues: targetQueues)
      async let baseline = ports.buses.look(at: sourceQueues, on: source)
      return .checked(PreflightReport(findings: await findings, baseline: await baseline))
    case .ping(let herID, let bus, let queues): return .pinged(await ports.buses.ping(herID, on: bus, queues: queues))
    case .hook(let question): return .hook(await ports.hooks.ask(question))
    case .look(let queues, let bus): return .looked(await ports.buses.look(at: queues, on: bus))
    case .peek(let queues, let bus): return .sighted(await ports.buses.peek(at: queues, on: bus))
    }
  }
}
