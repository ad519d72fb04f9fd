// SPDX-License-Identifier: Apache-2.0

/// The messages, each by its id, the queues they lie on, who sends and who receives. Queues are numbered: group, kind, bus.
struct Traffic {
  static let kinds = 3
  static let source = 0
  static let target = 1

  enum Fate: UInt8, CaseIterable {
    /// On a queue, or on its way to one.
    case waiting
    case delivered
    /// Dead-lettered: the receiver's system gave up on it, and the owner must act.
    case dead
    /// The bus told the sender that it cannot be brought: the sender knows.
    case refused
    /// Accepted by a bus and gone.
    case lost
  }

  struct Queue {
    var exists = true
    var waiting: [Int32] = []
    var arrivals: Int64 = 0
    var dead: Int64 = 0
  }

  struct Sender {
    /// How long it believes what it read in the register.
    var cacheLife: Int64
    /// One of those that never leave the source bus: its connection string names it.
    var isPinned: Bool
    var contacts: [Int]
    var homes: [Int]
    var readAt: [Int64]
    var gap: Int64
  }

  struct Receiver {
    var isUp = true
    /// By bus. It changes at a restart only.
    var hears = [true, false]
    /// The vendor has configured the connection to the target bus; it is taken up at the next restart.
    var isPrepared = false
    var dropsSourceWhenAccepted = false
  }

  var queues: [Queue]
  var senders: [Sender] = []
  var receivers: [Receiver]
  var isDown = [false, false]
  private(set) var fates: [Fate] = []
  private(set) var messages: [(sender: Int32, queue: Int32, group: Int32, number: Int32, inDoubt: Bool)] = []
  private var numbers: [Int32]
  private var lastDelivered: [Int32]
  private(set) var duplicates = 0
  private(set) var explainedDuplicates = 0
  private(set) var aliens = 0
  private(set) var inversions = 0

  init(groups: Int, senders: Int) {
    self.queues = Array(repeating: Queue(), count: groups * Self.kinds * 2)
    self.receivers = Array(repeating: Receiver(), count: groups)
    self.numbers = Array(repeating: 0, count: senders * groups * Self.kinds * 2)
    self.lastDelivered = self.numbers
  }

  static func queue(_ group: Int, _ kind: Int, _ bus: Int) -> Int { (group * Self.kinds + kind) * 2 + bus }

  mutating func newMessage(sender: Int, group: Int, kind: Int, bus: Int) -> Int {
    let queue = Self.queue(group, kind, bus)
    let slot = sender * self.queues.count + queue
    self.numbers[slot] += 1
    self.messages.append((Int32(sender), Int32(queue), Int32(group), self.numbers[slot], false))
    self.fates.append(.waiting)
    return self.messages.count - 1
  }

  mutating func setFate(_ fate: Fate, of message: Int) { self.fates[message] = fate }
  mutating func markInDoubt(_ message: Int) { self.messages[message].inDoubt = true }

  /// The receiver of `group` takes `message` from where it lay.
  mutating func deliver(_ message: Int, to group: Int) {
    let about = self.messages[message]
    if Int(about.group) != group { self.aliens += 1 }
    if self.fates[message] == .delivered {
      if about.inDoubt { self.explainedDuplicates += 1 } else { self.duplicates += 1 }
      return
    }
    self.fates[message] = .delivered
    let slot = Int(about.sender) * self.queues.count + Int(about.queue)
    // A message sent twice after a doubtful outcome comes behind those sent since; that is the sender's doing.
    if about.number < self.lastDelivered[slot], !about.inDoubt { self.inversions += 1 }
    self.lastDelivered[slot] = max(self.lastDelivered[slot], about.number)
  }

  func waiting(group: Int, bus: Int) -> Int {
    (0..<Self.kinds).reduce(0) { $0 + self.queues[Self.queue(group, $1, bus)].waiting.count }
  }
}

/// What became of every message, by id.
public struct MessageLedger: Sendable, Hashable, Codable {
  public var sent = 0
  public var delivered = 0
  /// On a queue when the history ended.
  public var waiting = 0
  public var dead = 0
  public var refused = 0
  public var lost = 0
  public var duplicates = 0
  /// Sent again by a sender whose first outcome was unknown.
  public var explainedDuplicates = 0
  public var inDoubt = 0
  /// Delivered without ever having been sent.
  public var ghosts = 0
  /// Delivered to somebody else.
  public var aliens = 0

  public init() {}

  init(_ traffic: Traffic) {
    self.sent = traffic.messages.count
    for fate in traffic.fates {
      switch fate {
      case .waiting: self.waiting += 1
      case .delivered: self.delivered += 1
      case .dead: self.dead += 1
      case .refused: self.refused += 1
      case .lost: self.lost += 1
      }
    }
    // What counts as waiting lies on a queue, by its id; what does not is lost whatever was noted of it.
    var lying = Set<Int32>()
    for queue in traffic.queues where queue.exists { lying.formUnion(queue.waiting) }
    for (message, fate) in traffic.fates.enumerated() where fate == .waiting && !lying.contains(Int32(message)) {
      self.waiting -= 1
      if traffic.messages[message].inDoubt { self.inDoubt += 1 } else { self.lost += 1 }
    }
    self.duplicates = traffic.duplicates
    self.explainedDuplicates = traffic.explainedDuplicates
    self.aliens = traffic.aliens
    self.ghosts = max(0, self.delivered + self.waiting + self.dead + self.refused + self.lost + self.inDoubt - self.sent)
  }

  public mutating func add(_ other: MessageLedger) {
    self.sent += other.sent
    self.delivered += other.delivered
    self.waiting += other.waiting
    self.dead += other.dead
    self.refused += other.refused
    self.lost += other.lost
    self.duplicates += other.duplicates
    self.explainedDuplicates += other.explainedDuplicates
    self.inDoubt += other.inDoubt
    self.ghosts += other.ghosts
    self.aliens += other.aliens
  }
}
