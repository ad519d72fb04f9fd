// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// The buses, as the engine needs them. Nothing here receives from a party's queue (I-18).
public protocol BusPort: Sendable {
  /// Makes every ``PreflightCheck``; one that the dialect cannot show is `impossible`, with the reason.
  ///
  /// - Parameters:
  ///   - sourceQueues: queues the group has on `source`; those the register names must exist.
  ///   - targetQueues: the same on `target`.
  func preflight(
    source: BusName, sourceQueues: [GroupQueue], target: BusName, targetQueues: [GroupQueue]
  ) async -> [Finding<PreflightCheck>]

  /// Pings one party on `bus`; every ``PingCheck`` gets a finding.
  func ping(_ herID: HerID, on bus: BusName, queues: [GroupQueue]) async -> PingReport

  /// Reads the counters of `queues` on `bus`, each one; what cannot be read is `unreadable`, with the reason.
  func look(at queues: [GroupQueue], on bus: BusName) async -> [QueueReading]

  /// Looks at the messages on `queues`, by metadata and without taking any. Of a queue that cannot be looked at it says that nothing
  /// was seen, and that this is not all.
  func peek(at queues: [GroupQueue], on bus: BusName) async -> [QueueSightings]
}

extension BusPort {
  public func peek(at queues: [GroupQueue], on bus: BusName) async -> [QueueSightings] {
    queues.map { QueueSightings(queue: $0.address, sightings: [], isWhole: false) }
  }
}
