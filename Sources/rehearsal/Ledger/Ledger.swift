// SPDX-License-Identifier: Apache-2.0

/// Every message by its id: sent, received, received again, left, lost. Pure: records in, numbers out.
///
/// `tools/verify-ledger` computes the same from the logs, in another language, and must come to the same.
struct Ledger: Sendable {
  private struct Sent {
    var outcomes: Set<IdentityRecord.Outcome> = []
    var ends: Set<[Int32]> = []
  }

  private var sent: [String: Sent] = [:]
  private var receipts: [String: Int] = [:]
  private var left: Set<String> = []
  private var ends: [(id: String, from: Int32, to: Int32)] = []

  mutating func sent(_ record: IdentityRecord) {
    if let outcome = record.outcome { self.sent[record.id, default: Sent()].outcomes.insert(outcome) }
    self.sent[record.id, default: Sent()].ends.insert([record.from.value, record.to.value])
  }

  mutating func received(_ record: IdentityRecord) {
    self.receipts[record.id, default: 0] += 1
    self.ends.append((record.id, record.from.value, record.to.value))
  }

  mutating func left(_ record: IdentityRecord) {
    self.left.insert(record.id)
    self.ends.append((record.id, record.from.value, record.to.value))
  }

  /// How many sends were accepted so far.
  var acceptedCount: Int { self.sent.values.count { $0.outcomes.contains(.accepted) } }

  /// Ids that a bus took (or may have taken) and nobody has received yet.
  var outstanding: Set<String> {
    Set(self.sent.filter { $0.value.outcomes.contains(.accepted) }.keys).subtracting(self.receipts.keys)
  }

  func balance(minimumSent: Int) -> Balance {
    let accepted = Set(self.sent.filter { $0.value.outcomes.contains(.accepted) }.keys)
    let unknown = Set(self.sent.filter { $0.value.outcomes.contains(.unknown) }.keys).subtracting(accepted)
    let present = Set(self.receipts.keys).union(self.left)
    let known = Set(self.sent.keys)
    var balance = Balance()
    balance.sent = accepted.count
    balance.unknown = unknown.count
    balance.received = accepted.intersection(self.receipts.keys).count
    balance.duplicate = self.receipts.values.reduce(0) { $0 + $1 - 1 }
    balance.left = self.left.subtracting(self.receipts.keys).count
    balance.lost = accepted.subtracting(present).count
    balance.alien = present.subtracting(known).count
    balance.denied = present.intersection(known).subtracting(accepted).subtracting(unknown).count
    balance.misdirected = self.ends.count { end in
      self.sent[end.id].map { !$0.ends.contains([end.from, end.to]) } ?? false
    }
    balance.lyingCopy = self.left.intersection(self.receipts.keys).count
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
