// SPDX-License-Identifier: Apache-2.0

/// A thing of the register's answers, read by the names of its contract, whether it came as XML or JSON: order does not count,
/// strangers are passed over, and what is there twice is not guessed.
protocol RegisterFields {
  typealias Problem = PartyDetails.Problem

  /// - Throws: where the form writes every member, null for nothing (JSON): when it is not there. A damaged name would else read as
  ///   "there is none"; in XML the closing tag gives it away.
  func demand(_ name: String) throws(Problem)
  /// The part of this name; nil when there is none, or it stands for nothing.
  func element(_ name: String) throws(Problem) -> Self?
  /// The text as it is; nil when there is none.
  func text(_ name: String) throws(Problem) -> String?
  /// - Throws: also when it is there and no truth value, and when it is absent.
  func boolean(_ name: String) throws(Problem) -> Bool
  /// - Throws: also when it is there and no XML `int`.
  func number(_ name: String) throws(Problem) -> Int32?
  /// The items of a list, those that stand for nothing left out; nil when there is no list.
  ///
  /// - Throws: also when there is anything but such items in it: a list that lacks one is a wrong answer.
  func list(_ name: String, of item: String) throws(Problem) -> [Self]?
}

extension RegisterFields {
  /// The text without blanks around it; nil when there is none or it is empty.
  func value(_ name: String) throws(Problem) -> String? {
    guard let text = try self.text(name)?.trimmed, !text.isEmpty else { return nil }
    return text
  }
}
