// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

/// Every queue of a bus, with what is on it.
public struct CensusReading: Sendable, Hashable {
  public enum Value: Sendable, Hashable {
    /// All queues there are, by name, empty ones too. A queue whose count could not be had is among them, as unreadable.
    case listed([DepthReading])
    /// This bus cannot be asked, and why.
    case notPossible(ProbeError)
    /// It was asked, and the answer is not known: never to be taken for none.
    case unreadable(ProbeError)
  }

  public var way: DialectCapabilities.Counting?
  /// When the first page was asked for, by the wall clock.
  public var readAt: RegistryInstant
  public var value: Value
  /// Whether the bus says who listens; where not, a queue that nobody writes to and somebody listens on is not told from a dead one.
  public var tellsConsumers: Bool

  public init(way: DialectCapabilities.Counting?, readAt: RegistryInstant, value: Value, tellsConsumers: Bool) {
    self.way = way
    self.readAt = readAt
    self.value = value
    self.tellsConsumers = tellsConsumers
  }

  /// Every queue; nil when it is not known.
  public var queues: [DepthReading]? {
    if case .listed(let queues) = self.value { queues } else { nil }
  }

  /// The queues with anything in them or anyone on them, and those of which that is not known; nil when nothing is known.
  public var occupied: [DepthReading]? { self.queues.map(Self.occupied) }

  /// Of these.
  public static func occupied(_ queues: [DepthReading]) -> [DepthReading] {
    queues.filter { reading in
      switch reading.value {
      case .missing: false
      case .unreadable: true
      case .counted(let count): count.isOccupied
      }
    }
  }
}

extension QueueCount {
  /// Whether anything lies there, dead letters too, or anyone listens, as far as the bus tells.
  public var isOccupied: Bool {
    self.messages > 0 || self.consumers ?? 0 > 0 || self.figures?.lying ?? 0 > 0 || self.figures?.deadLettered ?? 0 > 0
      || self.figures?.transferDeadLettered ?? 0 > 0
  }
}

/// A way to list every queue of a bus in a few questions.
public protocol BusCensus: Sendable {
  /// Lists them. Bounded in time; never throws, since a list that could not be had is a reading too.
  func census() async -> CensusReading
}
