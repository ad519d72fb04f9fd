// SPDX-License-Identifier: Apache-2.0

import BusModel

/// For registers that no program may write to: says exactly what a person is to do in the register's user interface, and
/// does nothing itself. Whether it was done, the read-back tells.
public struct ManualAddressRegisterWriter: AddressRegisterWriting {
  private typealias Step = ManualInstruction.Step
  private let buses: [Bus]

  /// - Parameter buses: those that writes name; their hosts and paths stand in the instructions.
  public init(buses: [Bus]) { self.buses = buses }

  public func perform(_ write: RegisterWrite) async -> RegisterWriteOutcome {
    do throws(AddressRegistryError) {
      return .toBeDoneByHand(try self.instruction(for: write))
    } catch {
      return .notSent(error)
    }
  }

  /// The instruction for `write`.
  ///
  /// - Throws: ``AddressRegistryError`` `registerConfigurationInvalid` when the write names a bus that is not configured or
  ///   has no host.
  public func instruction(for write: RegisterWrite) throws(AddressRegistryError) -> ManualInstruction {
    let herID = write.herID
    var steps = [
      Step(
        norwegian: "Åpne HER-id \(herID) i Adresseregisteret (AR) og velg å endre de elektroniske adressene.",
        english: "Open HER-ID \(herID) in the address register (AR) and choose to edit its electronic addresses.")
    ]
    switch write.change {
    case .switchToBus(let name):
      steps += try self.switchSteps(name)
    case .switchToBusWithServicesBelow(let name):
      steps += try self.switchSteps(name)
      steps.append(
        Step(
          norwegian: "Gjør det samme for hver tjeneste under HER-id \(herID) som har egne køadresser.",
          english: "Do the same for every service below HER-ID \(herID) that has queue addresses of its own."))
    case .useOrganisationQueue:
      steps.append(
        Step(
          norwegian: "Sett flagget for virksomhetskø, slik at køadressene arves fra virksomheten.",
          english: "Set the flag for the organisation's queue (virksomhetskø), so that the queue addresses are inherited."))
    case .replaceAddresses(let addresses):
      steps.append(
        Step(
          norwegian: "Gjør listen over elektroniske adresser til nøyaktig denne, i denne rekkefølgen der AR lar deg velge den, "
            + "og fjern alle andre:",
          english: "Make the list of electronic addresses exactly this, in this order where AR lets you choose it, and remove "
            + "all others:"))
      steps += addresses.map(Self.line)
    }
    if let expected = write.expectedAddresses, Self.listsExpected(write.change) {
      steps.append(
        Step(
          norwegian: "Kontroller at de elektroniske adressene deretter er nøyaktig:",
          english: "Check that the electronic addresses then read exactly:"))
      steps += expected.map(Self.line)
    }
    steps.append(
      Step(
        norwegian: "Ikke slett eller deaktiver noen kø; lagre. Oppføringen leses deretter tilbake her (operasjon "
          + "\(write.operationID)).",
        english: "Do not delete or deactivate any queue; save. The entry is then read back here (operation "
          + "\(write.operationID))."))
    return ManualInstruction(
      herID: herID, operationID: write.operationID, steps: steps, expectedAddresses: write.expectedAddresses)
  }

  private func switchSteps(_ name: BusName) throws(AddressRegistryError) -> [Step] {
    guard let bus = self.buses.first(where: { $0.name == name }) else {
      throw .registerConfigurationInvalid("bus \(name) is not configured")
    }
    guard let address = bus.address(ofQueue: "QUEUE"), let norwegian = bus.address(ofQueue: "KØ") else {
      throw .registerConfigurationInvalid("bus \(name) has no host to write")
    }
    let codes = QueueKind.inRegister.compactMap(\.registerCode).joined(separator: ", ")
    return [
      Step(
        norwegian: "For hver adresse av type \(codes) som ikke er arvet: behold kønavnet (det som står etter siste skråstrek) og "
          + "sett adressen til \(norwegian), med det kønavnet for KØ.",
        english:
          "For each address of type \(codes) that is not inherited: keep the queue name (what stands after the last slash) "
          + "and set the address to \(address), with that queue name for QUEUE.")
    ]
  }

  private static func listsExpected(_ change: RegisterChange) -> Bool {
    if case .replaceAddresses = change { false } else { true }
  }

  private static func line(_ address: PartyRecord.Address) -> Step {
    let value = "  \(address.typeCode) = \(address.text)"
    guard address.inherited else { return Step(value: value) }
    return Step(norwegian: value + " (arvet fra virksomheten)", english: value + " (inherited from the organisation)")
  }
}
