// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

@Suite(
  "A write is checked, made durable, sent once and read back, and the answer is never better than the truth",
  .timeLimit(.minutes(10)))
struct CheckedRegisterWriterTests {
  /// What happened, in order.
  private final class Diary: Sendable {
    private let lines = NIOLockedValueBox<[String]>([])
    var all: [String] { self.lines.withLockedValue { $0 } }
    func note(_ line: String) { self.lines.withLockedValue { $0.append(line) } }
  }

  private struct Stage: Sendable {
    var harness: RegisterHarness
    var clock: VirtualClock
    var diary = Diary()

    func order(_ change: RegisterChange, of number: Int32, id: OperationID = "op-1") throws -> RegisterOrder {
      try RegisterOrder(change, of: her(number), family: self.harness.server.records, buses: bothBuses, operationID: id)
    }

    /// Waiting moves the register's clock: what lags behind comes through, and nobody sleeps.
    func carryOut(
      _ order: RegisterOrder, writer: (any AddressRegisterWriting)? = nil
    ) async throws -> RegisterWriteResult {
      try await self.writer(writer).carryOut(order) { order in
        #expect(self.harness.server.writeAttempts.allSatisfy { $0.operationID != order.operationID })
        self.diary.note("intent \(order.operationID)")
      }
    }

    func writer(_ writer: (any AddressRegisterWriting)? = nil) -> CheckedRegisterWriter {
      let clock = self.clock
      return CheckedRegisterWriter(
        reader: self.harness.reader, writer: writer ?? self.harness.writer, changes: self.harness.reader,
        settings: CheckedRegisterWriter.Settings(waits: [.seconds(1), .seconds(10)], showsWithin: .seconds(60))
      ) { clock.advance(by: $0) }
    }
  }

  private func run(
    records: [PartyRecord] = family(), lag: Duration = .zero, timeoutSeconds: Double = 30,
    _ body: @Sendable (Stage) async throws -> Void
  ) async throws {
    let clock = VirtualClock()
    try await RegisterHarness.run(
      records: records, timeoutSeconds: timeoutSeconds,
      adjust: {
        $0.clock = clock
        $0.lags = [.details: lag]
      }
    ) { try await body(Stage(harness: $0, clock: clock)) }
  }

  @Test(
    "all four changes, on one party and on a family, are applied and read back, each after its intent",
    arguments: [
      (RegisterChange.switchToBus("tjenestebuss"), Int32(103)), (.switchToBus("tjenestebuss"), 100),
      (.switchToBusWithServicesBelow("tjenestebuss"), 100), (.useOrganisationQueue, 103), (.replaceAddresses(queues(of: 7)), 103),
    ])
  func applied(_ change: RegisterChange, _ number: Int32) async throws {
    try await self.run { stage in
      let order = try stage.order(change, of: number)
      let before = stage.harness.server.records
      let result = try await stage.carryOut(order)
      #expect(
        result == .applied(AppliedOrder(records: order.entries.map(\.goal), wasSent: true, outOfOrder: [])))
      #expect(stage.diary.all == ["intent op-1"])
      // And back, by the general update.
      for back in order.wayBack({ OperationID("back-\($0)") }) {
        guard case .applied(let applied) = try await stage.carryOut(back) else {
          Issue.record("no way back")
          return
        }
        #expect(applied.outOfOrder.isEmpty)
      }
      #expect(stage.harness.server.records == before)
    }
  }

  @Test("what is so already is not written, and needs no intent")
  func already() async throws {
    try await self.run { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      _ = try await stage.carryOut(order)
      guard case .applied(let again) = try await stage.carryOut(order) else {
        Issue.record("not applied")
        return
      }
      #expect(!again.wasSent)
      #expect(stage.diary.all == ["intent op-1"])
      #expect(stage.harness.server.writeAttempts.count == 1)
    }
  }

  @Test("an entry that is not what the order is based on is a conflict, and nothing is sent")
  func conflictBefore() async throws {
    try await self.run { stage in
      let order = try stage.order(.switchToBusWithServicesBelow("tjenestebuss"), of: 100)
      try stage.harness.server.put(party(102, name: "Et annet navn", parent: 100, addresses: queues(of: 100, inherited: true)))
      guard case .conflict(let entries, wasSent: false) = try await stage.carryOut(order) else {
        Issue.record("no conflict")
        return
      }
      #expect(entries.filter { $0.state == .other }.map(\.herID) == [her(102)])
      #expect(entries.filter { $0.state == .asBefore }.count == 3)
      #expect(stage.diary.all.isEmpty)
      #expect(stage.harness.server.writeAttempts.isEmpty)
    }
  }

  @Test("a general update that overwrote what somebody wrote after our look says so, by the register's own log")
  func overwrote() async throws {
    try await self.run { stage in
      let order = try stage.order(.replaceAddresses(queues(of: 7)), of: 103)
      let stranger = try family()[3].moved(to: tjenestebuss)
      stage.harness.server.script(.init(.strangerFirst(stranger), on: [.updateElectronicAddresses]))
      let result = try await stage.carryOut(order)
      guard case .overwrote(let log, let applied) = result else {
        Issue.record("the other's change was passed over: \(result)")
        return
      }
      #expect(Set(log.map(\.byUser)) == ["somebody", "OrgUsr1"])
      #expect(applied.records == order.entries.map(\.goal))
      // Nobody else's hand: the same update the other way is plainly applied.
      for back in order.wayBack({ OperationID("back-\($0)") }) {
        #expect(Self.name(try await stage.carryOut(back)) == "applied")
      }
    }
  }

  @Test("where reads lag behind writes, the log tells all the same that somebody wrote between our look and our write")
  func overwroteUnseen() async throws {
    try await self.run(lag: .seconds(3_600)) { stage in
      let order = try stage.order(.replaceAddresses(queues(of: 7)), of: 103)
      let stranger = try family()[3].moved(to: tjenestebuss)
      stage.harness.server.script(.init(.strangerFirst(stranger), on: [.updateElectronicAddresses]))
      guard case .overwrote(let log, let read) = try await stage.carryOut(order) else {
        Issue.record("the other's change was passed over")
        return
      }
      #expect(Set(log.map(\.byUser)) == ["somebody", "OrgUsr1"])
      #expect(read.records == order.entries.map(\.basis))
    }
  }

  @Test("somebody who writes between our look and our write shows as a conflict afterwards")
  func conflictBetween() async throws {
    try await self.run { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      let stranger = party(103, name: "Omdøpt", parent: 100)
      stage.harness.server.script(ScriptedRegisterFault(.strangerFirst(stranger), on: RegisterOperation.writes))
      guard case .conflict(let entries, wasSent: true) = try await stage.carryOut(order) else {
        Issue.record("no conflict")
        return
      }
      #expect(entries.first?.record?.name == "Omdøpt")
    }
  }

  @Test("an intent that cannot be made durable stops the write")
  func noIntent() async throws {
    struct DiskFull: Error {}
    try await self.run { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      await #expect(throws: DiskFull.self) { try await stage.writer().carryOut(order) { _ in throw DiskFull() } }
      #expect(stage.harness.server.writeAttempts.isEmpty)
    }
  }

  @Test(
    "what went wrong on the way, and what the read-back makes of it",
    arguments: [
      (ScriptedRegisterFault.Kind.refuse(code: "AccessDenied"), "notApplied"), (.httpStatus(403), "notApplied"),
      (.httpStatus(503), "unknown"), (.breakDown, "unknown"), (.replyLostBeforeApplying, "unknown"),
      (.replyLostAfterApplying, "applied"), (.halfDocument, "applied"), (.applyOnly(0, answers: true), "unknown"),
      (.applyOnly(0, answers: false), "unknown"),
    ])
  func faults(_ kind: ScriptedRegisterFault.Kind, _ verdict: String) async throws {
    try await self.run { stage in
      stage.harness.server.script(ScriptedRegisterFault(kind, on: RegisterOperation.writes))
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      let result = try await stage.carryOut(order)
      #expect(Self.name(result) == verdict, "\(result)")
      if verdict == "unknown" {
        // Known later: the same intent under its own id, once more.
        let later = try await stage.writer().carryOut(order) { _ in }
        #expect(Self.name(later) == "applied")
      }
      #expect(stage.harness.server.changes(of: her(103)).count == (verdict == "notApplied" ? 0 : 1))
    }
  }

  @Test("silence is unknown, or applied when the entries show it")
  func silence() async throws {
    for (kind, verdict) in [
      (ScriptedRegisterFault.Kind.silenceBeforeApplying, "unknown"), (.silenceAfterApplying, "applied"),
    ] {
      try await self.run(timeoutSeconds: 5) { stage in
        stage.harness.server.script(ScriptedRegisterFault(kind, on: RegisterOperation.writes))
        let result = try await stage.carryOut(try stage.order(.switchToBus("tjenestebuss"), of: 103))
        #expect(Self.name(result) == verdict, "\(result)")
      }
    }
  }

  @Test("a family half done is told with the list of what is done and what is not, and can be finished one by one")
  func partly() async throws {
    // 103 and 104 have queues of their own: three entries are written, and the service breaks after the first.
    let records = family() + [party(104, parent: 100)]
    for answers in [true, false] {
      try await self.run(records: records) { stage in
        stage.harness.server.script(ScriptedRegisterFault(.applyOnly(1, answers: answers), on: RegisterOperation.writes))
        let order = try stage.order(.switchToBusWithServicesBelow("tjenestebuss"), of: 100)
        guard case .partlyApplied(let entries) = try await stage.carryOut(order) else {
          Issue.record("not partly")
          return
        }
        #expect(entries.filter { $0.state == .reached }.map(\.herID) == [her(100), her(101), her(102)])
        #expect(entries.filter { $0.state == .asBefore }.map(\.herID) == [her(103), her(104)])
        // The whole order is not sent again on top.
        let again = try await stage.carryOut(order)
        #expect(again == .partlyApplied(entries))
        for number: Int32 in [103, 104] {
          let one = try stage.order(.switchToBus("tjenestebuss"), of: number, id: OperationID("op-\(number)"))
          #expect(Self.name(try await stage.carryOut(one)) == "applied")
        }
        #expect(Self.name(await stage.writer().verify(order)) == "applied")
      }
    }
  }

  @Test("reads that lag behind writes are waited for, and not longer than allowed")
  func lag() async throws {
    try await self.run(lag: .seconds(30)) { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      #expect(Self.name(try await stage.carryOut(order)) == "applied")
      #expect(stage.clock.now.offset >= .seconds(30))
    }
    try await self.run(lag: .seconds(3_600)) { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      guard case .unknown(.registerWriteUnconfirmed(her(103), _), let entries) = try await stage.carryOut(order) else {
        Issue.record("what the register confirmed and nobody sees is not known")
        return
      }
      #expect(entries.map(\.state) == [.asBefore])
      #expect(stage.clock.now.offset <= .seconds(90))
      stage.clock.advance(by: .seconds(3_600))
      #expect(Self.name(await stage.writer().verify(order)) == "applied")
    }
  }

  @Test("a register that cannot be read beforehand is not written to")
  func unreadable() async throws {
    try await self.run { stage in
      stage.harness.server.script(ScriptedRegisterFault(.httpStatus(503), on: [.details]))
      let result = try await stage.carryOut(try stage.order(.switchToBus("tjenestebuss"), of: 103))
      guard case .notApplied(.registerHTTPError(_, status: 503)) = result else {
        Issue.record("\(result)")
        return
      }
      #expect(stage.diary.all.isEmpty)
      #expect(stage.harness.server.writeAttempts.isEmpty)
    }
  }

  @Test("one that cannot be read afterwards leaves the write unknown")
  func unreadableAfter() async throws {
    try await self.run { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      let result = try await stage.writer().carryOut(order) { _ in
        stage.harness.server.script(ScriptedRegisterFault(.httpStatus(503), on: [.details], times: 1_000))
      }
      guard case .unknown(.registerHTTPError(_, status: 503), _) = result else {
        Issue.record("\(result)")
        return
      }
    }
  }

  @Test("by hand: instructions in both languages, and the read-back tells whether it was done")
  func byHand() async throws {
    try await self.run { stage in
      let manual = ManualAddressRegisterWriter(buses: bothBuses)
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      guard case .toBeDoneByHand(let instruction) = try await stage.carryOut(order, writer: manual) else {
        Issue.record("no instruction")
        return
      }
      #expect(instruction.expectedAddresses == order.entries.first?.goal.addresses)
      #expect(instruction.text(.norwegian).contains("Åpne HER-id 103"))
      #expect(instruction.text(.english).contains("Open HER-ID 103"))
      #expect(Self.name(await stage.writer(manual).verify(order)) == "unknown")
      try stage.harness.server.put(order.entries[0].goal)
      #expect(Self.name(await stage.writer(manual).verify(order)) == "applied")
      try stage.harness.server.put(party(103, parent: 100, addresses: queues(of: 103, host: "typo.example.no")))
      #expect(Self.name(await stage.writer(manual).verify(order)) == "conflict")
    }
  }

  @Test("who writes nothing says so")
  func none() async throws {
    try await self.run { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      let result = try await stage.carryOut(order, writer: NoAddressRegisterWriter())
      #expect(result == .notApplied(.registerWriteNotConfigured(order.write.description)))
    }
  }

  @Test("right addresses in the wrong order are applied, and named as not restored to the letter")
  func outOfOrder() async throws {
    try await self.run { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      var shuffled = order.entries[0].goal
      shuffled.addresses.reverse()
      try stage.harness.server.put(shuffled)
      guard case .applied(let applied) = await stage.writer().verify(order) else {
        Issue.record("not applied")
        return
      }
      #expect(applied.outOfOrder == [her(103)])
    }
  }

  /// A writer whose caller gives up when the write has left.
  private struct GivingUp: AddressRegisterWriting {
    var writer: any AddressRegisterWriting

    func perform(_ write: RegisterWrite) async -> RegisterWriteOutcome {
      let outcome = await self.writer.perform(write)
      withUnsafeCurrentTask { $0?.cancel() }
      return outcome
    }
  }

  @Test("a caller that gives up before the write sends nothing; one that does so after it gets no better than unknown")
  func cancelled() async throws {
    try await self.run { stage in
      let order = try stage.order(.switchToBus("tjenestebuss"), of: 103)
      let early = Task { try await stage.writer().carryOut(order) { _ in withUnsafeCurrentTask { $0?.cancel() } } }
      await #expect(throws: CancellationError.self) { try await early.value }
      #expect(stage.harness.server.writeAttempts.isEmpty)
      let late = Task { try await stage.writer(GivingUp(writer: stage.harness.writer)).carryOut(order) { _ in } }
      #expect(Self.name(try await late.value) == "unknown")
    }
  }

  private static func name(_ result: RegisterWriteResult) -> String {
    switch result {
    case .applied: "applied"
    case .notApplied: "notApplied"
    case .unknown: "unknown"
    case .overwrote: "overwrote"
    case .conflict: "conflict"
    case .partlyApplied: "partlyApplied"
    case .toBeDoneByHand: "toBeDoneByHand"
    }
  }
}
