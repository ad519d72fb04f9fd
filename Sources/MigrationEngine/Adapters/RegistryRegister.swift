// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Migration

/// The address register through ``AddressRegistry``: read live, written by whichever adapter is configured; what is read goes into
/// the cache, so that senders' routing and our picture agree (I-17).
public struct RegistryRegister: RegisterPort {
  private let reader: any AddressRegisterReading
  private let writer: CheckedRegisterWriter
  private let organisations: (any OrganisationReading)?
  private let cache: AddressCache?
  public let offer: RegisterOffer
  private let clock: any RegistryClock

  /// How long a write waits to be seen. Short: the engine reads back by itself, and again; this look is the first.
  public static let writerSettings = CheckedRegisterWriter.Settings(
    waits: [.milliseconds(100), .milliseconds(400), .seconds(1)], showsWithin: .seconds(3), readers: 1)

  /// - Parameters:
  ///   - changes: the register's change log, so that a general update that overwrote somebody's change says so; nil where it may not
  ///     be read.
  ///   - organisations: reads an organisation with all below it, for writes that take those along; nil to go by the cache.
  ///   - offer: what the writer can do, and who it is where it is not this one.
  ///   - cache: opened for writing; nil to keep none. A cache that cannot be written costs nobody the reading.
  public init(
    reader: any AddressRegisterReading, writer: any AddressRegisterWriting, changes: (any ChangeReading)? = nil,
    organisations: (any OrganisationReading)? = nil, offer: RegisterOffer = RegisterOffer(), cache: AddressCache?,
    clock: any RegistryClock = SystemRegistryClock(),
    settings: CheckedRegisterWriter.Settings = RegistryRegister.writerSettings
  ) {
    self.reader = reader
    self.writer = CheckedRegisterWriter(reader: reader, writer: writer, changes: changes, settings: settings)
    self.organisations = organisations
    self.offer = offer
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

  public func below(_ party: PartyRecord) async throws(RegisterReadError) -> [PartyRecord] {
    // Only organisations have services; a party that the register will not list is not guessed to be empty.
    guard party.kind == .organisation || party.kind == .department || party.kind == .unknown else { return [] }
    guard let organisations else { return try await self.belowByCache(party) }
    let asked = self.clock.now
    let results: [PartyResult]
    do { results = try await organisations.organisation(party.herID).below } catch let error as AddressRegistryError {
      throw .failed(Self.words(error))
    } catch { throw .failed("the question was given up") }
    var below: [PartyRecord] = []
    for result in results {
      switch result {
      case .party(let record):
        below.append(record)
        _ = try? await self.cache?.save(record, source: .soap, readAt: asked, now: self.clock.now)
      case .unreadable(let failure): throw .failed(Self.words(failure.error))
      }
    }
    return below
  }

  private func belowByCache(_ party: PartyRecord) async throws(RegisterReadError) -> [PartyRecord] {
    let known = try await self.known()
    let below = Set(QueueSharing.descendants(of: party.herID, among: known))
    return known.filter { below.contains($0.herID) }
  }

  /// Forward the party is switched to the bus, with those that the order takes along; back its addresses are set to exactly what they were (decision Q3). Read once more
  /// right before it is sent: an entry that is no more what the intent was based on is not written over.
  public func write(_ order: WriteOrder) async -> WriteOutcome {
    var entries = [RegisterOrder.Entry(basis: order.base, goal: order.goal)]
    let change: RegisterChange =
      switch (order.direction, order.scope) {
      case (.back, _): .replaceAddresses(order.goal.addresses)
      case (.forward, .party): .switchToBus(order.bus)
      case (.forward, .organisationQueue): .useOrganisationQueue
      case (.forward, .servicesBelow): .switchToBusWithServicesBelow(order.bus)
      }
    if case .servicesBelow(let along) = order.scope {
      entries += along.map { RegisterOrder.Entry(basis: $0.base, goal: $0.goal) }
    }
    let checked = RegisterOrder(
      herID: order.herID, change: change, operationID: AddressRegistry.OperationID(order.operation.text),
      entries: entries)
    do {
      // The engine's intent is durable before it comes here.
      return Self.outcome(try await self.writer.carryOut(checked) { _ in }, of: order.herID)
    } catch {
      return .refused("not sent: it was given up before")
    }
  }

  static func outcome(_ result: RegisterWriteResult, of herID: HerID) -> WriteOutcome {
    switch result {
    case .applied: .answered
    case .notApplied(let error): .refused(Self.words(error))
    case .unknown(let error, _): .unknown(Self.words(error))
    case .conflict(_, wasSent: false): .refused("not sent: the entry is no more what it was read as; somebody else writes there")
    case .conflict(_, wasSent: true): .unknown("sent, and the entry reads as neither; somebody else writes there")
    case .partlyApplied(let entries):
      .unknown("done in part: \(entries.filter { $0.state == .reached }.count) of \(entries.count) entries")
    case .overwrote(let log, let applied):
      Self.overwrote(log, applied.records.first { $0.herID == herID })
    case .toBeDoneByHand(let instruction): .handedOver(instruction.text(.norwegian) + "\n\n" + instruction.text(.english))
    }
  }

  /// - Parameter found: the entry of the party that the write was for, as it was read afterwards; nil when it could not be.
  private static func overwrote(_ log: [RegisterLogEntry], _ found: PartyRecord?) -> WriteOutcome {
    let seen =
      "the register's log shows other changes since the entry was read, which our write may have taken away: "
      + log.map { "\($0.time) by \($0.byUser ?? "somebody")" }.joined(separator: "; ")
    guard let found else { return .unknown(seen) }
    return .overwrote(found: found, seen: seen)
  }

  private static func words(_ error: AddressRegistryError) -> String { "[\(error.stableCode)] \(error.explanation.seen)" }
}
