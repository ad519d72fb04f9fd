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
    return queues.withUnnamed
  }
}

extension Array where Element == Member {
  /// The same of a group's members as they stand.
  func queues(after: Bool) -> [GroupQueue] {
    var queues = QueueCollector()
    for member in self { queues.add(after ? member.plan.after : member.plan.before) }
    return queues.withUnnamed
  }
}

/// Gathers queues, each once.
private struct QueueCollector {
  private var texts = FewSeen<String>()
  private var addresses = FewSeen<QueueAddress>()
  private var queues: [GroupQueue] = []

  mutating func add(_ record: PartyRecord) {
    for address in record.addresses {
      guard let kind = address.queueKind, self.texts.insert(address.text), let queue = try? QueueAddress(text: address.text),
        self.addresses.insert(queue)
      else { continue }
      self.queues.append(GroupQueue(address: queue, kind: kind))
    }
  }

  /// With the two of each asynchronous queue that the register does not name.
  var withUnnamed: [GroupQueue] {
    var addresses = self.addresses
    var queues = self.queues
    for queue in self.queues where queue.kind == .asynchronous && queue.address.queue.hasSuffix("_async") {
      for kind in [QueueKind.synchronousReply, .deadLetter] {
        let name = queue.address.queue.dropLast("async".count) + kind.rawValue
        let address = QueueAddress(lowerCaseHost: queue.address.host, path: queue.address.path, queue: String(name))
        if addresses.insert(address) { queues.append(GroupQueue(address: address, kind: kind)) }
      }
    }
    return queues
  }
}

/// What was seen so far. Nearly every group has a handful of queues, for which to look through them is quicker than to hash.
private struct FewSeen<Element: Hashable> {
  private static var most: Int { 16 }
  private var few: [Element] = []
  private var many: Set<Element> = []

  /// - Returns: whether it was not seen before.
  mutating func insert(_ element: Element) -> Bool {
    if !self.many.isEmpty { return self.many.insert(element).inserted }
    if self.few.contains(element) { return false }
    self.few.append(element)
    if self.few.count > Self.most { self.many = Set(self.few) }
    return true
  }
}
