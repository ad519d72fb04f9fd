// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a drain verdict claims to show, or says that it does not, each by a stable name: a report in another language has its own words.
public enum DrainClaim: String, Sendable, Hashable, Codable, CaseIterable {
  // What is shown.
  case emptyAtEveryLook = "empty-at-every-look"
  case noneCountedBetween = "none-counted-between"
  case noMoreDeadLetters = "no-more-dead-letters"
  case everyCarriedAccounted = "every-carried-accounted"
  case setAsideLiesThere = "set-aside-lies-there"
  // What is not.
  case fetchedBetweenLooks = "fetched-between-looks"
  case queueMadeAnew = "queue-made-anew"
  case countersLate = "counters-late"
  case ownersOfMessages = "owners-of-messages"
  case missingQueuesSwallow = "missing-queues-swallow"
  case subqueuesUntold = "subqueues-untold"
  case dialectUnknown = "dialect-unknown"
  case lastMoments = "last-moments"
  case replyQueuesByOtherNames = "reply-queues-by-other-names"
  case heldUncounted = "held-uncounted"
  case heldBetweenLooks = "held-between-looks"
  case shovelsKeepNoJournal = "shovels-keep-no-journal"
  case unreadableLooks = "unreadable-looks"
  case answeredFor = "answered-for"
  case answeredForUncounted = "answered-for-uncounted"
  case waived
  case notComeAgain = "not-come-again"
  case possiblyTwice = "possibly-twice"
  case dealtWith = "dealt-with"
}

extension DrainVerdict {
  /// By name, in the order of ``proves``.
  public var proven: [DrainClaim] { self.shown.map(\.claim) }
  /// By name, in the order of ``cannotProve``.
  public var notProven: [DrainClaim] { self.notShown.map(\.claim) }

  var shown: [(claim: DrainClaim, words: String)] {
    var shown: [(claim: DrainClaim, words: String)] = []
    if let quietSince, let lastCountedAt {
      shown.append(
        (
          .emptyAtEveryLook,
          "every queue was counted and empty\(self.exceptions.isEmpty ? "" : ", but for what people answer for,") at each of \(self.quietLooks) looks from \(quietSince) to \(lastCountedAt), never more than "
            + "\(self.longestGap ?? .milliseconds(0)) apart"
        ))
      if self.countsArrivals { shown.append((.noneCountedBetween, "the bus counted no message in between")) }
    }
    let knowsDeadLetters = self.queues.contains { $0.figures?.deadLettered != nil || ($0.kind == .deadLetter && $0.depth != nil) }
    if self.newDeadLetters == 0, knowsDeadLetters, self.lastReadableAt == self.lastLookAt {
      shown.append((.noMoreDeadLetters, "there are no more dead letters than before the move"))
    }
    if let forwarded, forwarded.open == 0, forwarded.carrier == .own {
      let total = forwarded.total
      // Without what did not come again it would say more than is known: see `notShown`.
      var parts = [
        "\(total.accepted) accepted by the other bus",
        "\(total.settledAgain) settled again, which it had already",
      ]
      if total.setAsideInAll > 0 { parts.append("\(total.setAsideInAll) set aside") }
      if total.expired > 0 { parts.append("\(total.expired) expired") }
      parts.append("\(total.leftAlone) given back")
      if let lost = total.notReturned, lost > 0 {
        parts.append("\(lost) not come again after a link was lost")
      }
      if forwarded.interrupted > 0 {
        parts.append("\(forwarded.interrupted) on hand when a run ended, and given back by the bus")
      }
      shown.append(
        (
          .everyCarriedAccounted,
          "the forwarder took \(total.received) messages, and each is accounted for: \(parts.joined(separator: ", "))"
        ))
      let aside = (total.aside ?? [:]).filter { $0.value > 0 }.sorted { $0.key < $1.key }.map {
        "\($0.value) \($0.key)"
      }
      if !aside.isEmpty {
        let list = aside.joined(separator: ", ")
        shown.append((.setAsideLiesThere, "what is set aside lies on the queues that are left, as its journal has it: \(list)"))
      }
    }
    return shown
  }

  var notShown: [(claim: DrainClaim, words: String)] {
    var not: [(claim: DrainClaim, words: String)] = []
    if !self.countsArrivals {
      not.append(
        (
          .fetchedBetweenLooks,
          "a message that came and was fetched between two looks was not seen: the bus does not count arrivals"
        ))
      not.append((.queueMadeAnew, "a queue that was deleted and made anew between two looks looks like the same queue"))
    }
    if let capabilities = self.dialect?.capabilities {
      if capabilities.countsBy.first == .managementHTTP {
        not.append((.countersLate, "the bus's counters are seconds late: what came right before a look shows at the next one"))
      }
      if !capabilities.browses {
        not.append((.ownersOfMessages, "whose messages lie there: the bus does not show them without handing them out"))
      }
      if capabilities.missingQueueForSender == .acceptsAndLoses {
        not.append(
          (.missingQueuesSwallow, "messages to queues that are not there: the bus accepts and drops them, whoever sends them"))
      }
      if case .subqueue = capabilities.deadLetter,
        self.queues.contains(where: { $0.state == "counted" && $0.kind != .deadLetter && $0.figures == nil })
      {
        not.append(
          (.subqueuesUntold, "scheduled, deferred and dead-lettered messages: the bus did not tell of them by themselves"))
      }
    } else {
      not.append((.dialectUnknown, "what this bus can show: the plan does not say what it is"))
    }
    if let lookedAt = self.lastLookAt, let oldest = self.queues.compactMap(\.readAt).min(), lookedAt.since(oldest) > .seconds(1) {
      not.append(
        (.lastMoments, "what came in the last moments before a look: the counts it took were up to \(lookedAt.since(oldest)) old")
      )
    }
    if self.queues.contains(where: { $0.kind == .synchronousReply && $0.state != "counted" }) {
      not.append((.replyQueuesByOtherNames, "syncreply queues by other names: the register does not hold them"))
    }
    let uncounted = self.queues.filter(\.leavesOutHeld)
    if uncounted.contains(where: { $0.consumers != 0 }) {
      not.append(
        (
          .heldUncounted,
          "messages that a receiver holds and has not settled: this way of counting leaves them out; the bus's management interface tells them"
        ))
    } else if !uncounted.isEmpty {
      not.append(
        (
          .heldBetweenLooks,
          "what somebody held who was attached at no look, as AMQP 0-9-1 allows: messages that a receiver holds are not counted, and no "
            + "receiver was attached at any look of the quiet"
        ))
    }
    if let forwarded, forwarded.carrier == .shovel {
      not.append(
        (
          .shovelsKeepNoJournal,
          "that each message was carried, and once: a shovel drops what the other bus rejects, and keeps no journal; how many it carried is the "
            + "bus's own count, and late"
        ))
    }
    if self.unreadableLooks > 0 {
      not.append(
        (.unreadableLooks, "what was there at \(self.unreadableLooks) looks at which counters could not be read, or not whole"))
    }
    for exception in self.exceptions {
      not.append((.answeredFor, "what \(exception.what) leaves, until \(exception.until): \(exception.why)"))
      if case .queue = exception.what, exception.covers.map({ $0.arrivals == nil }) ?? true {
        not.append(
          (
            .answeredForUncounted,
            "that what lies on \(exception.what) is what people answered for: the bus does not count what comes"
          ))
      }
    }
    for waiver in self.waivers {
      not.append((.waived, "what \(waiver.by) answers for until \(waiver.until): \(waiver.why)"))
    }
    if let forwarded, let lost = forwarded.total.notReturned, lost > 0 {
      not.append(
        (
          .notComeAgain,
          "what became of \(lost) messages that were on hand when a link was lost and did not come again: fetched by somebody else, or expired"
        ))
    }
    if let forwarded, forwarded.total.possibleDuplicates > 0 {
      not.append(
        (
          .possiblyTwice,
          "that each message was carried once: \(forwarded.total.possibleDuplicates) may have come twice; the journal lists them"
        ))
    }
    not.append((.dealtWith, "that the party's system has dealt with what it fetched: counters only show that it is gone"))
    return not
  }
}
