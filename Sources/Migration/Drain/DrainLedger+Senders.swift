// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Who still sends to the bus being left, as far as metadata tells.
extension DrainLedger {
  /// Senders that are kept.
  static let sendersKept = 64

  /// Follows each sender. It is never blamed on one message, nor for what the register says: when something came later than anything
  /// lawful the entries are read again, and only what comes after that tells.
  mutating func follow(_ seen: Sighted, entriesReadAt: Instant?, policy: Policy) {
    guard let watermark else { return }
    for sighting in seen.sightings {
      guard sighting.state == .active || sighting.state == .locked, let herID = sighting.fromHerID,
        let came = sighting.enqueuedAt, came > (watermark + Policy.clockSkew).milliseconds
      else { continue }
      let place = self.place(of: herID, came: came)
      self.senders[place].firstAt = min(self.senders[place].firstAt, came)
      self.senders[place].lastAt = max(self.senders[place].lastAt, came)
      let lawfulEnd = (watermark + policy.lawfulLateness + Policy.clockSkew).milliseconds
      guard came > lawfulEnd else {
        self.longestCacheSeen = max(
          self.longestCacheSeen ?? .milliseconds(0), .milliseconds(came - watermark.milliseconds))
        continue
      }
      guard let suspectedAt = self.senders[place].suspectedAt else {
        self.senders[place].suspectedAt = seen.at.milliseconds
        continue
      }
      if let entriesReadAt, suspectedAt <= entriesReadAt.milliseconds, came > entriesReadAt.milliseconds {
        self.senders[place].convictedAt = self.senders[place].convictedAt ?? seen.at.milliseconds
      }
    }
  }

  private mutating func place(of herID: HerID, came: Int64) -> Int {
    if let place = self.senders.firstIndex(where: { $0.herID == herID }) { return place }
    if self.senders.count >= Self.sendersKept {
      let oldest = self.senders.indices.min { self.senders[$0].lastAt < self.senders[$1].lastAt } ?? 0
      self.senders.remove(at: oldest)
    }
    self.senders.append(SenderSeen(herID: herID, firstAt: came, lastAt: came))
    return self.senders.count - 1
  }

  /// Whether a sender came under suspicion at this very moment.
  func suspectsSender(at now: Instant) -> Bool {
    self.senders.contains { $0.suspectedAt == now.milliseconds && !$0.isConvicted }
  }
}
