// SPDX-License-Identifier: Apache-2.0

/// What whoever writes the register can do for a pulje, and who that is. A plan that asks for more is blocked; the writer, where it is
/// not the daemon, stands in the plan, so that those who approve it know.
public struct RegisterOffer: Sendable, Hashable, Codable {
  /// Somebody else than the daemon. Whoever it is: nothing counts as done before the entry reads so.
  public struct Writer: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
      /// A person, by the daemon's exact instructions.
      case byHand = "by-hand"
      /// Nothing is written from here: another system or office does it.
      case elsewhere
    }

    public var kind: Kind
    /// Who, in words; empty where nobody said.
    public var who: String

    public init(_ kind: Kind, who: String = "") {
      self.kind = kind
      self.who = who
    }

    /// For those who plan and approve.
    public var words: String {
      switch self.kind {
      case .byHand: "the register is written by hand, by the daemon's instructions; nothing counts as done before it reads so"
      case .elsewhere: "nothing is written here: \(self.who) writes the register; nothing counts as done before it reads so"
      }
    }
  }

  /// Nil when the daemon writes.
  public var writer: Writer?
  /// One write can move a HER-ID and all services below it.
  public var servicesBelow: Bool
  /// A HER-ID can be flagged for its organisation's queue.
  public var organisationQueue: Bool

  public init(writer: Writer? = nil, servicesBelow: Bool = false, organisationQueue: Bool = false) {
    self.writer = writer
    self.servicesBelow = servicesBelow
    self.organisationQueue = organisationQueue
  }
}
