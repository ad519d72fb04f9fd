// SPDX-License-Identifier: Apache-2.0

/// Why nothing happens just now (I-15): every wait has a code, a since, and whether it clears itself.
public struct WaitReason: Sendable, Hashable, Codable {
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    case notStarted = "MIG-401"
    case paused = "MIG-402"
    case quietPeriod = "MIG-403"
    case watchPeriod = "MIG-404"
    case countersUnreadable = "MIG-405"
    case messagesLeft = "MIG-406"
    case retry = "MIG-407"
    case decision = "MIG-408"
    case pingInterval = "MIG-409"
    case deadLettersGrow = "MIG-410"
    case held = "MIG-411"
    case quarantined = "MIG-412"
    case conflict = "MIG-413"
    case conflictElsewhere = "MIG-414"
    case byHand = "MIG-415"
    case nextLook = "MIG-416"
    case lineStopped = "MIG-417"
    case waveAhead = "MIG-418"
    case errorBudget = "MIG-419"
    case tail = "MIG-420"
    case outsideWindows = "MIG-421"
    case frozen = "MIG-422"
    case testsNotSigned = "MIG-423"
    case hookNotAssented = "MIG-424"
    case forwarding = "MIG-425"
    case forwardingStopped = "MIG-426"
    case shovelStands = "MIG-427"
    case heldNotCounted = "MIG-428"
    case sendersNotSeen = "MIG-429"
  }

  public enum Clears: String, Sendable, Hashable, Codable {
    case itself, person
    /// Another group's progress; what that one waits for is told with it.
    case other
  }

  public var code: Code
  public var since: Instant
  /// When it is looked at again; nil when only an event from outside ends the wait.
  public var until: Instant?
  public var clears: Clears
  private var words: WaitWords

  /// In words for a person; put together when they are asked for, since the engine works out every group's wait at every turn.
  public var seen: String { self.words.text }

  /// Whether there are none; told without putting them together.
  var isWordless: Bool { if case .text(let text) = self.words { text.isEmpty } else { false } }

  init(_ code: Code, since: Instant, until: Instant? = nil, clears: Clears = .itself, seen: String) {
    self.init(code, since: since, until: until, clears: clears, words: .text(seen))
  }

  init(_ code: Code, since: Instant, until: Instant?, clears: Clears = .itself, words: WaitWords) {
    self.code = code
    self.since = since
    self.until = until
    self.clears = clears
    self.words = words
  }

  private enum CodingKeys: String, CodingKey { case code, since, until, clears, seen }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.code = try container.decode(Code.self, forKey: .code)
    self.since = try container.decode(Instant.self, forKey: .since)
    self.until = try container.decodeIfPresent(Instant.self, forKey: .until)
    self.clears = try container.decode(Clears.self, forKey: .clears)
    self.words = .text(try container.decode(String.self, forKey: .seen))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(self.code, forKey: .code)
    try container.encode(self.since, forKey: .since)
    try container.encodeIfPresent(self.until, forKey: .until)
    try container.encode(self.clears, forKey: .clears)
    try container.encode(self.seen, forKey: .seen)
  }
}

/// What a wait's words are made of.
enum WaitWords: Sendable, Hashable {
  case text(String)
  case watch(until: Instant)
  case decision(since: Instant)
  case quiet(since: Instant, until: Instant, minimum: Int, looks: Int)
  case deadLetters(Int64)
  case leftovers(Int64)

  /// What reads the same is the same: a status that went through JSON holds the text alone.
  static func == (lhs: Self, rhs: Self) -> Bool { lhs.text == rhs.text }
  func hash(into hasher: inout Hasher) { hasher.combine(self.text) }

  var text: String {
    switch self {
    case .text(let text): text
    case .deadLetters(let count): "\(count) dead letters more than before the cut"
    case .leftovers(let count): "\(count) messages lie on the queues that are being left"
    case .watch(let until): "the watch runs until \(until)"
    case .decision(let since): "the watch is over since \(since); somebody decides: accept, or roll back"
    case .quiet(let since, let until, let minimum, let looks):
      "quiet since \(since), must be until \(until) and \(minimum) looks; \(looks) so far"
    }
  }
}
