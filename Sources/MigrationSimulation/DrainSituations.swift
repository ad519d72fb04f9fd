// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

typealias Counts = [QueueKind: QueueReading.Count]

func lying(
  _ depth: Int64, arrivals: Int64? = nil, consumers: Int64? = 1, _ figures: QueueFigures? = nil
) -> QueueReading.Count {
  .counted(depth: depth, arrivals: arrivals, consumers: consumers, figures: figures)
}

let one: Counts = [.asynchronous: lying(1)]

private func dead(_ count: Int64) -> Counts { [.deadLetter: lying(count, consumers: nil)] }
private func waiting(consumers: Int64?) -> Counts {
  [.asynchronous: lying(0, consumers: consumers, QueueFigures(active: 0))]
}
private func below(_ figures: QueueFigures) -> Counts { [.asynchronous: lying(0, figures)] }

/// All three queues that the register names, on a bus that counts every arrival.
func counted(_ arrivals: Int64, depth: Int64 = 0) -> Counts {
  [
    .asynchronous: lying(depth, arrivals: arrivals), .synchronous: lying(0, arrivals: 4), .error: lying(0, arrivals: 1),
  ]
}

func quiet(_ times: Int = 12) -> DrainSituation.Step { .look([:], times: times) }

extension DrainSituation {
  init(
    _ name: String, on dialect: Dialect = .rabbitMQ4AddressV2, before baseline: [QueueKind: QueueReading.Count] = [:],
    cache: TimeSpan? = nil, _ steps: [Step], _ result: DrainVerdict.Result, _ code: String? = nil,
    classes: Set<StrandedClass> = [], reopened: Bool = false, notShown: String? = nil
  ) {
    self.name = name
    self.dialect = dialect
    self.baseline = baseline
    self.declaredCache = cache
    self.steps = steps
    self.result = result
    self.code = code
    self.classes = classes
    self.isReopened = reopened
    self.notShown = notShown
  }

  /// Every one that is prepared.
  public static let all: [DrainSituation] =
    Self.quietness + Self.messages + Self.heldNotCounted + Self.deadLetters + Self.darkness + Self.queues + Self.people
    + Self.senders + Self.forwarding

  static let quietness: [DrainSituation] = [
    DrainSituation("nothing at any look", [quiet()], .drained, notShown: "fetched between two looks"),
    DrainSituation("nothing for not long enough", [quiet(8)], .notDrained, "MIG-403"),
    DrainSituation(
      "looks too far apart", [.lookAfter(.seconds(5), [:]), .lookAfter(.seconds(5), [:]), .lookAfter(.seconds(5), [:])],
      .notDrained, "MIG-403"),
    DrainSituation("nobody has looked for a while", [quiet(), .wait(.minutes(1))], .notDrained, "MIG-405"),
    DrainSituation("never looked at", [], .notDrained, "MIG-405"),
    DrainSituation("a message in the middle, fetched, and quiet since", [quiet(5), .look(one, times: 1), quiet()], .drained),
    DrainSituation(
      "a message in the middle, and not long since", [quiet(8), .look(one, times: 1), quiet(6)], .notDrained, "MIG-403"),
    DrainSituation(
      "a message one second after the quiet period", [quiet(11), .look(one, times: 1)], .notDrained, "MIG-406",
      classes: [.unknown], reopened: true),
    DrainSituation("drained, disturbed, drained again", [quiet(), .look(one, times: 2), quiet()], .drained, reopened: true),
    DrainSituation(
      "senders' copies are declared to live longer than the quiet", cache: .hours(1), [quiet(20)], .notDrained, "MIG-403"),
    DrainSituation("the daemon starts anew, soon", [quiet(6), .restart(after: .seconds(1)), quiet(6)], .drained),
    DrainSituation("the daemon was away for long", [quiet(8), .restart(after: .seconds(9)), quiet(4)], .notDrained, "MIG-403"),
    DrainSituation("the clock is set back", [quiet(8), .wait(.seconds(-30)), quiet(5)], .notDrained, "MIG-403"),
  ]

  static let messages: [DrainSituation] = [
    DrainSituation("a message lies there", [quiet(3), .look(one, times: 12)], .notDrained, "MIG-406", classes: [.unknown]),
    DrainSituation(
      "the consumer is gone", [.look([.asynchronous: lying(2, consumers: 0)], times: 12)], .notDrained, "MIG-406",
      classes: [.unknown]),
    DrainSituation(
      "a stuck lock", on: .azureServiceBus, [.look(below(QueueFigures(active: 0, locked: 1)), times: 12)],
      .notDrained, "MIG-406", classes: [.heldBack]),
    DrainSituation(
      "a scheduled message", on: .azureServiceBus, [.look(below(QueueFigures(active: 0, scheduled: 1)), times: 12)],
      .notDrained, "MIG-406", classes: [.heldBack]),
    DrainSituation(
      "a deferred message", on: .azureServiceBus, [.look(below(QueueFigures(active: 0, deferred: 1)), times: 12)],
      .notDrained, "MIG-406", classes: [.heldBack]),
    DrainSituation(
      "a message on its way to another queue", on: .serviceBusWindowsServer,
      [.look(below(QueueFigures(active: 0, transfer: 1)), times: 12)], .notDrained, "MIG-406", classes: [.unknown]),
    DrainSituation(
      "every figure told, and all of them zero", on: .azureServiceBus,
      [
        .look(
          below(
            QueueFigures(
              active: 0, locked: 0, deferred: 0, scheduled: 0, deadLettered: 0, transfer: 0, transferDeadLettered: 0)), times: 12)
      ], .drained),
    DrainSituation("a synchronous request that expires", [.look([.synchronous: lying(1)], times: 4), quiet()], .drained),
    DrainSituation(
      "a message on the queue for replies", [.look([.synchronousReply: lying(1)], times: 12)], .notDrained, "MIG-406",
      classes: [.unknown]),
    DrainSituation(
      "an error report that nobody reads", [.look([.error: lying(3)], times: 12)], .notDrained, "MIG-406",
      classes: [.errorReport]),
    DrainSituation(
      "a message came and went between two looks, and the bus counts", on: .rabbitMQ3,
      [.look(counted(7), times: 8), .look(counted(8), times: 6)], .notDrained, "MIG-403"),
    DrainSituation("the same on a bus that does not count", [quiet()], .drained, notShown: "the bus does not count arrivals"),
    DrainSituation(
      "counters that lag: empty, and then not", on: .rabbitMQ3,
      [.look(counted(7), times: 12), .look(counted(8, depth: 1), times: 1)], .notDrained, "MIG-406", classes: [.unknown],
      reopened: true,
      notShown: "seconds late"),
    DrainSituation(
      "a counted arrival, and quiet since", on: .rabbitMQ3,
      [.look(counted(7), times: 3), .look(counted(9), times: 13)], .drained),
  ]

  /// Messages that wait are told, messages that a receiver holds are not: RabbitMQ 4 without its management interface, ActiveMQ without its
  /// statistics plugin.
  static let heldNotCounted: [DrainSituation] = [
    DrainSituation(
      "a receiver is attached, and what it holds is not counted", [.look(waiting(consumers: 1), times: 20)], .notDrained,
      "MIG-428",
      notShown: "a receiver holds and has not settled"),
    DrainSituation(
      "nobody is attached at any look, so nobody holds anything", [.look(waiting(consumers: 0), times: 12)], .drained,
      notShown: "who was attached at no look"),
    DrainSituation(
      "who is attached is not told", on: .activeMQ, [.look(waiting(consumers: nil), times: 20)], .notDrained, "MIG-428",
      notShown: "a receiver holds and has not settled"),
    DrainSituation(
      "a receiver is attached, and what it holds is counted",
      [
        .look([.asynchronous: lying(0, consumers: 1, QueueFigures(active: 0, locked: 0))], times: 12)
      ], .drained),
    DrainSituation(
      "the receiver has left, and not long since",
      [.look(waiting(consumers: 1), times: 12), .look(waiting(consumers: 0), times: 8)], .notDrained, "MIG-403"),
    DrainSituation(
      "the receiver has left long since",
      [.look(waiting(consumers: 1), times: 12), .look(waiting(consumers: 0), times: 11)], .drained),
    DrainSituation(
      "the receiver was attached at one look",
      [
        .look(waiting(consumers: 0), times: 8), .look(waiting(consumers: 2), times: 1), .look(waiting(consumers: 0), times: 3),
      ],
      .drained, notShown: "1 looks at which"),
    DrainSituation(
      "the receiver was attached for longer than three looks",
      [
        .look(waiting(consumers: 0), times: 6), .look(waiting(consumers: 2), times: 3), .look(waiting(consumers: 0), times: 6),
      ],
      .notDrained, "MIG-403"),
    DrainSituation(
      "it is attached again when it was drained",
      [.look(waiting(consumers: 0), times: 12), .look(waiting(consumers: 1), times: 1)],
      .notDrained, "MIG-428"),
    DrainSituation(
      "what the receiver held comes back",
      [
        .look(waiting(consumers: 1), times: 12),
        .look([.asynchronous: lying(1, consumers: 0, QueueFigures(active: 1))], times: 1),
      ],
      .notDrained, "MIG-406", classes: [.unknown]),
    DrainSituation(
      "people answer for the queue with the receiver",
      [
        .look(waiting(consumers: 1), times: 2), .exceptQueue(.asynchronous, .hours(1)), .look(waiting(consumers: 1), times: 12),
      ],
      .drainedWithExceptions, notShown: "what queue"),
    DrainSituation(
      "people answer for another queue than that with the receiver",
      [
        .look(waiting(consumers: 1), times: 2), .exceptQueue(.error, .hours(1)), .look(waiting(consumers: 1), times: 12),
      ],
      .notDrained, "MIG-428"),
    DrainSituation(
      "a receiver at the queue of dead letters, which may hold one",
      [.look([.deadLetter: lying(0, consumers: 1, QueueFigures(active: 0))], times: 12)], .notDrained, "MIG-428"),
    DrainSituation(
      "what waits is told, what is locked is among it", on: .serviceBusWindowsServer,
      [.look(below(QueueFigures(active: 0, scheduled: 0, transfer: 0)), times: 12)], .drained),
  ]

  static let deadLetters: [DrainSituation] = [
    DrainSituation(
      "as many dead letters as before", before: dead(2), [.look(dead(2), times: 12)], .drained, classes: [.deadLetter]),
    DrainSituation(
      "fewer dead letters than before", before: dead(2), [.look(dead(1), times: 12)], .drained, classes: [.deadLetter]),
    DrainSituation(
      "dead letters growing", before: dead(2), [quiet(1), .look(dead(2), times: 11), .look(dead(3), times: 2)],
      .notDrained, "MIG-410", classes: [.deadLetter], reopened: true),
    DrainSituation(
      "a dead letter where there was none", [.look(dead(1), times: 12)], .notDrained, "MIG-410", classes: [.deadLetter]),
    DrainSituation(
      "dead letters growing in a queue's own sub-queue", on: .azureServiceBus,
      before: below(QueueFigures(active: 0, deadLettered: 2)),
      [.look(below(QueueFigures(active: 0, deadLettered: 3)), times: 12)],
      .notDrained, "MIG-410", classes: [.deadLetter]),
    DrainSituation(
      "as many in the sub-queue as before", on: .azureServiceBus,
      before: below(QueueFigures(active: 0, deadLettered: 2)),
      [.look(below(QueueFigures(active: 0, deadLettered: 2)), times: 12)],
      .drained, classes: [.deadLetter]),
    DrainSituation(
      "what could not be carried to another queue", on: .serviceBusWindowsServer,
      [.look(below(QueueFigures(active: 0, transferDeadLettered: 1)), times: 12)], .notDrained, "MIG-410", classes: [.deadLetter]),
  ]

  static let darkness: [DrainSituation] = [
    DrainSituation("the management interface is down", [.dark(times: 12)], .notDrained, "MIG-405"),
    DrainSituation("down at one look", [quiet(5), .dark(times: 1), quiet(7)], .drained, notShown: "1 looks at which"),
    DrainSituation("down for longer than three looks", [quiet(6), .dark(times: 4), quiet(6)], .notDrained, "MIG-403"),
    DrainSituation("down at the last look", [quiet(9), .dark(times: 1)], .notDrained, "MIG-405"),
    DrainSituation("down when it was drained", [quiet(12), .dark(times: 5)], .notDrained, "MIG-405"),
    DrainSituation(
      "permission is missing for one queue",
      [.look([.error: .unreadable("[PROBE-403] no permission")], times: 12)], .notDrained, "MIG-405"),
  ]

  static let queues: [DrainSituation] = [
    DrainSituation("a queue is deleted", [quiet(5), .look([.error: .absent], times: 12)], .notDrained, "MIG-405"),
    DrainSituation(
      "a queue is deleted and made anew, and a look saw it", [quiet(8), .look([.error: .absent], times: 4), quiet(6)],
      .notDrained, "MIG-403"),
    DrainSituation(
      "a queue is made anew between two looks, and the bus counts", on: .rabbitMQ3,
      [.look(counted(7), times: 8), .look(counted(0), times: 6)], .notDrained, "MIG-403"),
    DrainSituation("a queue is made anew between two looks, unseen", [quiet()], .drained, notShown: "deleted and made anew"),
    DrainSituation(
      "there is no queue for replies", [.look([.synchronousReply: .absent], times: 12)], .drained,
      notShown: "syncreply"),
  ]

  static let people: [DrainSituation] = [
    DrainSituation(
      "unreadable, and somebody answers", [.dark(times: 2), .waive(.hours(1)), .dark(times: 2)], .drainedWithExceptions,
      "MIG-405", notShown: "what Kari answers for"),
    DrainSituation(
      "the waiver has ended", [.look(one, times: 2), .waive(.seconds(2)), .look(one, times: 4)], .notDrained, "MIG-406",
      classes: [.unknown], reopened: true),
    DrainSituation(
      "a queue that people answer for", [.look(one, times: 2), .exceptQueue(.asynchronous, .hours(1)), .look(one, times: 12)],
      .drainedWithExceptions, classes: [.unknown], notShown: "what queue"),
    DrainSituation(
      "more lies there than they answered for",
      [
        .look(one, times: 2), .exceptQueue(.asynchronous, .hours(1)), .look(one, times: 12),
        .look([.asynchronous: lying(2)], times: 1),
      ], .notDrained, "MIG-406", classes: [.unknown], reopened: true),
    DrainSituation(
      "as much lies there, and the bus has counted one that came since", on: .rabbitMQ3,
      [
        .look(counted(7, depth: 1), times: 2), .exceptQueue(.asynchronous, .hours(1)),
        .look(counted(7, depth: 1), times: 12),
        .look(counted(8, depth: 1), times: 1),
      ], .notDrained, "MIG-406", classes: [.unknown], reopened: true),
    DrainSituation(
      "as much lies there, and the bus does not count what comes",
      [.look(one, times: 2), .exceptQueue(.asynchronous, .hours(1)), .look(one, times: 12)],
      .drainedWithExceptions,
      classes: [.unknown], notShown: "is what people answered for"),
    DrainSituation(
      "more dead letters than they answered for", on: .azureServiceBus,
      [
        .look(below(QueueFigures(active: 0, deadLettered: 1)), times: 2),
        .exceptQueue(.asynchronous, .hours(1)),
        .look(below(QueueFigures(active: 0, deadLettered: 1)), times: 12),
        .look(below(QueueFigures(active: 0, deadLettered: 2)), times: 1),
      ], .notDrained, "MIG-410", classes: [.deadLetter], reopened: true),
    DrainSituation(
      "fewer lie there than they answered for",
      [
        .look([.asynchronous: lying(3)], times: 2), .exceptQueue(.asynchronous, .hours(1)),
        .look(one, times: 12),
      ],
      .drainedWithExceptions, classes: [.unknown]),
    DrainSituation(
      "a receiver is attached that was not when they answered",
      [
        .look(waiting(consumers: 0), times: 2), .exceptQueue(.asynchronous, .hours(1)),
        .look(waiting(consumers: 1), times: 12),
      ], .notDrained, "MIG-428"),
    DrainSituation(
      "people answer for another queue", [.look(one, times: 2), .exceptQueue(.error, .hours(1)), .look(one, times: 12)],
      .notDrained, "MIG-406", classes: [.unknown]),
    DrainSituation(
      "the exception has ended",
      [
        .look(one, times: 2), .exceptQueue(.asynchronous, .seconds(13)), .look(one, times: 12), .look(one, times: 2),
      ], .notDrained,
      "MIG-406", classes: [.unknown], reopened: true),
  ]

  static let senders: [DrainSituation] = [
    DrainSituation(
      "it came before the move", on: .azureServiceBus,
      [
        .look(one, times: 3), .sight(.asynchronous, [Message(from: 900, came: .minutes(-5))], isWhole: true),
      ], .notDrained,
      "MIG-406",
      classes: [.inFlight]),
    DrainSituation(
      "it came within a copy's life", on: .azureServiceBus, cache: .hours(4),
      [
        .look(one, times: 3), .sight(.asynchronous, [Message(from: 900, came: .hours(3))], isWhole: true),
      ], .notDrained, "MIG-406",
      classes: [.staleAddress]),
    DrainSituation(
      "a copy that was seen to live long makes the quiet longer", on: .azureServiceBus, cache: .hours(4),
      [
        .look(one, times: 1), .wait(.hours(6)), .look(one, times: 1),
        .sight(.asynchronous, [Message(from: 900, came: .hours(6))], isWhole: true), .look([:], times: 20),
      ], .notDrained, "MIG-403"),
    DrainSituation(
      "later than any copy lives, and once only", on: .azureServiceBus,
      [
        .wait(.hours(2)), .look(one, times: 1), .sight(.asynchronous, [Message(from: 900, came: .hours(2))], isWhole: true),
        .look(one, times: 1),
      ], .notDrained, "MIG-406", classes: [.staleAddress]),
    DrainSituation(
      "later than any copy lives, again and again", on: .azureServiceBus,
      [
        .wait(.hours(2)), .look(one, times: 1), .sight(.asynchronous, [Message(from: 900, came: .hours(2))], isWhole: true),
        .look(one, times: 1), .wait(.hours(1)), .look(one, times: 1),
        .sight(
          .asynchronous, [Message(from: 900, came: .hours(3)), Message(from: 901, came: .minutes(9))], isWhole: true),
      ], .notDrained, "MIG-406", classes: [.neverLeaves, .staleAddress]),
    DrainSituation(
      "it names no sender", on: .azureServiceBus,
      [
        .look(one, times: 3), .sight(.asynchronous, [Message(from: nil, came: .minutes(9))], isWhole: true),
      ], .notDrained,
      "MIG-406",
      classes: [.alien]),
    DrainSituation(
      "its sender's clock says that it came long after the move, and the bus does not tell", on: .activeMQ,
      [
        .wait(.hours(2)), .look(one, times: 1), .sight(.asynchronous, [Message(from: 900, came: .hours(900))], isWhole: true),
        .look(one, times: 1), .wait(.hours(1)), .look(one, times: 1),
        .sight(.asynchronous, [Message(from: 900, came: .hours(901))], isWhole: true), .look(one, times: 1),
      ], .notDrained, "MIG-406", classes: [.unknown]),
    DrainSituation(
      "its sender's clock says that it came before the move, and the bus does not tell", on: .activeMQ,
      [
        .look(one, times: 3), .sight(.asynchronous, [Message(from: 900, came: .hours(-9))], isWhole: true),
      ], .notDrained,
      "MIG-406",
      classes: [.unknown]),
    DrainSituation(
      "it does not tell when it came", on: .activeMQ,
      [
        .look(one, times: 3), .sight(.asynchronous, [Message(from: 900, came: nil)], isWhole: true),
      ], .notDrained, "MIG-406",
      classes: [.unknown]),
    DrainSituation(
      "handed out ten times", on: .azureServiceBus,
      [
        .look(one, times: 3), .sight(.asynchronous, [Message(from: 900, came: .minutes(-5), deliveries: 10)], isWhole: true),
      ], .notDrained, "MIG-406", classes: [.deadLetter]),
    DrainSituation(
      "locked, by a closer look", on: .azureServiceBus,
      [
        .look(one, times: 3), .sight(.asynchronous, [Message(from: 900, came: .minutes(-5), state: .locked)], isWhole: true),
      ], .notDrained, "MIG-406", classes: [.heldBack]),
    DrainSituation(
      "a reply to an old request", on: .azureServiceBus,
      [
        .look([.synchronousReply: lying(1)], times: 3),
        .sight(.synchronousReply, [Message(from: 900, came: .seconds(2))], isWhole: true),
      ], .notDrained, "MIG-406", classes: [.lateReply]),
  ]
}
