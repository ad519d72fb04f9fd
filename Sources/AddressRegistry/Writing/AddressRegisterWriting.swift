// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The address register (AR), written to (decision Q3).
///
/// No adapter compares and sets: ``CheckedRegisterWriter`` reads, checks, has the intent made durable, writes, and reads back.
/// Whatever the outcome says, only the read-back tells what the entry is.
public protocol AddressRegisterWriting: Sendable {
  /// Carries out `write` once; nothing is retried in here.
  ///
  /// It never throws: a cancelled task's write that may have left is ``RegisterWriteOutcome/unknown(_:)``.
  func perform(_ write: RegisterWrite) async -> RegisterWriteOutcome
}

/// What is known of a write after it was tried.
public enum RegisterWriteOutcome: Sendable, Hashable {
  /// The register answered that it is done. Read back before it is believed.
  case acknowledged
  /// The register answered that it will not do it. (Of a change that takes in services below, some may have been done.)
  case refused(AddressRegistryError)
  /// The request certainly never reached the register: nothing was changed by it.
  case notSent(AddressRegistryError)
  /// It may have been done or not: no answer, half an answer, or one that says neither. Only a read-back can tell, and a
  /// write that is still under way can even come after that.
  case unknown(AddressRegistryError)
  /// A person has to do it; nothing was changed.
  case toBeDoneByHand(ManualInstruction)
}

extension AddressRegisterWriting {
  /// Switches this HER-ID to `bus`.
  public func switchToBus(
    _ herID: HerID, bus: BusName, operationID: OperationID, expecting addresses: [PartyRecord.Address]? = nil
  ) async -> RegisterWriteOutcome {
    await self.perform(
      RegisterWrite(herID: herID, change: .switchToBus(bus), operationID: operationID, expectedAddresses: addresses))
  }

  /// Switches this HER-ID and all services below it to `bus`.
  public func switchToBusWithServicesBelow(
    _ herID: HerID, bus: BusName, operationID: OperationID, expecting addresses: [PartyRecord.Address]? = nil
  ) async -> RegisterWriteOutcome {
    await self.perform(
      RegisterWrite(
        herID: herID, change: .switchToBusWithServicesBelow(bus), operationID: operationID, expectedAddresses: addresses))
  }

  /// Flags this HER-ID for its organisation's queue.
  public func useOrganisationQueue(
    _ herID: HerID, operationID: OperationID, expecting addresses: [PartyRecord.Address]? = nil
  ) async -> RegisterWriteOutcome {
    await self.perform(
      RegisterWrite(herID: herID, change: .useOrganisationQueue, operationID: operationID, expectedAddresses: addresses))
  }

  /// Sets all electronic addresses of this HER-ID: the way back to the exact prior entry.
  public func replaceAddresses(
    _ herID: HerID, with addresses: [PartyRecord.Address], operationID: OperationID
  ) async -> RegisterWriteOutcome {
    await self.perform(
      RegisterWrite(
        herID: herID, change: .replaceAddresses(addresses), operationID: operationID, expectedAddresses: addresses))
  }
}
