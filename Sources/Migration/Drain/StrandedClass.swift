// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a message is that is found on a bus after the move, told by its metadata alone.
public enum StrandedClass: String, Sendable, Hashable, Codable, CaseIterable {
  /// It came before the register entries were moved.
  case inFlight = "in-flight"
  /// Its sender still goes by a copy of the old address that it may lawfully have.
  case staleAddress = "stale-address"
  /// Its sender goes by the old address later than any copy lives, though the register has said otherwise for long.
  case neverLeaves = "never-leaves"
  /// The answer to a synchronous request.
  case lateReply = "late-reply"
  case errorReport = "error-report"
  /// Given up by the bus or by a receiver, or about to be.
  case deadLetter = "dead-letter"
  /// Locked by a receiver, put off by one, or meant for later by its sender.
  case heldBack = "held-back"
  /// It names no sender, or has no id.
  case alien
  /// A ping of ours, or the answer to one: no message of anybody's.
  case ping
  /// What is known of it does not tell.
  case unknown

  /// A stable code for each.
  public var code: String {
    switch self {
    case .inFlight: "MIG-711"
    case .staleAddress: "MIG-712"
    case .neverLeaves: "MIG-713"
    case .lateReply: "MIG-714"
    case .errorReport: "MIG-715"
    case .deadLetter: "MIG-716"
    case .heldBack: "MIG-717"
    case .alien: "MIG-718"
    case .unknown: "MIG-719"
    case .ping: "MIG-720"
    }
  }

  public var meaning: String {
    switch self {
    case .inFlight: "It came before the party was moved, and was not fetched yet."
    case .staleAddress: "Its sender has not read the register again since the party was moved; copies of an address live a while."
    case .neverLeaves:
      "Its sender goes on sending to the bus being left, later than any copy of an address lives: its connection names this bus, or it "
        + "never reads the register again."
    case .lateReply: "It answers a synchronous request, for which nobody waits longer than seconds."
    case .errorReport: "It tells of an error with an earlier message."
    case .deadLetter: "The bus or a receiver has given it up, or it was handed out so often that the bus is about to."
    case .heldBack: "It is locked by a receiver, put off by one, or meant for a later time by its sender."
    case .alien: "It names no sender, or has no id: no party's system that keeps to the profile writes such."
    case .unknown: "What this bus shows does not tell what it is."
    case .ping: "It is a ping, or the answer to one: no party's system waits for it."
    }
  }

  public var next: String {
    switch self {
    case .inFlight: "Nothing, if somebody fetches there: see to it that the party's system listens on both buses."
    case .staleAddress: "Wait until the time that stands with it; after that tell the sender's vendor."
    case .neverLeaves: "Have the sender's vendor move it; until then have it carried over, or make an exception for the sender."
    case .lateReply: "Nothing: it expires."
    case .errorReport: "The party's system reads its error queue; nothing is lost by waiting."
    case .deadLetter: "The queue's owner looks why it was given up, and has it sent anew or dropped."
    case .heldBack: "See whose receiver holds it; a lock ends by itself, what is put off must be asked for by its number."
    case .alien: "Those who run the bus find out who sent it; it is not carried over."
    case .ping: "Nothing: it expires. Among dead letters it stays, and may be deleted by whoever keeps the bus."
    case .unknown: "Look at the bus's own tools, or ask the party; it counts as a message until it is gone."
    }
  }
}

/// Whether what was found goes away without anybody doing anything.
public enum Healing: Sendable, Hashable, Codable {
  /// By the time named, at the latest; nil where no time can be named.
  case byItself(by: Instant?)
  case perhaps
  case never

  public var words: String {
    switch self {
    case .byItself(let by?): "heals by itself by \(by)"
    case .byItself(nil): "heals by itself"
    case .perhaps: "may heal by itself"
    case .never: "never heals by itself"
    }
  }
}

/// Tells the class of a message. Pure, and careful: a sender is said never to leave only when ``DrainLedger`` has convicted it.
package struct StrandedClassifier {
  /// Handed out so often, the bus is about to give it up.
  static let poisonous: Int64 = 10
  /// A synchronous call waits so long.
  static let replyLife = TimeSpan.seconds(15)

  let watermark: Instant?
  let policy: Policy
  let senders: [DrainLedger.SenderSeen]
  let longestCacheSeen: TimeSpan?
  let now: Instant

  package init(_ ledger: DrainLedger, policy: Policy, now: Instant) {
    self.watermark = ledger.watermark
    self.policy = policy
    self.senders = ledger.senders
    self.longestCacheSeen = ledger.longestCacheSeen
    self.now = now
  }

  package func classify(_ message: MessageSighting, on kind: QueueKind) -> (StrandedClass, Healing) {
    let isDead = kind == .deadLetter || message.state == .deadLettered
    if message.isPing == true {
      return (.ping, isDead ? .never : .byItself(by: message.expiresAt.map(Instant.init(milliseconds:))))
    }
    if isDead { return (.deadLetter, .never) }
    if (message.deliveryCount ?? 0) >= Self.poisonous { return (.deadLetter, .never) }
    switch message.state {
    case .locked, .scheduled, .deferred: return (.heldBack, .perhaps)
    case .active, .deadLettered: break
    }
    let expires = message.expiresAt.map(Instant.init(milliseconds:))
    if kind == .error { return (.errorReport, .perhaps) }
    if kind == .synchronousReply {
      let life = message.enqueuedAt.map { Instant(milliseconds: $0) + Self.replyLife }
      return (.lateReply, .byItself(by: expires ?? life))
    }
    guard let herID = message.fromHerID, message.messageID != nil || message.correlationID != nil else {
      return (.alien, .perhaps)
    }
    // Its sender's own clock may be wrong: by that alone nobody is told apart from another.
    guard let watermark, let came = message.enqueuedAt.map(Instant.init(milliseconds:)) else {
      return (.unknown, .perhaps)
    }
    if came <= watermark + Policy.clockSkew { return (.inFlight, .byItself(by: expires)) }
    if self.senders.contains(where: { $0.herID == herID && $0.isConvicted }) { return (.neverLeaves, .never) }
    // What a sender had queued comes later than its copy of the address lives.
    let copies = watermark + self.policy.quietNeeded(seen: self.longestCacheSeen)
    return (.staleAddress, .byItself(by: came <= copies ? copies : watermark + self.policy.lawfulLateness + Policy.clockSkew))
  }
}
