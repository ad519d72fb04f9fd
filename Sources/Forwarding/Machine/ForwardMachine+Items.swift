// SPDX-License-Identifier: Apache-2.0

extension ForwardMachine {
  func index(of number: UInt64) -> Int? {
    guard number >= self.base, number - self.base < UInt64(self.items.count) else { return nil }
    return Int(number - self.base)
  }

  mutating func trim() {
    while !self.items.isEmpty, case .gone = self.items[0].state {
      self.items.removeFirst()
      self.base += 1
    }
    if self.cursor < self.base { self.cursor = self.base }
    if self.items.isEmpty { self.lastAccepted.removeAll(keepingCapacity: true) }
  }

  /// It is of no more concern to the machine; the shell may forget it.
  mutating func remove(_ index: Int) {
    if self.items[index].isSuspect {
      self.items[index].isSuspect = false
      self.suspects -= 1
    }
    self.items[index].state = .gone
    self.forgotten.append(self.items[index].number)
  }

  /// Holds it on the source, and notes why where that is new.
  mutating func setAside(_ index: Int, _ reason: SetAside.Reason, _ seen: String, isNew: Bool = true) {
    let item = self.items[index]
    if isNew {
      self.counts.setAside[reason, default: 0] += 1
      self.notes.append(
        .setAside(
          queue: self.settings.queue, item.fingerprint, id: item.messageID, reason, at: self.milliseconds, seen: seen))
    }
    guard item.isOnSource else { return self.remove(index) }
    if item.isSuspect {
      self.items[index].isSuspect = false
      self.suspects -= 1
    }
    self.items[index].state = .aside
    self.counts.held += 1
    if self.counts.held > self.settings.heldLimit {
      self.stop(
        ForwardingError(
          .tooManySetAside, tried: self.settings.tried,
          seen: "\(self.counts.held) messages are set aside, and no more than \(self.settings.heldLimit) are held at a time"))
    }
  }
}
