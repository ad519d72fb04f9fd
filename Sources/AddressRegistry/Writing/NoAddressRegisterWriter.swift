// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Writes nothing: for those who only look, and for those whose register is written by another system or office.
public struct NoAddressRegisterWriter: AddressRegisterWriting {
  private let writtenBy: String?

  /// - Parameter writtenBy: who writes the register instead. What they are to write is then handed out as
  ///   ``RegisterWriteOutcome/toBeDoneByHand(_:)``, and only the read-back tells whether they did. Nil: nobody, and every write is
  ///   ``RegisterWriteOutcome/notSent(_:)``.
  public init(writtenBy: String? = nil) { self.writtenBy = writtenBy }

  public func perform(_ write: RegisterWrite) async -> RegisterWriteOutcome {
    guard let writtenBy else { return .notSent(.registerWriteNotConfigured(write.description)) }
    typealias Step = ManualInstruction.Step
    let task: Step =
      switch write.change {
      case .switchToBus(let bus):
        Step(norwegian: "HER-id \(write.herID) flyttes til buss \(bus).", english: "HER-ID \(write.herID) moves to bus \(bus).")
      case .switchToBusWithServicesBelow(let bus):
        Step(
          norwegian: "HER-id \(write.herID) og alle tjenester under den flyttes til buss \(bus).",
          english: "HER-ID \(write.herID) and all services below it move to bus \(bus).")
      case .useOrganisationQueue:
        Step(
          norwegian: "HER-id \(write.herID) får flagget for virksomhetskø.",
          english: "HER-ID \(write.herID) is flagged for its organisation's queue (virksomhetskø).")
      case .replaceAddresses:
        Step(
          norwegian: "HER-id \(write.herID) får tilbake nøyaktig de adressene den hadde.",
          english: "HER-ID \(write.herID) gets back exactly the addresses that it had.")
      }
    var steps = [
      Step(
        norwegian: "Herfra skrives ingenting til Adresseregisteret (AR). Det gjør: \(writtenBy).",
        english: "Nothing is written to the address register (AR) from here. Who writes it: \(writtenBy)."), task,
    ]
    if let expected = write.expectedAddresses {
      steps.append(
        Step(
          norwegian: "De elektroniske adressene skal deretter være nøyaktig:",
          english: "The electronic addresses must then read exactly:"))
      steps += expected.map { Step(value: "  \($0.typeCode) = \($0.text)\($0.inherited ? " (arvet, inherited)" : "")") }
    }
    steps.append(
      Step(
        norwegian:
          "Oppføringen leses tilbake her (operasjon \(write.operationID)); før den viser dette, regnes ingenting som gjort.",
        english: "The entry is read back here (operation \(write.operationID)); nothing counts as done before it shows this."))
    return .toBeDoneByHand(
      ManualInstruction(
        herID: write.herID, operationID: write.operationID, steps: steps, expectedAddresses: write.expectedAddresses))
  }
}
