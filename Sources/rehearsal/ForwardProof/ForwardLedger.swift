// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Every message of one chunk: what the source bus would hand out, what lies on the target in the end, and what the forwarder said might be
/// there twice. Pure; ids and hashes, never contents.
struct ForwardLedger: Sendable {
  /// A message as a link brought it.
  struct Sighting: Sendable {
    var id: String
    var sender: Int
    /// Of its sender's messages, from 0.
    var number: Int
    /// Of the bare message, byte for byte.
    var hash: SHA256.Digest
    /// Whether the bus says that it was handed out before.
    var isAgain = false
  }

  struct Balance: Sendable, Codable, Equatable {
    var messages = 0
    var arrived = 0
    /// On the source bus, and not on the target.
    var left = 0
    var lost: [String] = []
    /// Copies beyond the first.
    var duplicates = 0
    /// Of those, of messages that the journal does not name.
    var unlisted: [String] = []
    /// Messages that the journal names, twice there or not.
    var listed = 0
    /// Other bytes than the source link brought.
    var altered: [String] = []
    /// First deliveries that came before one that its sender sent earlier.
    var overtaken: [String] = []
    /// On the target, and never sent.
    var aliens: [String] = []

    var isSound: Bool {
      self.lost.isEmpty && self.unlisted.isEmpty && self.altered.isEmpty && self.overtaken.isEmpty && self.aliens.isEmpty
        && self.left == 0 && self.messages > 0 && self.arrived == self.messages
    }

    mutating func add(_ other: Balance) {
      self.messages += other.messages
      self.arrived += other.arrived
      self.left += other.left
      self.lost += other.lost
      self.duplicates += other.duplicates
      self.unlisted += other.unlisted
      self.listed += other.listed
      self.altered += other.altered
      self.overtaken += other.overtaken
      self.aliens += other.aliens
    }

    var words: String {
      """
      \(self.messages) messages, \(self.arrived) arrived, \(self.left) left, lost \(self.lost.count), twice \(self.duplicates) \
      (named by the journal \(self.listed), not named \(self.unlisted.count)), other bytes \(self.altered.count), overtaken \
      \(self.overtaken.count), aliens \(self.aliens.count)
      """
    }
  }

  private var sent: [String: Sighting] = [:]
  private var target: [Sighting] = []
  private var left: Set<String> = []
  private var listed: Set<String> = []

  /// A message as a witness queue of the source bus gave it: the same message, routed there too.
  mutating func witnessed(_ sighting: Sighting) { self.sent[sighting.id] = sighting }

  /// The next message of the target queue, in its order.
  mutating func arrived(_ sighting: Sighting) { self.target.append(sighting) }

  /// Still on the source queue.
  mutating func left(_ id: String) { self.left.insert(id) }

  /// The forwarder says that it may be on the target twice.
  mutating func listed(_ id: String) { self.listed.insert(id) }

  /// What lay on the target, in its order, for whoever looks for the reason of what is not sound.
  var course: String {
    var words = "sender number\n"
    for message in self.target {
      words +=
        "\(message.sender) \(message.number)\(message.isAgain ? " again" : "")\(self.listed.contains(message.id) ? " listed" : "")\n"
    }
    return words
  }

  func balance() -> Balance {
    var balance = Balance(messages: self.sent.count, listed: self.listed.count)
    var seen: Set<String> = []
    var last: [Int: Int] = [:]
    for message in self.target {
      guard let original = self.sent[message.id] else {
        balance.aliens.append(message.id)
        continue
      }
      if message.hash != original.hash { balance.altered.append(message.id) }
      guard seen.insert(message.id).inserted else {
        balance.duplicates += 1
        if !self.listed.contains(message.id) { balance.unlisted.append(message.id) }
        continue
      }
      if let before = last[message.sender], message.number < before { balance.overtaken.append(message.id) }
      last[message.sender] = max(last[message.sender] ?? message.number, message.number)
    }
    balance.arrived = seen.count
    balance.left = self.left.subtracting(seen).count
    balance.lost = self.sent.keys.filter { !seen.contains($0) && !self.left.contains($0) }.sorted()
    return balance
  }
}
