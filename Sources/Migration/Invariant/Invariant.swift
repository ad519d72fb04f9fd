// SPDX-License-Identifier: Apache-2.0

/// What must always hold, whatever fails. Each is checked by ``HistoryWatch`` where the history shows it (in tests, in the simulator and
/// by `audit verify`), and by the simulator against its world where only the world shows it.
public enum Invariant: Int, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
  case oneLiveHome = 1
  case durableIntentFirst, closure, exactReturn, noLostUpdate, noMessageLost, noQueueRemovedWithMail, orderKept
  case watermarkAfterFence, reverseIsOpen, attestationsExpire, oneWriter, approvedIsExecuted, silenceIsNotSuccess
  case nothingInTheDark, unknownStops, cacheAgrees, pingerOnlyWrites, auditIsAppendOnly, noHealthData, stopWorks

  public var description: String { "I-\(self.rawValue)" }

  public var words: String {
    switch self {
    case .oneLiveHome: "no entry that we write names two buses"
    case .durableIntentFirst: "no register write without a durable intent of that operation"
    case .closure: "parties that share a queue are in one group, and a group in one wave"
    case .exactReturn: "after the roll-back the entry is what it was, to the byte"
    case .noLostUpdate: "no entry is written over that is not the one the intent was based on"
    case .noMessageLost: "every message is accounted for before a group counts as drained"
    case .noQueueRemovedWithMail: "no queue goes while it can hold mail or the way back needs it"
    case .orderKept: "the order of one sender's messages in one queue is not changed by us"
    case .watermarkAfterFence: "the drain begins after every entry read back as written"
    case .reverseIsOpen:
      "no cut-over begins, and nothing is accepted or retired, while the way back is broken; the rest of a group that is written in part is, "
        + "when the target bus was seen to stand within half an hour, and people are told that it has no way back"
    case .attestationsExpire: "no step rests on an attestation older than its life or from before the last start"
    case .oneWriter: "no row by a writer whose token is not the newest"
    case .approvedIsExecuted: "what is carried out is what was approved, once"
    case .silenceIsNotSuccess: "nothing passes on no samples or on counters that cannot be read"
    case .nothingInTheDark: "every wait has a reason, a since and an end or a person"
    case .unknownStops: "nothing is carried out on a history that is not understood whole"
    case .cacheAgrees: "the cache holds what was last read"
    case .pingerOnlyWrites: "nothing is received from a party's queue"
    case .auditIsAppendOnly: "no row is changed or cut off, and the head is kept outside every hour"
    case .noHealthData: "no message's content in the history"
    case .stopWorks: "no register write begins once the line is stopped"
    }
  }
}

/// An invariant that was found broken, and what was seen.
public struct Breach: Sendable, Hashable, Codable, CustomStringConvertible {
  public var invariant: Invariant
  public var seen: String

  public init(_ invariant: Invariant, _ seen: String) {
    self.invariant = invariant
    self.seen = seen
  }

  public var description: String { "\(self.invariant) \(self.seen)" }
}
