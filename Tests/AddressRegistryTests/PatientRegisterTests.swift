// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing
import TjenestebussTesting

@Suite("A register that does not answer is given up", .timeLimit(.minutes(10)))
struct PatientRegisterTests {
  private func readings(_ harness: RegisterHarness, _ patient: PatientRegister, _ times: Int) async -> [String] {
    var codes: [String] = []
    for _ in 0..<times {
      do {
        _ = try await patient.party(her(103))
        codes.append("read")
      } catch let error as AddressRegistryError { codes.append(error.stableCode) } catch { codes.append("\(error)") }
    }
    return codes
  }

  @Test("a refused login is asked once, and never again")
  func login() async throws {
    try await RegisterHarness.run { harness in
      harness.server.script(ScriptedRegisterFault(.httpStatus(401), on: [.details]))
      let patient = PatientRegister(harness.reader)
      #expect(await self.readings(harness, patient, 4) == ["AR-404", "AR-404", "AR-404", "AR-404"])
      #expect(patient.givenUp?.stableCode == "AR-404")
      // The fault is spent: whoever asked again would have been answered.
      #expect(harness.server.scriptedFaultsLeft == 0)
    }
  }

  @Test("so many questions in a row without an answer; any answer between them counts anew, a fault about a party too")
  func silence() async throws {
    try await RegisterHarness.run { harness in
      let patient = PatientRegister(harness.reader, patience: 3)
      harness.server.script(ScriptedRegisterFault(.httpStatus(503), on: [.details], times: 2))
      #expect(await self.readings(harness, patient, 3) == ["AR-405", "AR-405", "read"])
      harness.server.script(ScriptedRegisterFault(.httpStatus(503), on: [.details], times: 2))
      harness.server.script(ScriptedRegisterFault(.refuse(code: "Odd"), on: [.details]))
      harness.server.script(ScriptedRegisterFault(.httpStatus(503), on: [.details], times: 3))
      #expect(
        await self.readings(harness, patient, 8) == [
          "AR-405", "AR-405", "AR-408", "AR-405", "AR-405", "AR-405", "AR-405", "AR-405",
        ])
      #expect(harness.server.scriptedFaultsLeft == 0)
    }
  }
}
