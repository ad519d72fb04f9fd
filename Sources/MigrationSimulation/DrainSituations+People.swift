// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What people answer for, and what a forwarder did.
extension DrainSituation {
  /// People answer for a sender: each time something was counted it is looked at whose it is.
  static let answeredSenders: [DrainSituation] = [
    DrainSituation(
      "people answer for the sender of what lies there", on: .azureServiceBus,
      [
        .look(one, times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: true), .look(one, times: 12),
      ], .drainedWithExceptions, classes: [.staleAddress], notShown: "what sender HER-ID 900"),
    DrainSituation(
      "the same, and nobody has looked since", on: .azureServiceBus,
      [
        .look(one, times: 2), .exceptSender(900, .hours(1)),
        .sight(.asynchronous, Self.his, isWhole: true), .look(one, times: 12),
      ], .notDrained, "MIG-429", classes: [.staleAddress]),
    DrainSituation(
      "another's message has taken the place of his", on: .azureServiceBus,
      [
        .look(one, times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: true), .look(one, times: 12),
        .shows(.asynchronous, [Message(from: 901, came: .minutes(31))], isWhole: true),
        .look(one, times: 1),
      ], .notDrained, "MIG-406", classes: [.staleAddress], reopened: true),
    DrainSituation(
      "another's took the place of his for a while: the quiet begins anew", on: .azureServiceBus,
      [
        .look(one, times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: true), .look(one, times: 8),
        .shows(.asynchronous, [Message(from: 901, came: .minutes(31))], isWhole: true),
        .look(one, times: 1),
        .shows(.asynchronous, Self.his, isWhole: true), .look(one, times: 8),
      ], .notDrained, "MIG-403", classes: [.staleAddress]),
    DrainSituation(
      "a further message of that sender", on: .azureServiceBus,
      [
        .look(one, times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: true), .look(one, times: 12),
        .shows(.asynchronous, Self.his + [Message(from: 900, came: .minutes(31))], isWhole: true),
        .look([.asynchronous: lying(2)], times: 3),
      ], .drainedWithExceptions, classes: [.neverLeaves]),
    DrainSituation(
      "a message of somebody else", on: .azureServiceBus,
      [
        .look(one, times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: true), .look(one, times: 12),
        .shows(.asynchronous, Self.his + [Message(from: 901, came: .minutes(31))], isWhole: true),
        .look([.asynchronous: lying(2)], times: 1),
      ], .notDrained, "MIG-406", classes: [.neverLeaves, .staleAddress], reopened: true),
    DrainSituation(
      "more was counted than is shown", on: .azureServiceBus,
      [
        .look(one, times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: true),
        .look([.asynchronous: lying(2)], times: 12),
      ], .notDrained, "MIG-429", classes: [.staleAddress, .unknown]),
    DrainSituation(
      "the messages could not be looked at when it was drained", on: .azureServiceBus,
      [
        .look(one, times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: true), .look(one, times: 12),
        .shows(.asynchronous, [], isWhole: false), .look(one, times: 1),
      ], .notDrained, "MIG-429", classes: [.unknown]),
    DrainSituation(
      "the sender's messages, and dead letters of somebody else", on: .azureServiceBus,
      [
        .look([.asynchronous: lying(1)], times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: true),
        .look([.asynchronous: lying(1, QueueFigures(active: 1, deadLettered: 1))], times: 12),
      ], .notDrained, "MIG-410", classes: [.deadLetter, .staleAddress]),
    DrainSituation(
      "the sender's messages, and more than could be looked at", on: .azureServiceBus,
      [
        .look([.asynchronous: lying(3)], times: 2), .exceptSender(900, .hours(1)),
        .shows(.asynchronous, Self.his, isWhole: false),
        .look([.asynchronous: lying(3)], times: 12),
      ], .notDrained, "MIG-406", classes: [.staleAddress, .unknown]),
  ]

  private static let his = [Message(from: 900, came: .minutes(30))]

  static let forwarding: [DrainSituation] = [
    DrainSituation(
      "the forwarder carries all there is",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(
          .asynchronous,
          ForwardingCount(run: "1", received: 5, accepted: 4, setAside: ["too large": 1])),
        quiet(13),
      ], .drained),
    DrainSituation(
      "the forwarder holds what it has taken",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(.asynchronous, ForwardingCount(run: "1", received: 5, accepted: 3)), quiet(13),
      ], .notDrained, "MIG-425"),
    DrainSituation(
      "the forwarder has stopped",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(
          .asynchronous, ForwardingCount(run: "1", received: 3, accepted: 2, leftAlone: 1)),
        .stopped(.asynchronous),
        .look([.asynchronous: lying(3)], times: 12),
      ], .notDrained, "MIG-406", classes: [.unknown]),
    DrainSituation(
      "what the forwarder took between two looks had come there",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(.asynchronous, ForwardingCount(run: "1", received: 5, accepted: 5)), quiet(8),
        .forwarded(.asynchronous, ForwardingCount(run: "1", received: 6, accepted: 6)), quiet(5),
      ], .notDrained, "MIG-403"),
    DrainSituation(
      "too large for the other bus, and poison: set aside, they lie where they lay",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(
          .asynchronous,
          ForwardingCount(
            run: "1", received: 5, accepted: 3, leftAlone: 2, aside: ["tooLarge": 1, "poison": 1])),
        .look([.asynchronous: lying(2)], times: 13),
      ], .notDrained, "MIG-406", classes: [.unknown]),
    DrainSituation(
      "set aside, and people answer for what lies there",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(
          .asynchronous,
          ForwardingCount(
            run: "1", received: 5, accepted: 3, leftAlone: 2, aside: ["tooLarge": 1, "poison": 1])),
        .look([.asynchronous: lying(2)], times: 2), .exceptQueue(.asynchronous, .hours(1)),
        .look([.asynchronous: lying(2)], times: 12),
      ], .drainedWithExceptions, classes: [.unknown]),
    DrainSituation(
      "some did not come again after a link was lost",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(
          .asynchronous, ForwardingCount(run: "1", received: 5, accepted: 3, notReturned: 2)),
        quiet(13),
      ], .drained, notShown: "what became of 2 messages"),
    DrainSituation(
      "the run died with two on hand, and a further one carried them",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(.asynchronous, ForwardingCount(run: "1", received: 5, accepted: 3)),
        .restart(after: .seconds(1)),
        .forwarded(
          .asynchronous, ForwardingCount(run: "2", received: 2, accepted: 1, settledAgain: 1)),
        quiet(13),
      ], .drained),
    DrainSituation(
      "some may have been carried twice",
      [
        .look([.asynchronous: lying(5)], times: 2), .order,
        .forwarded(
          .asynchronous, ForwardingCount(run: "1", received: 5, accepted: 5, possibleDuplicates: 2)),
        quiet(13),
      ], .drained, notShown: "2 may have come twice"),
  ]
}
