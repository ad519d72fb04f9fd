// SPDX-License-Identifier: Apache-2.0

/// What one check gave. A check that could not be made says so; it is never passed silently (decision on capabilities).
public struct Finding<Check: Sendable & Hashable & Codable>: Sendable, Hashable, Codable {
  public enum Result: String, Sendable, Hashable, Codable, CaseIterable {
    case passed, failed
    /// This dialect, or the rights we have, do not let the check be made.
    case impossible
  }

  public var check: Check
  public var result: Result
  /// What was seen, in words for a person. Never from a message body.
  public var seen: String

  public init(_ check: Check, _ result: Result, seen: String) {
    self.check = check
    self.result = result
    self.seen = seen
  }
}

extension Array {
  /// The result of `check`; nil when nobody made it, which is never a pass (I-14). The worst one counts when made twice.
  package func result<Check>(of check: Check) -> Finding<Check>.Result? where Element == Finding<Check> {
    let results = self.filter { $0.check == check }.map(\.result)
    if results.contains(.failed) { return .failed }
    if results.contains(.impossible) { return .impossible }
    return results.first
  }

  package func seen<Check>(of check: Check) -> String where Element == Finding<Check> {
    self.first { $0.check == check && $0.result != .passed }?.seen ?? self.first { $0.check == check }?.seen ?? "not checked"
  }
}
