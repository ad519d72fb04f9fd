// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import NIOConcurrencyHelpers
import Testing

@testable import Migration
@testable import MigrationEngine

@Suite("The engine's writes to the register are checked right before they are sent")
struct RegistryRegisterTests {
  /// A register that shows what it is told to, and writes down what it is sent.
  private final class Register: AddressRegisterReading, AddressRegisterWriting, ChangeReading {
    private struct State {
      var record: PartyRecord
      var sent: [RegisterWrite] = []
      var log: [RegisterLogEntry] = []
      /// Somebody else writes this between our look and our write.
      var stranger: PartyRecord?
      var obeys = true
    }
    private let state: NIOLockedValueBox<State>
    init(_ record: PartyRecord) { self.state = NIOLockedValueBox(State(record: record)) }

    var sent: [RegisterWrite] { self.state.withLockedValue { $0.sent } }
    func put(_ record: PartyRecord) { self.state.withLockedValue { $0.record = record } }
    func letIn(_ stranger: PartyRecord) { self.state.withLockedValue { $0.stranger = stranger } }
    func disobey() { self.state.withLockedValue { $0.obeys = false } }

    func party(_ herID: HerID) async throws -> PartyRecord { self.state.withLockedValue { $0.record } }
    func lastChanges(of herIDs: [HerID]) async throws -> [HerID: String] { [:] }
    func changeLog(_ herID: HerID) async throws -> [RegisterLogEntry] { self.state.withLockedValue { $0.log } }

    func perform(_ write: RegisterWrite) async -> RegisterWriteOutcome {
      self.state.withLockedValue { state in
        state.sent.append(write)
        func note(_ user: String) {
          state.log.append(
            RegisterLogEntry(time: "t\(state.log.count)", byUser: user, description: nil, changes: []))
        }
        if let stranger = state.stranger {
          state.record = stranger
          note("somebody")
        }
        if state.obeys {
          state.record.addresses = write.expectedAddresses ?? []
          note("us")
        }
        return .acknowledged
      }
    }
  }

  private static func record(_ host: String) throws -> PartyRecord {
    PartyRecord(
      herID: try #require(HerID(100)), name: "Kommunen", kind: .organisation, parent: nil, active: true, valid: true,
      addresses: QueueKind.inRegister.map {
        .init(typeCode: $0.registerCode ?? "", text: "\(host)/NHN/100_\($0.rawValue)", inherited: false)
      })
  }

  private func order(_ direction: Direction, from base: PartyRecord, to goal: PartyRecord) throws -> WriteOrder {
    WriteOrder(
      operation: OperationID(pulje: try #require(PuljeName("p1")), herID: base.herID, direction: direction, number: 1),
      herID: base.herID, direction: direction, base: base, goal: goal, bus: "b")
  }

  private func port(_ register: Register) -> RegistryRegister {
    RegistryRegister(
      reader: register, writer: register, changes: register, cache: nil,
      settings: .init(waits: [.milliseconds(1)], showsWithin: .milliseconds(3)))
  }

  private typealias OperationID = Migration.OperationID

  @Test("as it was read: sent once, seen, answered", arguments: [Direction.forward, .back])
  func applied(_ direction: Direction) async throws {
    let (base, goal) = (try Self.record("a.example"), try Self.record("b.example"))
    let register = Register(base)
    #expect(await self.port(register).write(try self.order(direction, from: base, to: goal)) == .answered)
    #expect(register.sent.count == 1)
    switch (direction, register.sent.first?.change) {
    case (.forward, .switchToBus("b")?), (.back, .replaceAddresses(goal.addresses)?): break
    default: Issue.record("another change was sent: \(register.sent)")
    }
  }

  @Test("somebody has changed the entry since the intent: nothing is sent, so nothing is written over")
  func changedSince() async throws {
    let (base, goal) = (try Self.record("a.example"), try Self.record("b.example"))
    let register = Register(base)
    register.put(try Self.record("c.example"))
    guard case .refused(let seen) = await self.port(register).write(try self.order(.back, from: base, to: goal)) else {
      Issue.record("it was not refused")
      return
    }
    #expect(seen.hasPrefix("not sent"))
    #expect(register.sent.isEmpty)
  }

  @Test(
    "somebody writes between our look and our write: the answer names who, from the register's log", arguments: Direction.allCases
  )
  func overwrote(_ direction: Direction) async throws {
    let (base, goal) = (try Self.record("a.example"), try Self.record("b.example"))
    let register = Register(base)
    register.letIn(try Self.record("c.example"))
    guard case .overwrote(let found, let seen) = await self.port(register).write(try self.order(direction, from: base, to: goal))
    else {
      Issue.record("the other's change was passed over")
      return
    }
    #expect(found == goal)
    #expect(seen.contains("t0 by somebody; t1 by us"))
  }

  @Test("acknowledged, but the entry reads as before: unknown, never done")
  func notShown() async throws {
    let (base, goal) = (try Self.record("a.example"), try Self.record("b.example"))
    let register = Register(base)
    register.disobey()
    guard case .unknown(let seen) = await self.port(register).write(try self.order(.forward, from: base, to: goal)) else {
      Issue.record("what was not read was believed")
      return
    }
    #expect(seen.hasPrefix("[AR-412]"))
  }
}
