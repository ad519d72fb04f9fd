// SPDX-License-Identifier: Apache-2.0

import AMQP
import Disclosure

/// Why forwarding stopped, or could not begin. Nothing of a message's content is in it.
public struct ForwardingError: ExplainedError, Hashable {
  /// What kind of failure it is. A struct, so that further codes break nobody's `switch`.
  public struct Code: Sendable, Hashable {
    public let text: String

    public static let notAccepted = Code(text: "FWD-101")
    public static let tooManySetAside = Code(text: "FWD-102")
    public static let nearDeliveryLimit = Code(text: "FWD-103")
    public static let sourceUnavailable = Code(text: "FWD-104")
    public static let targetUnavailable = Code(text: "FWD-105")
    public static let targetUnsafe = Code(text: "FWD-106")
    public static let rulesInvalid = Code(text: "FWD-107")
    public static let notCountable = Code(text: "FWD-108")
    public static let dialectUnknown = Code(text: "FWD-109")
    public static let targetSilent = Code(text: "FWD-110")
    public static let notReturned = Code(text: "FWD-111")
    public static let journalInUse = Code(text: "FWD-201")
    public static let journalUnreadable = Code(text: "FWD-202")
    public static let journalUnwritable = Code(text: "FWD-203")
    public static let journalDamaged = Code(text: "FWD-204")
    public static let queueInUse = Code(text: "FWD-205")

    /// Every code there is; docs/error-codes.md lists the same.
    public static let all: [Code] = [
      .notAccepted, .tooManySetAside, .nearDeliveryLimit, .sourceUnavailable, .targetUnavailable, .targetUnsafe, .rulesInvalid,
      .notCountable, .dialectUnknown, .targetSilent, .notReturned,
      .journalInUse, .journalUnreadable, .journalUnwritable, .journalDamaged, .queueInUse,
    ]
  }

  public let code: Code
  public let tried: String
  public let seen: String
  /// What the bus said, where it was one.
  public let cause: AMQPError?

  package init(_ code: Code, tried: String, seen: String, cause: AMQPError? = nil) {
    self.code = code
    self.tried = tried
    self.seen = seen
    self.cause = cause
  }

  public var stableCode: String { self.code.text }

  public var explanation: Explanation {
    let (meaning, next, owner) = self.words
    return Explanation(tried: self.tried, seen: self.seen, meaning: meaning, next: next, owner: owner)
  }

  private var words: (String, String, FaultOwner) {
    switch self.code {
    case .notAccepted:
      (
        "The target bus did not take a message. Nothing was settled on the source but what the target had accepted.",
        "Find out why the target queue refuses (full, not bound, too little room), mend that, and start the queue again.", .bus
      )
    case .tooManySetAside:
      (
        "More messages are set aside than may be held at a time; all of them are still on the source.",
        "Look at what is set aside and why, and decide on it; then start the queue again.", .caller
      )
    case .nearDeliveryLimit:
      (
        "The source bus drops or dead-letters a message that is handed out a few times more. Nothing more is taken from the queue.",
        "Raise the queue's delivery limit by a policy (delivery-limit -1), or take the limit off; then start with retries allowed.",
        .bus
      )
    case .sourceUnavailable:
      (
        "The source queue could not be read. Everything is still there.", "Mend what the bus names, and start the queue again.",
        .bus
      )
    case .targetUnavailable:
      (
        "The target queue could not be written to. What the target had not accepted is still on the source.",
        "Mend what the bus names (queue, permission, login), and start the queue again.", .bus
      )
    case .targetUnsafe:
      (
        "A bus of this kind accepts and loses what is sent to a queue that is not there. What it accepted since the queue was last seen may be lost: it is still on the source.",
        "Declare the target queue, and start the queue again: all that goes again is listed as possibly there twice.", .bus
      )
    case .rulesInvalid: ("Forwarding cannot go by these rules.", "Correct the rules.", .caller)
    case .notCountable:
      ("A dry run only counts, and the source could not be counted.", "Give the counters access, or ask again.", .bus)
    case .dialectUnknown:
      ("What an outcome means, and what a queue is called, depends on the dialect.", "Configure the dialect of the bus.", .caller)
    case .targetSilent:
      (
        "The target holds messages and says nothing of them (RabbitMQ in a memory or disk alarm does that). The queue waits: what becomes of them is not guessed, and nothing overtakes them.",
        "Look at the target bus for alarms. Nothing needs to be done here: it goes on by itself.", .bus
      )
    case .notReturned:
      (
        "Messages that were on hand when the link to the source was lost have not come again. They were fetched by somebody else or expired, or the source still keeps them for a link that is dead: what lies behind them would overtake them.",
        "Make sure that nobody holds messages of the source queue, and start the queue again: it goes on without them.", .bus
      )
    case .journalInUse:
      ("Two processes that forward with one journal could not tell duplicates.", "Stop the other process.", .caller)
    case .journalUnreadable:
      ("Without its journal a forwarder cannot tell what may have arrived already.", "Give access to the file.", .host)
    case .journalUnwritable:
      (
        "Without its journal a forwarder could not tell after a crash what may have arrived already.",
        "Make room on the disk, or mend it, and start the queue again: the journal is written anew then, without a restart.",
        .host
      )
    case .journalDamaged:
      (
        "Part of what was written and synced is not there any more: which messages may have arrived twice cannot be told for certain.",
        "Keep the file for a look; start with a new one, and hold the messages of the time since against the target by their ids.",
        .host
      )
    case .queueInUse:
      ("Two forwarders of one queue would overtake each other.", "Wait for the other run to end.", .caller)
    default: ("Forwarding stopped.", "Read what was seen.", .tjenestebuss)
    }
  }
}
