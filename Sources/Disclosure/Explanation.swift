// SPDX-License-Identifier: Apache-2.0

/// What a person needs to know of a failure: what was tried, what was seen, what it means, what to do next, whose it is.
///
/// Nothing in an explanation may come from a message body or a secret.
public struct Explanation: Sendable, Hashable, Codable {
  /// What was tried, as the caller would say it: "attach a sender to /exchanges/x/1_async".
  public var tried: String
  /// What was seen: the peer's own condition and words, or the error of the system below.
  public var seen: String
  /// What that means for the one who asked.
  public var meaning: String
  /// What to do next.
  public var next: String
  /// Whose it is to mend.
  public var owner: FaultOwner

  public init(tried: String, seen: String, meaning: String, next: String, owner: FaultOwner) {
    self.tried = tried
    self.seen = seen
    self.meaning = meaning
    self.next = next
    self.owner = owner
  }
}

/// Whose a failure is to mend.
public enum FaultOwner: String, Sendable, Hashable, Codable, CaseIterable {
  /// The one who called: arguments, configuration, credentials or code on this side.
  case caller
  /// The network between here and there: names, routes, firewalls.
  case network
  /// Those who run the bus.
  case bus
  /// Those who run the address register (AR).
  case addressRegister = "address-register"
  /// The party (HER-ID) at the other end and its vendor.
  case party
  /// The machine this runs on: disk, permissions, clock.
  case host
  /// This software: a bug, to be reported.
  case tjenestebuss
}

/// An error that explains itself and has a stable code.
///
/// Codes are listed in `docs/error-codes.md`; a code is never renumbered and never used for something else.
public protocol ExplainedError: Error, Sendable, CustomStringConvertible {
  /// The stable code: letters of the room, a dash, three digits ("AMQP-102").
  var stableCode: String { get }
  /// The five things a person needs to know.
  var explanation: Explanation { get }
}

extension ExplainedError {
  /// One paragraph: code, what was tried, seen, meaning, what to do next, whose it is.
  public var description: String {
    let e = self.explanation
    return "[\(self.stableCode)] tried to \(e.tried); saw: \(e.seen). \(e.meaning) Next: \(e.next) (owner: \(e.owner.rawValue))"
  }
}
