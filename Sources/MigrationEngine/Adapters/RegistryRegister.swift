// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Migration

/// The address register through ``AddressRegistry``: read live, written by whichever adapter is configured; what is read goes into
/// the cache, so that senders' routing and our picture agree (I-17).
public struct RegistryRegister: RegisterPort {
  private let reader: any AddressRegisterReading
  private let writer: any AddressRegisterWriting
  private let cache: AddressCache?
  private let clock: any RegistryClock

  /// - Parameter cache: opened for writing; nil to keep none. A cache that cannot be written costs nobody the reading.
  public init(
    reader: any AddressRegisterReading, writer: any AddressRegisterWriting, cache: AddressCache?,
    clock: any RegistryClock = SystemRegistryClock()
  ) {
    self.reader = reader
    self.writer = writer
    self.cache = cache
    self.clock = clock
  }

  public func read(_ herID: HerID) async throws(RegisterReadError) -> PartyRecord {
    let asked = self.clock.now
    let record: PartyRecord
    do { record = try await self.reader.party(herID) } catch let error as AddressRegistryError {
      if case .partyUnknown(_, askedRegister: true) = error { throw .unknownParty(herID) }
      throw .failed(Self.words(error))
    } catch { throw .failed("the question was given up") }
    _ = try? await self.cache?.save(record, source: .soap, readAt: asked, now: self.clock.now)
    return record
  }

  public func known() async throws(RegisterReadError) -> [PartyRecord] {
    guard let cache else { return [] }
    do { return try await cache.parties().map(\.record) } catch let error as AddressRegistryError {
      throw .failed(Self.words(error))
    } catch { throw .failed("the question was given up") }
  }

  /// Forward the party is switched to the bus; back its addresses are set to exactly what they were (decision Q3).
  public func write(_ order: WriteOrder) async -> WriteOutcome {
    let operation = AddressRegistry.OperationID(order.operation.text)
    let outcome =
      switch order.direction {
      case .forward:
        await self.writer.switchToBus(
          order.herID, bus: order.bus, operationID: operation, expecting: order.goal.addresses)
      case .back:
        await self.writer.replaceAddresses(order.herID, with: order.goal.addresses, operationID: operation)
      }
    return switch outcome {
    case .acknowledged: .answered
    case .refused(let error): .refused(Self.words(error))
    case .notSent(let error): .refused("not sent: \(Self.words(error))")
    case .unknown(let error): .unknown(Self.words(error))
    case .toBeDoneByHand(let instruction): .handedOver(instruction.text(.norwegian) + "\n\n" + instruction.text(.english))
    }
  }

  private static func words(_ error: AddressRegistryError) -> String { "[\(error.stableCode)] \(error.explanation.seen)" }
}
