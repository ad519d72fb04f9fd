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
    /// Its time to live ran out while it lay on a queue. The sender said how long it is worth anything.
    case expired
    /// Accepted by a bus and gone.
    case lost
  }

  /// Whose queues, on which bus.
  struct Destination: Sendable, Hashable {
    var group: Int
    var bus: Int
  }

  /// Who takes from a queue. A party's queue is received from by its own system, by a bridge that somebody else runs, or by our forwarder
  /// where people have ordered it; by nothing else of ours.
  enum Taker {
    case receiver(Int)
    case bridge, forwarder
    case us
  }

  struct Message {
    var sender: Int32
    /// The queue it was sent to.
    var queue: Int32
    /// The group it is meant for.
    var group: Int32
    var number: Int32
    var expires: Int64
    /// When it came to its queue.
    var came: Int64 = 0
    var inDoubt = false
    /// A bridge has carried it, and may have carried it twice.
    var isCarried = false
    var isCarriedTwice = false
    /// A forwarder has left it where it lay, and later ones of its sender may have gone before it.
    var isAside = false
  }

  struct Queue {
    var exists = true
    var waiting: [Int32] = []
    /// Handed to the party's receiver, which has not settled it.
    var held: [Int32] = []
    var arrivals: Int64 = 0
    var dead: Int64 = 0
  }

  struct Sender {
    /// How many parties each writes to.
    static let contacts = 2

    /// How long it believes what it read in the register.
    var cacheLife: Int64
    /// One of those that never leave the source bus: its connection string names it.
    var isPinned: Bool
    var contacts: [Int]
    var homes: [Destination]
    var readAt: [Int64]
    var gap: Int64
    /// How long an asynchronous message of its is worth anything; most set nothing.
    var life: Int64

    var nature: (isPinned: Bool, life: Int64, gap: Int64) { (self.isPinned, self.life, self.gap) }
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
  private(set) var messages: [Message] = []
  private var numbers: [Int32]
  private var lastDelivered: [Int32]
  private(set) var duplicates = 0
  private(set) var explainedDuplicates = 0
  private(set) var aliens = 0
  /// Handed to a party's system as a message though nobody sent it.
  private(set) var ghosts = 0
  private(set) var inversions = 0
  private(set) var expired = 0
  private(set) var takenByUs = 0

  init(groups: Int, senders: Int) {
    self.queues = Array(repeating: Queue(), count: groups * Self.kinds * 2)
    self.receivers = Array(repeating: Receiver(), count: groups)
    self.numbers = Array(repeating: 0, count: senders * groups * Self.kinds * 2)
    self.lastDelivered = self.numbers
    self.messages.reserveCapacity(20 * senders)
    self.fates.reserveCapacity(20 * senders)
  }

  static func queue(_ group: Int, _ kind: Int, _ bus: Int) -> Int { (group * Self.kinds + kind) * 2 + bus }

  /// - Parameters:
  ///   - group: whom it is meant for.
  ///   - destination: where the sender brings it.
  mutating func newMessage(sender: Int, group: Int, kind: Int, to destination: Destination, expires: Int64) -> Int {
    let queue = Self.queue(destination.group, kind, destination.bus)
    let slot = sender * self.queues.count + queue
    self.numbers[slot] += 1
    self.messages.append(
      Message(sender: Int32(sender), queue: Int32(queue), group: Int32(group), number: self.numbers[slot], expires: expires))
    self.fates.append(.waiting)
    return self.messages.count - 1
  }

  mutating func setFate(_ fate: Fate, of message: Int) { self.fates[message] = fate }
  mutating func came(_ message: Int, at now: Int64) { self.messages[message].came = now }
  mutating func setAside(_ message: Int32) { self.messages[Int(message)].isAside = true }

  /// The receiver keeps what it has taken, and settles it later, in its order.
  mutating func hold(_ messages: [Int32], of queue: Int) { self.queues[queue].held += messages }

  mutating func settleHeld(of queue: Int) -> [Int32] {
    let held = self.queues[queue].held
    self.queues[queue].held = []
    return held
  }

  /// The receiver is gone: the bus gives back what it held.
  mutating func returnHeld(of queue: Int) { self.giveBack(self.settleHeld(of: queue), to: queue) }

  mutating func markInDoubt(_ message: Int) { self.messages[message].inDoubt = true }

  /// Everything that lies on a queue: the only way anything is received.
  mutating func take(from queue: Int, by taker: Taker) -> [Int32] {
    if case .us = taker { self.takenByUs += self.queues[queue].waiting.count }
    let waiting = self.queues[queue].waiting
    self.queues[queue].waiting = []
    return waiting
  }

  /// What a bridge has carried to another queue lies there behind what did before.
  mutating func carry(_ message: Int32, to queue: Int) {
    self.messages[Int(message)].isCarried = true
    self.queues[queue].waiting.append(message)
    self.queues[queue].arrivals += 1
  }

  /// What was not carried lies where it lay.
  mutating func giveBack(_ messages: [Int32], to queue: Int) { self.queues[queue].waiting.insert(contentsOf: messages, at: 0) }

  /// A bridge died between the target's answer and the source's: these lie at the source as before.
  mutating func putBack(_ messages: [Int32], to queue: Int) {
    if let first = messages.first { self.messages[Int(first)].isCarriedTwice = true }
    self.queues[queue].waiting.insert(contentsOf: messages, at: 0)
  }

  /// Takes away what is not worth anything any more; what was asynchronous is dead-lettered.
  mutating func expire(_ queue: Int, at now: Int64) {
    guard self.queues[queue].waiting.contains(where: { self.messages[Int($0)].expires <= now }) else { return }
    for message in self.queues[queue].waiting where self.messages[Int(message)].expires <= now {
      self.expired += 1
      if self.fates[Int(message)] == .waiting { self.fates[Int(message)] = .expired }
      if Self.kind(queue) == 0 { self.queues[queue].dead += 1 }
    }
    self.queues[queue].waiting.removeAll { self.messages[Int($0)].expires <= now }
  }

  /// A ping comes to a party's system, which swallows it by its reserved function; without that it is taken for a message.
  mutating func deliverPing(isReserved: Bool) { if !isReserved { self.ghosts += 1 } }

  /// The receiver of `group` takes `message` from where it lay.
  ///
  /// - Parameter hearsBoth: it receives from both buses at once, so that what a bridge carries has two ways to it.
  mutating func deliver(_ message: Int, to group: Int, hearsBoth: Bool) {
    guard self.messages.indices.contains(message) else {
      self.ghosts += 1
      return
    }
    let about = self.messages[message]
    if Int(about.group) != group { self.aliens += 1 }
    if self.fates[message] == .delivered {
      if about.inDoubt || about.isCarriedTwice { self.explainedDuplicates += 1 } else { self.duplicates += 1 }
      return
    }
    self.fates[message] = .delivered
    let slot = Int(about.sender) * self.queues.count + Int(about.queue)
    // A message sent twice after a doubtful outcome comes behind those sent since; that is the sender's doing.
    let isFree = about.inDoubt || about.isCarriedTwice || about.isAside || about.isCarried && hearsBoth
    if about.number < self.lastDelivered[slot], !isFree { self.inversions += 1 }
    self.lastDelivered[slot] = max(self.lastDelivered[slot], about.number)
  }

  static func kind(_ queue: Int) -> Int { queue / 2 % Self.kinds }

  func waiting(group: Int, bus: Int) -> Int {
    (0..<Self.kinds).reduce(0) { sum, kind in
      let queue = self.queues[Self.queue(group, kind, bus)]
      return sum + queue.waiting.count + queue.held.count
    }
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
  /// Not fetched within the time to live that their sender gave them.
  public var expired = 0
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
      case .expired: self.expired += 1
      case .lost: self.lost += 1
      }
    }
    // What counts as waiting lies on a queue, by its id; what does not is lost whatever was noted of it.
    var lying = Set<Int32>()
    for queue in traffic.queues where queue.exists { lying.formUnion(queue.waiting + queue.held) }
    for (message, fate) in traffic.fates.enumerated() where fate == .waiting && !lying.contains(Int32(message)) {
      self.waiting -= 1
      if traffic.messages[message].inDoubt { self.inDoubt += 1 } else { self.lost += 1 }
    }
    self.duplicates = traffic.duplicates
    self.explainedDuplicates = traffic.explainedDuplicates
    self.aliens = traffic.aliens
    self.ghosts = traffic.ghosts
  }

  public mutating func add(_ other: MessageLedger) {
    self.sent += other.sent
    self.delivered += other.delivered
    self.waiting += other.waiting
    self.dead += other.dead
    self.refused += other.refused
    self.expired += other.expired
    self.lost += other.lost
    self.duplicates += other.duplicates
    self.explainedDuplicates += other.explainedDuplicates
    self.inDoubt += other.inDoubt
    self.ghosts += other.ghosts
    self.aliens += other.aliens
  }
}
