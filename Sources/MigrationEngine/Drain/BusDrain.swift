// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Disclosure
import Migration

/// A whole bus: every queue with anything in it or anyone on it, whose it is, and what stands between now and switching the bus off. Reads
/// only. The schema is stable.
public struct BusDrain: Codable, Sendable {
  /// Whose a queue is.
  public struct Owner: Codable, Sendable, Hashable {
    public enum By: String, Codable, Sendable, Comparable {
      /// The register's copy names the queue for it.
      case register
      /// A plan has it as the party's, before or after its move.
      case plan
      /// By the number that the queue's name begins with; nothing else says so.
      case name

      public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }
      private var rank: Int { self == .register ? 0 : self == .plan ? 1 : 2 }
    }

    public var herID: HerID
    public var name: String?
    public var vendor: String?
    public var by: By
    /// Where its group stands, in a pulje that has it.
    public var pulje: PuljeName?
    public var phase: GroupPhase?
  }

  public struct Queue: Codable, Sendable {
    public var name: String
    /// nil: not known, and ``seen`` says why.
    public var messages: Int64?
    public var consumers: Int64?
    public var figures: QueueFigures?
    public var seen: String?
    public var owners: [Owner]
    /// What stands between this queue and switching the bus off, and what to do; nil when nothing does.
    public var obstacle: String?

    /// Dead letters in a sub-queue of its own.
    public var deadLettered: Int64 { (self.figures?.deadLettered ?? 0) + (self.figures?.transferDeadLettered ?? 0) }
    /// Mail that nobody fetches.
    public var isStranded: Bool { (self.messages ?? 0) > 0 && self.consumers == 0 }
  }

  public var schema = "bus-migrator/drain-bus/1"
  public var bus: BusName
  public var dialect: Dialect
  public var lookedAt: Instant
  /// Queues there are; nil when they could not be listed.
  public var queuesInAll: Int?
  /// When the counting began; nil when nothing could be counted. By then a count may have been old by ``lateBy``.
  public var countedAt: Instant?
  /// Milliseconds by which the bus's own counters may lag behind.
  public var lateBy: Int64?
  /// Whether the bus says who listens.
  public var tellsConsumers: Bool
  /// Those with anything in them or anyone on them, and those of which that is not known: worst first.
  public var queues: [Queue]
  /// Parties of puljer that still need the bus, with where they stand.
  public var underWay: [Owner]
  public var closing: BusClosing
  /// What stands between now and switching it off; empty when nothing does.
  public var obstacles: [String]

  /// - Parameters:
  ///   - census: taken now.
  ///   - known: where the bus cannot list its queues: those that registry and plans name, counted one by one.
  public init(
    _ bus: Bus, census: CensusReading, known: [DepthReading] = [], closing: BusClosing, owners: QueueOwners,
    state: MigrationState, now: Instant
  ) {
    self.bus = bus.name
    self.dialect = bus.dialect
    self.lookedAt = closing.lookedAt
    self.queuesInAll = census.queues?.count
    self.tellsConsumers = census.tellsConsumers
    let counted = census.queues ?? known
    let occupied = census.occupied ?? CensusReading.occupied(known)
    self.countedAt = (census.queues == nil ? counted.map(\.readAt).min() : census.readAt).map {
      Instant(milliseconds: $0.millisecondsSinceEpoch)
    }
    self.lateBy = counted.map(\.lag).max().map { Int64($0 / .milliseconds(1)) }
    self.queues = occupied.map { Self.queue($0, owners) }.sorted { Self.weight($0) < Self.weight($1) }
    self.underWay = Self.underWay(bus.name, state)
    self.closing = closing
    self.obstacles = closing.obstacles(now: now)
    self.obstacles += state.shovelWords(on: bus.name)
    self.obstacles += Self.obstacles(bus.name, census: census, queues: self.queues, underWay: self.underWay, state)
  }

  private static func queue(_ reading: DepthReading, _ owners: QueueOwners) -> Queue {
    var queue = Queue(name: reading.queue, owners: owners.owners(of: reading.queue))
    switch reading.value {
    case .counted(let count):
      queue.messages = max(Int64(count.messages), count.figures?.lying ?? 0)
      queue.consumers = count.consumers.map(Int64.init)
      queue.figures = count.figures
      if count.isLowerBound { queue.seen = "at least so many" }
    case .missing: queue.seen = "gone while it was looked at"
    case .unreadable(let error): queue.seen = "[\(error.stableCode)] \(error.explanation.seen)"
    }
    queue.obstacle = Self.obstacle(queue)
    return queue
  }

  /// In one line: what is on it, whose it is, and what ends it.
  private static func obstacle(_ queue: Queue) -> String? {
    let whose = Self.whose(queue)
    var what: [String] = []
    if let messages = queue.messages, messages > 0 { what.append("\(messages) messages") }
    if queue.deadLettered > 0 { what.append("\(queue.deadLettered) dead letters") }
    if let consumers = queue.consumers, consumers > 0 { what.append("\(consumers) listen") }
    if queue.messages == nil { what.append("not known: \(queue.seen ?? "it could not be counted")") }
    guard !what.isEmpty else { return nil }
    return "queue \(queue.name): \(what.joined(separator: ", ")). Whose: \(whose). \(Self.ends(queue))"
  }

  private static func whose(_ queue: Queue) -> String {
    guard let owner = queue.owners.first else { return "nobody known here; ask those who run the bus" }
    var words = "HER-ID \(owner.herID)\(owner.name.map { " \($0)" } ?? "")"
    if let vendor = owner.vendor { words += ", vendor \(vendor)" }
    if let pulje = owner.pulje, let phase = owner.phase { words += ", \(phase.rawValue) in pulje \(pulje)" }
    if owner.by == .name { words += " (by the queue's name only)" }
    if queue.owners.count > 1 { words += " and \(queue.owners.count - 1) more" }
    return words
  }

  private static func ends(_ queue: Queue) -> String {
    let owner = queue.owners.first
    if queue.messages == nil { return "Have it made readable." }
    guard let owner else { return "Find out who uses it, and have it emptied and left." }
    let moves = owner.pulje != nil
    if queue.isStranded || queue.consumers == nil && (queue.messages ?? 0) > 0 {
      return moves
        ? "Carry it over (drain forward --her-id \(owner.herID)), or have the party fetch it."
        : "The party is in no pulje: move it, or have it fetch what lies there."
    }
    if (queue.messages ?? 0) > 0 { return "Its system fetches there: wait until it is empty, then have it stop listening." }
    if (queue.consumers ?? 0) > 0 {
      return moves
        ? "Its system still listens there: have its vendor stop that."
        : "The party is in no pulje and still on this bus: move it."
    }
    return "Have the party deal with its dead letters."
  }

  /// Unknown first, then mail that nobody fetches, then the rest by how much lies there.
  private static func weight(_ queue: Queue) -> (Int, Int64, String) {
    let rank = queue.messages == nil ? 0 : queue.isStranded ? 1 : (queue.messages ?? 0) + queue.deadLettered > 0 ? 2 : 3
    return (rank, -((queue.messages ?? 0) + queue.deadLettered), queue.name)
  }

  private static func underWay(_ bus: BusName, _ state: MigrationState) -> [Owner] {
    state.ordered.filter { $0.plan.source == bus || $0.plan.target == bus }.flatMap { pulje in
      pulje.groups.filter { Self.needs(bus, $0.phase, pulje.plan) }.flatMap { group in
        group.members.map { member in
          Owner(
            herID: member.herID, name: member.plan.before.name, vendor: member.plan.vendor, by: .plan, pulje: pulje.name,
            phase: group.phase)
        }
      }
    }
  }

  /// A group that is under way needs both buses; one whose move is accepted needs the source, until its way back is ended.
  private static func needs(_ bus: BusName, _ phase: GroupPhase, _ plan: Plan) -> Bool {
    switch phase {
    case .removed, .withdrawn, .restored: false
    case .accepted, .retired: plan.source == bus
    default: true
    }
  }

  private static func obstacles(
    _ bus: BusName, census: CensusReading, queues: [Queue], underWay: [Owner], _ state: MigrationState
  ) -> [String] {
    var found: [String] = []
    switch census.value {
    case .listed: break
    case .notPossible(let error), .unreadable(let error):
      found.append("its queues cannot be listed: [\(error.stableCode)] \(error.explanation.seen)")
    }
    let unknown = queues.count { $0.messages == nil }
    if unknown > 0 { found.append("queues of which it is not known whether anything lies there: \(unknown)") }
    let listened = queues.filter { ($0.consumers ?? 0) > 0 }
    if !listened.isEmpty { found.append("queues that somebody listens on: \(Self.names(listened.map(\.name)))") }
    if case .listed = census.value, !census.tellsConsumers {
      found.append("this bus does not tell who listens: ask those who run it")
    }
    found += queues.compactMap(\.obstacle)
    let retired = underWay.filter { $0.phase == .retired }
    if !retired.isEmpty {
      found.append(
        "retired, and the removal of their queues is not approved: \(Self.names(retired.map { "HER-ID \($0.herID)" }))")
    }
    let open = underWay.filter { $0.phase != .retired }
    for pulje in Set(open.compactMap(\.pulje)).sorted() {
      let parties = open.filter { $0.pulje == pulje }
      found.append("pulje \(pulje) is under way: \(Self.names(parties.map { "HER-ID \($0.herID) \($0.phase?.rawValue ?? "")" }))")
    }
    return found
  }

  private static func names(_ names: [String]) -> String {
    let shown = names.prefix(5).joined(separator: ", ")
    return names.count > 5 ? "\(names.count) (\(shown), ...)" : "\(names.count) (\(shown))"
  }
}

/// Whose a queue of one bus is, by everything that is known here.
public struct QueueOwners: Sendable {
  private var byQueue: [String: [BusDrain.Owner]] = [:]
  private var names: [HerID: String] = [:]
  private var vendors: [HerID: String] = [:]

  /// - Parameters:
  ///   - records: the register's copy.
  ///   - state: the plans of all puljer.
  public init(of bus: Bus, records: [PartyRecord], state: MigrationState) {
    for record in records { self.names[record.herID] = record.name }
    for pulje in state.ordered {
      for group in pulje.groups {
        for member in group.members {
          self.vendors[member.herID] = member.plan.vendor
          for isAfter in [false, true] {
            for queue in [member.plan].queues(after: isAfter) where bus.holds(queue.address) {
              let owner = BusDrain.Owner(
                herID: member.herID, name: member.plan.before.name, vendor: member.plan.vendor, by: .plan, pulje: pulje.name,
                phase: group.phase)
              self.add(owner, queue.address.queue)
            }
          }
        }
      }
    }
    for record in records {
      for address in record.addresses where address.queueKind != nil {
        guard let queue = try? QueueAddress(text: address.text), bus.holds(queue) else { continue }
        let owner = BusDrain.Owner(
          herID: record.herID, name: record.name, vendor: self.vendors[record.herID], by: .register)
        self.add(owner, queue.queue)
      }
    }
  }

  private mutating func add(_ owner: BusDrain.Owner, _ queue: String) {
    // One entry a party: what the register says stands first, where it stands in a pulje goes with it.
    if let place = self.byQueue[queue]?.firstIndex(where: { $0.herID == owner.herID }) {
      var known = self.byQueue[queue]?[place] ?? owner
      known.by = min(known.by, owner.by)
      known.pulje = owner.pulje ?? known.pulje
      known.phase = owner.phase ?? known.phase
      known.vendor = known.vendor ?? owner.vendor
      self.byQueue[queue]?[place] = known
    } else {
      self.byQueue[queue, default: []].append(owner)
    }
  }

  /// Queues that registry or plans name.
  public var queues: [String] { self.byQueue.keys.sorted() }

  /// A queue that nobody names may be one of the two that the register never names, or go by its number.
  func owners(of queue: String) -> [BusDrain.Owner] {
    if let known = self.byQueue[queue] { return known }
    guard let underscore = queue.lastIndex(of: "_") else { return [] }
    let stem = queue[..<underscore]
    if let sister = self.byQueue["\(stem)_async"] { return sister }
    guard let herID = try? HerID(text: String(stem)) else { return [] }
    return [BusDrain.Owner(herID: herID, name: self.names[herID], vendor: self.vendors[herID], by: .name)]
  }
}
