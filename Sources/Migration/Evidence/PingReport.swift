// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a ping of one HER-ID can show (decision Q6).
public enum PingCheck: String, Sendable, Hashable, Codable, CaseIterable {
  case accepted
  case negativeControl = "negative-control"
  /// A consumer is attached to the party's queue.
  case consumer
  /// The queue is no longer after the ping than before: it was taken, as far as counting tells.
  case depthFalls = "depth-falls"
  /// The party's system answered.
  case echo
}

/// One ping of one HER-ID on one bus.
public struct PingReport: Sendable, Hashable, Codable {
  public var herID: HerID
  public var bus: BusName
  public var findings: [Finding<PingCheck>]
  /// Which client library answered, and its version; nil without an answer.
  public var library: String?
  public var libraryVersion: String?
  /// Milliseconds from sending until the bus had accepted it; nil where it did not, or nobody measured.
  public var acceptedAfter: Int64?
  /// Milliseconds from sending until the party's system had answered; nil without an answer.
  public var answeredAfter: Int64?

  public init(
    herID: HerID, bus: BusName, findings: [Finding<PingCheck>], library: String? = nil, libraryVersion: String? = nil,
    acceptedAfter: Int64? = nil, answeredAfter: Int64? = nil
  ) {
    self.herID = herID
    self.bus = bus
    self.findings = findings
    self.library = library
    self.libraryVersion = libraryVersion
    self.acceptedAfter = acceptedAfter
    self.answeredAfter = answeredAfter
  }

  /// Why this ping does not prove that the party is reached on the bus; nil when it does.
  ///
  /// Each condition is a guard of its own:
  /// 1. the bus accepted the ping;
  /// 2. policy asks for an echo: there was one;
  /// 3. somebody receives: an echo, or a consumer on the queue, or the ping was taken; a queue seen without consumer
  ///    fails unless the party answered;
  /// 4. `accepted` means something here (negative control), or an echo shows arrival instead, or a consumer that keeps its
  ///    queue short does as far as such a bus can tell. An empty queue alone does not: a lost ping leaves it empty, too.
  public func shortcoming(policy: Policy) -> String? {
    func has(_ check: PingCheck) -> Bool { self.findings.result(of: check) == .passed }
    if !has(.accepted) { return "not accepted: \(self.findings.seen(of: .accepted))" }
    if policy.echoRequired, !has(.echo) { return "no echo, which the policy asks for: \(self.findings.seen(of: .echo))" }
    if has(.echo) { return nil }
    if self.findings.result(of: .consumer) == .failed { return "nobody listens: \(self.findings.seen(of: .consumer))" }
    if !has(.consumer), !has(.depthFalls) {
      return "nothing shows that somebody receives: \(self.findings.seen(of: .consumer)); \(self.findings.seen(of: .depthFalls))"
    }
    if !has(.negativeControl), !(has(.consumer) && has(.depthFalls)) {
      return "accepted proves nothing on this bus: \(self.findings.seen(of: .negativeControl))"
    }
    return nil
  }
}
