// SPDX-License-Identifier: Apache-2.0

import TjenestebussTesting

/// Every message by its id, as ``DeliveryLedger`` counts it, and whether it went from and to whom it was sent. Pure: records in,
/// numbers out.
///
/// `tools/verify-ledger` computes the same from the logs, in another language, and must come to the same.
struct Ledger: Sendable {
  private var deliveries = DeliveryLedger()
  private var senders: [String: Set<[Int32]>] = [:]
  private var ends: [(id: String, from: Int32, to: Int32)] = []

  mutating func sent(_ record: IdentityRecord) {
    self.deliveries.sent(record.id, record.outcome ?? .notSent)
    self.senders[record.id, default: []].insert([record.from.value, record.to.value])
  }

  mutating func received(_ record: IdentityRecord) {
    self.deliveries.received(record.id)
    self.ends.append((record.id, record.from.value, record.to.value))
  }

  mutating func left(_ record: IdentityRecord) {
    self.deliveries.left(record.id)
    self.ends.append((record.id, record.from.value, record.to.value))
  }

  /// How many sends were accepted so far.
  var acceptedCount: Int { self.deliveries.accepted.count }

  /// Ids that a bus took and nobody has received yet.
  var outstanding: Set<String> { self.deliveries.outstanding }

  func balance(minimumSent: Int) -> Balance {
    let deliveries = self.deliveries
    var balance = Balance()
    balance.sent = deliveries.accepted.count
    balance.unknown = deliveries.unknown.count
    balance.received = deliveries.accepted.intersection(deliveries.received).count
    balance.duplicate = deliveries.repeatedReceipts
    balance.left = deliveries.left.subtracting(deliveries.received).count
    balance.lost = deliveries.lost.count
    balance.alien = deliveries.aliens.count
    balance.denied = deliveries.denied.count
    balance.misdirected = self.ends.count { end in
      self.senders[end.id].map { !$0.contains([end.from, end.to]) } ?? false
    }
    balance.lyingCopy = deliveries.left.intersection(deliveries.received).count
    balance.minimumSent = minimumSent
    return balance
  }

  /// What it comes to.
  struct Balance: Sendable, Equatable {
    var sent = 0
    var unknown = 0
    var received = 0
    var duplicate = 0
    var left = 0
    var lost = 0
    /// Received or left, and never sent.
    var alien = 0
    /// Received or left although the sender was told no.
    var denied = 0
    /// Sender or addressee are not those it was sent with.
    var misdirected = 0
    /// Received, and still on a queue: the next duplicate.
    var lyingCopy = 0
    var minimumSent = 0

    var isClean: Bool {
      self.sent >= self.minimumSent
        && [self.duplicate, self.left, self.lost, self.alien, self.denied, self.misdirected, self.lyingCopy].allSatisfy {
          $0 == 0
        }
    }
  }
}

extension Ledger.Balance: Encodable {
  private enum CodingKeys: String, CodingKey { case sent, unknown, received, duplicate, left, lost, alien, verdict }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(self.sent, forKey: .sent)
    try container.encode(self.unknown, forKey: .unknown)
    try container.encode(self.received, forKey: .received)
    try container.encode(self.duplicate, forKey: .duplicate)
    try container.encode(self.left, forKey: .left)
    try container.encode(self.lost, forKey: .lost)
    try container.encode(self.alien, forKey: .alien)
    try container.encode(self.isClean ? "ok" : "failed", forKey: .verdict)
  }
}
