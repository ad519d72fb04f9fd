// SPDX-License-Identifier: Apache-2.0

/// Why a group goes no further forward until somebody, or the next try, clears it.
public struct Hold: Sendable, Hashable, Codable {
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    case preflightFailed = "MIG-301"
    case recordMoved = "MIG-302"
    case pingFailed = "MIG-303"
    case writesDoNotTake = "MIG-304"
    case inheritanceLags = "MIG-305"
    case queueMissing = "MIG-306"
  }

  public var code: Code
  public var seen: String
  /// Whether the next try may clear it; else a person must.
  public var clearsItself: Bool

  public init(_ code: Code, seen: String, clearsItself: Bool = false) {
    self.code = code
    self.seen = seen
    self.clearsItself = clearsItself
  }

  /// Who clears it, and how.
  public var next: String {
    switch self.code {
    case .preflightFailed: "Mend what was seen; the check is made again by itself."
    case .recordMoved: "The register has changed since the plan: roll the party back out of the pulje and plan it anew."
    case .pingFailed: "Have the vendor bring the party's system up on the bus, then resume the party; or roll it back."
    case .writesDoNotTake: "Ask those who run the register why the write does not take; then resume the party, or roll it back."
    case .inheritanceLags: "The parent has moved, the inheriting entry has not: ask those who run the register; then resume."
    case .queueMissing: "A queue that is being left is gone: find out by whom, and what was in it; then resume."
    }
  }
}

/// Who said something, why, and since when.
public struct Note: Sendable, Hashable, Codable {
  public var by: String
  public var why: String
  public var at: Instant
}
