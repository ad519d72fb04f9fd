// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A shovel of a bus that was declared for a group, or was about to be, and is not known to be gone. It is known only by reading back: that
/// nobody told it to stand any more proves nothing.
public struct StandingShovel: Sendable, Hashable, Codable {
  /// It ought to be gone, and the bus has not shown that it is.
  public struct Staying: Sendable, Hashable, Codable {
    public var since: Instant
    /// The stable code of what was met last.
    public var code: String
    public var seen: String
  }

  /// The bus whose node it runs on.
  public var node: BusName
  /// As that bus knows it.
  public var name: String
  public var virtualHost: String
  public var from: QueueAddress
  public var to: QueueAddress
  /// When it was about to be declared.
  public internal(set) var since: Instant?
  public internal(set) var staying: Staying?

  public init(node: BusName, name: String, virtualHost: String, from: QueueAddress, to: QueueAddress) {
    self.node = node
    self.name = name
    self.virtualHost = virtualHost
    self.from = from
    self.to = to
  }

  /// The code before anything else is known.
  public static let stayingCode = "SHOVEL-007"

  static let meaning = """
    A shovel of a bus ought to be gone and is not known to be: it may still take messages from the party's queue. It is asked for \
    without end, and nothing is carried beside it.
    """
  static let next = """
    Nothing, if the bus answers again soon. Else see on the bus whether the shovel that is named is there, and have it removed.
    """

  /// In words, for people.
  public var words: String {
    let what = "shovel \(self.name) on bus \(self.node), from \(self.from)"
    guard let staying else { return "\(what) stands" }
    return "\(what), is not known to be gone since \(staying.since): [\(staying.code)] \(staying.seen)"
  }
}

extension GroupState {
  /// Shovels that are not known to be gone, of both directions.
  public internal(set) var shovels: [StandingShovel] {
    get { self.evidence.value.shovels ?? [] }
    set { self.evidence.value.shovels = newValue.isEmpty ? nil : newValue }
  }

  /// One that ought to be gone: told to go, left by a run that died, or of the direction that the group has turned from.
  var lingeringShovel: StandingShovel? {
    let shovels = self.shovels
    if shovels.isEmpty { return nil }
    let left = Set(self.members.queues(after: self.direction == .back).map(\.address))
    return shovels.first { $0.staying != nil || !left.contains($0.from) }
  }

  // MARK: decisions

  /// The intent, before the bus is asked.
  func decideShovelIntended(_ shovel: StandingShovel, _ context: GroupContext) -> Outcome {
    let tried = "declare a shovel for \(shovel.from)"
    guard let forwarding, forwarding.stands, forwarding.order.carrier == .shovel else {
      return self.refuse(.noForwarding, tried, "no order for shovels stands")
    }
    if let refusal = self.forwardingKeptBack(in: context) { return .refused(refusal) }
    guard self.routes.contains(where: { $0.from == shovel.from && $0.to == shovel.to }) else {
      return self.refuse(.unknownParty, tried, "nothing is carried from there to \(shovel.to)")
    }
    if let standing = self.shovels.first(where: { $0.from == shovel.from }) {
      return self.refuse(.shovelStands, tried, standing.words)
    }
    return .events([.shovelIntended(shovel: shovel)])
  }

  func decideShovelStays(_ node: BusName, _ name: String, _ code: String, _ seen: String) -> Outcome {
    let tried = "note that shovel \(name) stays"
    guard let shovel = self.shovels.first(where: { $0.node == node && $0.name == name }) else {
      return self.refuse(.nothingDue, tried, "it is known to be gone")
    }
    if let staying = shovel.staying, staying.code == code, staying.seen == seen {
      return self.refuse(.nothingDue, tried, "it is noted")
    }
    return .events([.shovelStays(node: node, name: name, code: code, seen: seen)])
  }

  func decideShovelGone(_ node: BusName, _ name: String) -> Outcome {
    guard self.shovels.contains(where: { $0.node == node && $0.name == name }) else {
      return self.refuse(.nothingDue, "note that shovel \(name) is gone", "it is noted")
    }
    return .events([.shovelGone(node: node, name: name)])
  }

  /// Why a step that takes the queues for left is not taken while a shovel may still carry.
  func shovelRefusal(_ tried: String) -> Outcome? {
    self.shovels.first.map { self.refuse(.shovelStands, tried, $0.words) }
  }

  // MARK: the fold

  mutating func applyShovel(_ event: GroupEvent, at now: Instant) {
    switch event {
    case .shovelIntended(var shovel):
      shovel.since = now
      shovel.staying = nil
      self.shovels.removeAll { $0.node == shovel.node && $0.name == shovel.name }
      self.shovels.append(shovel)
    case .shovelStays(let node, let name, let code, let seen):
      var shovels = self.shovels
      for place in shovels.indices where shovels[place].node == node && shovels[place].name == name {
        shovels[place].staying = StandingShovel.Staying(since: shovels[place].staying?.since ?? now, code: code, seen: seen)
      }
      self.shovels = shovels
    case .shovelGone(let node, let name): self.shovels.removeAll { $0.node == node && $0.name == name }
    default: break
    }
  }

  /// The daemon was started again: nobody watches what the run before had declared.
  mutating func leaveShovels(at now: Instant) {
    guard !self.shovels.isEmpty else { return }
    self.shovels = self.shovels.map { shovel in
      var shovel = shovel
      let seen = "declared by a run of the daemon that is over, and not looked for yet"
      shovel.staying = shovel.staying ?? StandingShovel.Staying(since: now, code: StandingShovel.stayingCode, seen: seen)
      return shovel
    }
  }
}

extension MigrationState {
  /// A shovel, and the group that it was declared for.
  public struct RecordedShovel: Sendable, Hashable {
    public var pulje: PuljeName
    public var group: GroupID
    public var shovel: StandingShovel

    public init(pulje: PuljeName, group: GroupID, shovel: StandingShovel) {
      self.pulje = pulje
      self.group = group
      self.shovel = shovel
    }
  }

  /// Every shovel that is not known to be gone.
  public var shovels: [RecordedShovel] {
    self.ordered.flatMap { pulje in
      pulje.groups.flatMap { group in
        group.shovels.map { RecordedShovel(pulje: pulje.name, group: group.id, shovel: $0) }
      }
    }
  }
}
