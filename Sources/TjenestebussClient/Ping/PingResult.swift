// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// What one ping on one bus has shown.
public struct PingResult: Sendable, Hashable {
  /// The system that read the ping.
  public struct System: Sendable, Hashable {
    public var libraryVersion: String
    /// What the system calls itself, and its version.
    public var product: String
    public var productVersion: String
  }

  public var herID: HerID
  public var messageID: String
  public var bus: BusName
  public var queue: String
  /// What the bus said of the ping.
  public var outcome: SendResult.Outcome = .unknown(.timedOut)
  /// From sending until it, or its echo, was back; nil when nothing came back.
  public var roundTrip: Duration?
  /// Who read it; nil when nothing came back.
  public var answeredBy: System?
  /// What is wrong, and whose it is to mend; nil when it came back.
  public var problem: Explanation?

  public var cameBack: Bool { self.roundTrip != nil }

  init(herID: HerID, messageID: String, bus: BusName, queue: String) {
    self.herID = herID
    self.messageID = messageID
    self.bus = bus
    self.queue = queue
  }

  static func refused(_ report: ErrorReport) -> Explanation {
    Explanation(
      tried: "ping", seen: report.description,
      meaning: "The party's system reads its queue, but does not know the ping: it has another library than ours.",
      next: "Nothing: traffic flows to it. Test with a message of a function it knows.", owner: .party)
  }
}

extension PingResult.System {
  /// From an echo; or from our own request that came back, which was read by this very client.
  init(_ message: HealthMessage, ownProduct configuration: TjenestebussConfiguration) {
    typealias Name = PingForm.PropertyName
    let isEcho = message.properties[Name.originalMessageID] != nil
    self.libraryVersion = message.properties[Name.libraryVersion] ?? (isEcho ? "unknown" : TjenestebussVersion.current)
    self.product = message.properties[Name.product] ?? (isEcho ? "unknown" : configuration.product)
    self.productVersion = message.properties[Name.productVersion] ?? (isEcho ? "" : configuration.productVersion)
  }
}

/// What is wrong when a ping did not come back, and whose it is. Pure.
enum PingProblem: Sendable, Hashable {
  case none
  /// The bus did not take it.
  case notTaken(messageID: String, SendResult.Outcome)
  /// Taken, and not received here, because we do not receive from that queue on that bus.
  case notReceiving(BusName, String, because: ClientStatus.ReceiverState?)
  /// Taken and not handed to us, though we receive.
  case notHandedOver(BusName, String, Duration)
  /// On a dialect whose acceptance proves nothing of the queue.
  case perhapsNoQueue(BusName, String, Duration)
  case partySilent(HerID, BusName, Duration)

  init(
    of result: PingResult, isOwn: Bool, receiver: ClientStatus.ReceiverState?, timeout: Duration, dialect: Dialect?
  ) {
    if result.cameBack {
      self = .none
      return
    }
    switch result.outcome {
    case .accepted, .unknown: break
    case .rejected, .released, .modified, .notSent:
      self = .notTaken(messageID: result.messageID, result.outcome)
      return
    }
    guard isOwn else {
      self = .partySilent(result.herID, result.bus, timeout)
      return
    }
    switch receiver {
    case .receiving: self = .notHandedOver(result.bus, result.queue, timeout)
    case .queueMissing where dialect.map { SendResult.Acceptance($0) } == .provesNothingOfTheQueue:
      self = .perhapsNoQueue(result.bus, result.queue, timeout)
    case nil, .connecting, .queueMissing, .waiting, .ended:
      self = .notReceiving(result.bus, result.queue, because: receiver)
    }
  }

  var explanation: Explanation? {
    switch self {
    case .none: return nil
    case .notTaken(let messageID, let outcome):
      return TjenestebussError.notAccepted(messageID: messageID, outcome: outcome).explanation
    case .notReceiving(let bus, let queue, let state):
      let tried = "receive our own ping from \(queue) on \(bus)"
      switch state {
      case .waiting(_, let error)?, .ended(let error)?:
        return Explanation(
          tried: tried, seen: "[\(error.stableCode)] \(error.explanation.seen)", meaning: error.explanation.meaning,
          next: error.explanation.next, owner: error.explanation.owner)
      case .queueMissing?:
        return Explanation(
          tried: tried, seen: "there is no such queue on \(bus) for our user",
          meaning: "The bus took the ping, but we may not read the queue, or it was just made.",
          next: "Check that our user may read the queue.", owner: .bus)
      case .connecting?, .receiving?, nil:
        return Explanation(
          tried: tried, seen: "this client does not receive from it now",
          meaning: "The bus took the ping; no process of ours has read it.",
          next: "Start receiving (serve the HER-ID), and see that another process of ours has the library too.", owner: .caller)
      }
    case .notHandedOver(let bus, let queue, let timeout):
      return Explanation(
        tried: "receive our own ping from \(queue) on \(bus)", seen: "accepted by the bus, not handed to us in \(timeout)",
        meaning: "The queue has a backlog that is not taken, is held by another consumer, or the bus hands nothing out.",
        next: "See the queue's depth and consumers; if both are ordinary, those who run the bus must look.", owner: .bus)
    case .perhapsNoQueue(let bus, let queue, let timeout):
      return Explanation(
        tried: "receive our own ping from \(queue) on \(bus)",
        seen: "accepted by the bus, not back in \(timeout); the queue cannot be attached to",
        meaning: "This kind of bus accepts messages to queues that do not exist, and drops them.",
        next: "Have the queue made on this bus, or leave it if the party is not to be here.", owner: .bus)
    case .partySilent(let herID, let bus, let timeout):
      return Explanation(
        tried: "get an answer to a ping from HER-ID \(herID) on \(bus)", seen: "accepted by the bus, no echo in \(timeout)",
        meaning: "The party's system does not read its queue there now, or has no library that answers pings.",
        next: "Ask the party's vendor whether its system receives on \(bus).", owner: .party)
    }
  }
}
