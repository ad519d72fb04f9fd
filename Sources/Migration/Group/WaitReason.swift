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
  }

  public enum Clears: String, Sendable, Hashable, Codable {
    case itself, person
  }

  public var code: Code
  public var since: Instant
  /// When it is looked at again; nil when only an event from outside ends the wait.
  public var until: Instant?
  public var clears: Clears
  public var seen: String

  init(_ code: Code, since: Instant, until: Instant? = nil, clears: Clears = .itself, seen: String) {
    self.code = code
    self.since = since
    self.until = until
    self.clears = clears
    self.seen = seen
  }
}
