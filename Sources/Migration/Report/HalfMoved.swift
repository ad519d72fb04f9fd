// SPDX-License-Identifier: Apache-2.0

/// Some of a group's entries are moved, the others are not, and something keeps the rest back: senders find its parties on two buses.
enum HalfMoved {
  static let code = "MIG-704"

  static let meaning = """
    Some of the group's entries are moved and others are not, and what is named keeps the rest back: senders find its parties on two \
    buses.
    """
  static let next = """
    Clear what is named, and the rest is written; or roll the group back. Do not leave it so over the end of a shift.
    """

  /// In words; nil for a group that is whole, or is being written just now.
  static func words(_ group: GroupState, next: GroupNext) -> String? {
    guard group.isHalfMoved, case .wait(let wait) = next else { return nil }
    func list(_ members: [Member]) -> String { members.map { "HER-ID \($0.herID)" }.joined(separator: ", ") }
    let moved = group.members.filter { $0.writing != .untouched }
    let rest = group.members.filter { $0.writing == .untouched }
    return "\(list(moved)) moved, \(list(rest)) not: [\(wait.code.rawValue)] \(wait.seen)"
  }
}
