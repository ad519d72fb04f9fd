// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One write to the register, whose intent is durable.
public struct WriteOrder: Sendable, Hashable {
  /// How far it reaches.
  public enum Scope: Sendable, Hashable {
    case party
    /// The services below with queues of their own go along: what each is read as and what it shall be.
    case servicesBelow([Along])
    /// The party is flagged for its organisation's queue.
    case organisationQueue
  }

  /// A party that goes along.
  public struct Along: Sendable, Hashable {
    public var base: PartyRecord
    public var goal: PartyRecord

    public init(base: PartyRecord, goal: PartyRecord) {
      self.base = base
      self.goal = goal
    }
  }

  public var operation: OperationID
  public var herID: HerID
  public var direction: Direction
  /// The record the write starts from, read a moment ago.
  public var base: PartyRecord
  /// The record the read-back must show. Forward it is the target bus's; back it is the exact prior one.
  public var goal: PartyRecord
  /// The bus the write leads to.
  public var bus: BusName
  /// The way back is always of one party: its exact prior record.
  public var scope: Scope

  public init(
    operation: OperationID, herID: HerID, direction: Direction, base: PartyRecord, goal: PartyRecord, bus: BusName,
    scope: Scope = .party
  ) {
    self.scope = scope
    self.operation = operation
    self.herID = herID
    self.direction = direction
    self.base = base
    self.goal = goal
    self.bus = bus
  }
}

/// Something outside that an ``Errand`` asks for. Whoever carries it out brings the answer back.
public enum PortCall: Sendable, Hashable {
  case read(HerID)
  case preflight(source: BusName, sourceQueues: [GroupQueue], target: BusName, targetQueues: [GroupQueue])
  case ping(HerID, bus: BusName, queues: [GroupQueue])
  case look(queues: [GroupQueue], bus: BusName)
  case hook(HookQuestion)
  /// Look at the messages that lie on these queues, by metadata, without taking any: at most ``QueueSightings/most`` on each.
  case peek(queues: [GroupQueue], bus: BusName)
}

/// What came of a ``PortCall`` or a write. No answer in time is an answer of its own, never left out.
public enum PortAnswer: Sendable, Hashable {
  case record(PartyRecord)
  case notRead(String)
  case wrote(WriteOutcome)
  case checked(PreflightReport)
  case pinged(PingReport)
  case looked([QueueReading])
  case hook(HookAnswer)
  case sighted([QueueSightings])
  case noAnswer(within: TimeSpan)
}
