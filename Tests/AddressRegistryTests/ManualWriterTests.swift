// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@Suite("By hand: exact instructions, and nothing done")
struct ManualWriterTests {
  private let writer = ManualAddressRegisterWriter(buses: bothBuses)

  @Test("a switch names the types, the address to write, and what must stand there afterwards")
  func switching() async throws {
    let moved = try party(103).moved(to: tjenestebuss)
    let outcome = await self.writer.switchToBus(
      her(103), bus: "tjenestebuss", operationID: "op-1", expecting: moved.addresses)
    guard case .toBeDoneByHand(let instruction) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(instruction.herID == her(103))
    #expect(instruction.operationID == "op-1")
    #expect(instruction.expectedAddresses == moved.addresses)
    #expect(instruction.steps.first?.english.contains("HER-ID 103") == true)
    #expect(
      instruction.steps.contains {
        $0.english.contains("tb.test.nhn.no/NHNTESTServiceBus/QUEUE") && $0.english.contains("E_SB_ERROR")
      })
    #expect(instruction.text(.norwegian).contains("\n  E_SB_ASYNC = tb.test.nhn.no/NHNTESTServiceBus/103_async\n"))
    #expect(instruction.steps.last?.english.contains("Do not delete or deactivate any queue") == true)
  }

  @Test("the way back lists every address once, inherited ones marked")
  func back() throws {
    let addresses = queues(of: 100, inherited: true)
    let instruction = try self.writer.instruction(
      for: RegisterWrite(
        herID: her(101), change: .replaceAddresses(addresses), operationID: "op-2", expectedAddresses: addresses))
    #expect(
      instruction.steps.map(\.english).filter { $0.hasPrefix("  ") } == [
        "  E_SB_ASYNC = sb.test.nhn.no/DigitalDialog/100_async (inherited from the organisation)",
        "  E_SB_SYNC = sb.test.nhn.no/DigitalDialog/100_sync (inherited from the organisation)",
        "  E_SB_ERROR = sb.test.nhn.no/DigitalDialog/100_error (inherited from the organisation)",
      ])
  }

  @Test("services below, and the organisation's queue, are spelt out")
  func others() throws {
    let below = try self.writer.instruction(
      for: RegisterWrite(herID: her(100), change: .switchToBusWithServicesBelow("tjenestebuss"), operationID: "o"))
    #expect(below.steps.contains { $0.english.contains("every service below HER-ID 100") })
    let organisation = try self.writer.instruction(
      for: RegisterWrite(herID: her(103), change: .useOrganisationQueue, operationID: "o"))
    #expect(organisation.steps.contains { $0.norwegian.contains("virksomhetskø") })
  }

  @Test("a bus nobody configured gives no instruction")
  func unknownBus() async {
    let outcome = await self.writer.switchToBus(her(1), bus: "nowhere", operationID: "o")
    #expect(outcome == .notSent(.registerConfigurationInvalid("bus nowhere is not configured")))
  }
}
