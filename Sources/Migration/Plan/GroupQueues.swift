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
    var seen: Set<QueueAddress> = []
    var texts: Set<String> = []
    var queues: [GroupQueue] = []
    for member in self {
      for address in (after ? member.after : member.before).addresses {
        guard let kind = address.queueKind, texts.insert(address.text).inserted,
          let queue = try? QueueAddress(text: address.text), seen.insert(queue).inserted
        else { continue }
        queues.append(GroupQueue(address: queue, kind: kind))
      }
    }
    for queue in queues where queue.kind == .asynchronous && queue.address.queue.hasSuffix("_async") {
      for kind in [QueueKind.synchronousReply, .deadLetter] {
        let name = queue.address.queue.dropLast("async".count) + kind.rawValue
        let address = QueueAddress(host: queue.address.host, path: queue.address.path, queue: String(name))
        if seen.insert(address).inserted { queues.append(GroupQueue(address: address, kind: kind)) }
      }
    }
    return queues
  }
}
