// SPDX-License-Identifier: Apache-2.0

/// Every message by its id: how its sends ended, how often it was received, whether that was settled, what still lies on the queue.
/// Its ``balance(window:)`` says whether something was lost, and gives each duplicate its reason.
///
/// At-least-once allows a duplicate in two cases only, and the ledger looks for them: the message was sent more than once (the
/// outcome of a send was unknown, and it was sent again with the same id), or the settlement of an earlier receipt did not reach
/// the bus. Pure: facts in, numbers out; ids, never contents.
///
/// ```swift
/// var ledger = DeliveryLedger()
/// ledger.sent("m-1", .accepted)
/// ledger.received("m-1", on: 1)
/// ledger.settled("m-1", on: 1)
/// ledger.ended(1, inOrder: true)
/// ledger.balance(window: 10).faults   // none
/// ```
public struct DeliveryLedger: Sendable {
  /// How one attempt to send ended.
  public enum SendOutcome: String, Sendable, Hashable, Codable {
    case accepted, unknown, rejected, released, modified
    /// The sender was told that the message did not leave.
    case notSent = "not-sent"

    /// Whether the message may be on the bus by this attempt.
    public var mayHaveArrived: Bool { self == .accepted || self == .unknown }
  }

  /// Why a message came again.
  public enum Reason: String, Sendable, Hashable {
    case sentAgain = "sent again after an unknown outcome"
    case notSettled = "an earlier receipt was not settled"
    case settlementLost = "an earlier receipt was settled on a link that broke soon after"
  }

  public struct Duplicate: Sendable, Hashable {
    public var id: String
    /// Nil: none that at-least-once allows.
    public var reason: Reason?
  }

  private struct Receipt {
    let link: Int
    /// In order on its link, from 0.
    let number: Int
    var isSettled = false
    /// Whether a later receipt was put down to it.
    var hasExplained = false
  }

  private struct Link {
    var receipts = 0
    var endedInOrder = false
  }

  private var sends: [String: [SendOutcome]] = [:]
  private var receipts: [String: [Receipt]] = [:]
  private var links: [Int: Link] = [:]
  private var lying: [String: Int] = [:]

  public init() {}

  // MARK: What happened

  /// An attempt to send the message has ended so.
  public mutating func sent(_ id: String, _ outcome: SendOutcome) { self.sends[id, default: []].append(outcome) }

  /// The message came.
  ///
  /// - Parameter link: a number of the link's life: another one after each attach. All receipts of one life in their order.
  public mutating func received(_ id: String, on link: Int = 0) {
    let number = self.links[link, default: Link()].receipts
    self.links[link, default: Link()].receipts = number + 1
    self.receipts[id, default: []].append(Receipt(link: link, number: number))
  }

  /// Its last receipt on this link was accepted, and the call did not throw.
  public mutating func settled(_ id: String, on link: Int = 0) {
    guard let index = self.receipts[id]?.lastIndex(where: { $0.link == link }) else { return }
    self.receipts[id]?[index].isSettled = true
  }

  /// It turned out that the last settlement of this message did not get through: the bus delivers it again.
  public mutating func settlementLost(_ id: String) {
    guard let index = self.receipts[id]?.lastIndex(where: \.isSettled) else { return }
    self.receipts[id]?[index].isSettled = false
  }

  /// A life of a link has ended. - Parameter inOrder: detached or closed, and the peer has answered: what was settled has reached it.
  public mutating func ended(_ link: Int, inOrder: Bool) { self.links[link, default: Link()].endedInOrder = inOrder }

  /// The message lies on a queue at the end, once for each call.
  public mutating func left(_ id: String) { self.lying[id, default: 0] += 1 }

  // MARK: What it comes to

  /// Ids with an accepted attempt.
  public var accepted: Set<String> { Set(self.sends.filter { $0.value.contains(.accepted) }.keys) }

  /// Ids whose arrival nobody knows: no attempt was accepted, and at least one ended unknown.
  public var unknown: Set<String> {
    Set(self.sends.filter { $0.value.contains(.unknown) && !$0.value.contains(.accepted) }.keys)
  }

  /// Ids that were received at least once.
  public var received: Set<String> { Set(self.receipts.keys) }

  /// Ids that a queue still holds.
  public var left: Set<String> { Set(self.lying.keys) }

  /// Ids that a bus took and nobody has received yet.
  public var outstanding: Set<String> { self.accepted.subtracting(self.receipts.keys) }

  /// Receipts beyond the first of each id.
  public var repeatedReceipts: Int { self.receipts.values.reduce(0) { $0 + $1.count - 1 } }

  /// Received or left, and never sent.
  public var aliens: Set<String> { self.received.union(self.left).subtracting(self.sends.keys) }

  /// Received or left although every attempt was told that it would not be.
  public var denied: Set<String> {
    self.received.union(self.left).filter { id in
      self.sends[id].map { !$0.contains(where: \.mayHaveArrived) } ?? false
    }
  }

  /// Accepted, and neither received nor left.
  public var lost: Set<String> { self.accepted.subtracting(self.received).subtracting(self.left) }

  /// - Parameter window: the credit that links had. A settlement on a link that broke is taken for lost only when fewer than
  ///   twice as many receipts followed it there: more could not have come without the bus having read it.
  public func balance(window: Int) -> Balance {
    var balance = Balance(
      accepted: self.accepted.count, received: self.received.intersection(self.accepted).count,
      left: self.left.subtracting(self.received).count, lost: self.lost.sorted(), aliens: self.aliens.sorted(),
      denied: self.denied.sorted(), unknownArrived: self.unknown.intersection(self.received.union(self.left)).count,
      unknownAbsent: self.unknown.subtracting(self.received).subtracting(self.left).count)
    for id in self.received.union(self.left).sorted() {
      balance.duplicates += self.reasons(id, window).map { Duplicate(id: id, reason: $0) }
    }
    return balance
  }

  /// One for each copy beyond the first.
  private func reasons(_ id: String, _ window: Int) -> [Reason?] {
    var earlier = self.receipts[id] ?? []
    let copies = earlier.count + (self.lying[id] ?? 0)
    var spareSends = max(0, (self.sends[id] ?? []).count(where: \.mayHaveArrived) - 1)
    return (1..<max(1, copies)).map { copy in
      let before = earlier.indices.filter { $0 < copy && !earlier[$0].hasExplained }
      if let index = before.first(where: { !earlier[$0].isSettled }) {
        earlier[index].hasExplained = true
        return .notSettled
      }
      if let index = before.first(where: { self.mayBeLost(earlier[$0], window) }) {
        earlier[index].hasExplained = true
        return .settlementLost
      }
      guard spareSends > 0 else { return nil }
      spareSends -= 1
      return .sentAgain
    }
  }

  private func mayBeLost(_ receipt: Receipt, _ window: Int) -> Bool {
    guard let link = self.links[receipt.link], !link.endedInOrder else { return false }
    return link.receipts - 1 - receipt.number < 2 * window
  }

  /// What a ledger comes to.
  public struct Balance: Sendable, Hashable, CustomStringConvertible {
    /// Ids that a bus has taken.
    public var accepted = 0
    /// Of those, received.
    public var received = 0
    /// Ids that lie on a queue and were not received.
    public var left = 0
    public var lost: [String] = []
    /// Received or left, and never sent.
    public var aliens: [String] = []
    /// Received or left although the sender was told no.
    public var denied: [String] = []
    /// Outcomes that nobody learnt: of messages that did arrive, and of messages that did not.
    public var unknownArrived = 0
    public var unknownAbsent = 0
    /// Every copy beyond the first, with its reason.
    public var duplicates: [Duplicate] = []

    /// Copies that nothing explains.
    public var unexplained: [Duplicate] { self.duplicates.filter { $0.reason == nil } }

    /// What must not be, one line each; empty when all is in order.
    public var faults: [String] {
      self.lost.map { "lost: \($0)" } + self.aliens.map { "never sent: \($0)" }
        + self.denied.map { "arrived though its sender was told no: \($0)" }
        + self.unexplained.map { "came again without a reason: \($0.id)" }
    }

    public var description: String {
      "\(self.accepted) accepted, \(self.received) received, \(self.left) left, \(self.lost.count) lost, "
        + "\(self.duplicates.count) duplicates (\(self.unexplained.count) unexplained), "
        + "unknown: \(self.unknownArrived) arrived, \(self.unknownAbsent) did not"
    }
  }
}
