// SPDX-License-Identifier: Apache-2.0

import BusModel

/// One queue of a group, as it is to be looked at.
public struct GroupQueue: Sendable, Hashable, Codable {
  public var address: QueueAddress
  public var kind: QueueKind

  public init(address: QueueAddress, kind: QueueKind) {
    self.address = address
    self.kind = kind
  }
}

extension Plan.Member {
  /// The queues that the register names for this party, before or after the move.
  public func registerQueues(after: Bool) -> [GroupQueue] {
    (after ? self.after : self.before).addresses.compactMap { address in
      guard let kind = address.queueKind, let queue = try? QueueAddress(text: address.text) else { return nil }
      return GroupQueue(address: queue, kind: kind)
    }
  }
}

extension Array where Element == Plan.Member {
  /// All queues of the group on one side, each once: those the register names, and the two it does not name, whose names
  /// are those of the asynchronous queue with another ending. They need not exist.
  public func queues(after: Bool) -> [GroupQueue] {
    var queues = QueueCollector()
    for member in self { queues.add(after ? member.after : member.before) }
    return queues.withUnnamed()
  }
}

extension Array where Element == Member {
  /// The same of a group's members as they stand.
  func queues(after: Bool) -> [GroupQueue] {
    var queues = QueueCollector()
    for member in self { queues.add(after ? member.plan.after : member.plan.before) }
    return queues.withUnnamed()
  }
}

/// Gathers queues, each once.
private struct QueueCollector {
  private var texts = FewSeen<String>()
  private var addresses = FewSeen<QueueAddress>()
  private var queues: [GroupQueue] = []

  init() { self.queues.reserveCapacity(8) }

  mutating func add(_ record: PartyRecord) {
    for address in record.addresses {
      guard let kind = address.queueKind, self.texts.insert(address.text), let queue = try? QueueAddress(text: address.text)
      else { continue }
      self.add(queue, kind)
    }
  }

  private mutating func add(_ address: QueueAddress, _ kind: QueueKind) {
    if self.addresses.insert(address) { self.queues.append(GroupQueue(address: address, kind: kind)) }
  }

  /// With the two of each asynchronous queue that the register does not name.
  consuming func withUnnamed() -> [GroupQueue] {
    for place in self.queues.indices where self.queues[place].kind == .asynchronous {
      let named = self.queues[place].address
      guard named.queue.hasSuffix("_async") else { continue }
      for kind in [QueueKind.synchronousReply, .deadLetter] {
        let name = named.queue.dropLast("async".count) + kind.rawValue
        self.add(QueueAddress(lowerCaseHost: named.host, path: named.path, queue: String(name)), kind)
      }
    }
    return self.queues
  }
}

/// What was seen so far. Nearly every group has a handful of queues, for which to look through them is quicker than to hash.
private struct FewSeen<Element: Hashable> {
  private var few: [Element] = []
  private var many: Set<Element> = []

  init() { self.few.reserveCapacity(8) }

  /// - Returns: whether it was not seen before.
  mutating func insert(_ element: Element) -> Bool {
    if !self.many.isEmpty { return self.many.insert(element).inserted }
    if self.few.contains(element) { return false }
    self.few.append(element)
    if self.few.count > 16 { self.many = Set(self.few) }
    return true
  }
}
