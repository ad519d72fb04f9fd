// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationStore

/// Where everything stands: what `status` answers, over the control socket or from the database. The schema is stable; times are
/// milliseconds since 1970 UTC.
public struct MigrationStatus: Codable, Sendable {
  public struct Daemon: Codable, Sendable {
    public var processID: Int32
    public var version: String
    public var startedAt: Instant
    public var database: String
    public var starts: Int

    public init(processID: Int32, version: String, startedAt: Instant, database: String, starts: Int) {
      self.processID = processID
      self.version = version
      self.startedAt = startedAt
      self.database = database
      self.starts = starts
    }
  }

  public var schema = "bus-migrator/status/1"
  public var now: Instant
  /// nil: read from the database, no daemon answered.
  public var daemon: Daemon?
  public var head: ChainHead
  /// Stop-the-line; nil while the line runs.
  public var stop: Note?
  /// Buses that were closed for good, by name.
  public var closedBuses: [String: Note]
  public var puljer: [PuljeSummary]

  /// - Parameter pulje: the only one that is asked for; nil for all.
  public init(_ state: MigrationState, head: ChainHead, now: Instant, daemon: Daemon?, pulje: PuljeName? = nil) {
    self.now = now
    self.daemon = daemon
    self.head = head
    self.stop = state.stop
    self.closedBuses = Dictionary(uniqueKeysWithValues: state.closedBuses.map { ($0.key.text, $0.value) })
    let asked = state.ordered.filter { pulje == nil || $0.name == pulje }
    self.puljer = asked.map { PuljeSummary($0, stop: state.stop, now: now) }
  }
}
