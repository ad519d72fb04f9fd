// SPDX-License-Identifier: Apache-2.0

import BusModel

/// All that was seen of one party's address.
public struct ProbeReport: Sendable, Hashable {
  /// As Nagios and its kin count.
  public enum Status: Int, Sendable, Hashable, Comparable {
    case ok = 0
    case warning = 1
    case critical = 2
    case unknown = 3

    public static func < (lhs: Status, rhs: Status) -> Bool { lhs.rawValue < rhs.rawValue }
    public var word: String {
      switch self {
      case .ok: "OK"
      case .warning: "WARNING"
      case .critical: "CRITICAL"
      case .unknown: "UNKNOWN"
      }
    }
  }

  /// As it was typed.
  public var target: String
  public var kind: QueueKind
  public var bus: BusName?
  public var address: QueueAddress?
  /// In the order of their codes.
  public var steps: [ProbeStep]
  /// What speaks for it, or against it, that messages reach the party's system: what was seen, and what people have told.
  public var shown: [ProbeEvidence: ProbeEvidence.State] = [:]
  /// What the party's system told of itself; nil where none answered.
  public var echo: PingEcho?

  public init(target: String, kind: QueueKind, bus: BusName? = nil, address: QueueAddress? = nil, steps: [ProbeStep]) {
    self.target = target
    self.kind = kind
    self.bus = bus
    self.address = address
    self.steps = steps.sorted { $0.code < $1.code }
  }

  public subscript(code: ProbeCode) -> ProbeStep? { self.steps.first { $0.code == code } }

  /// The first rung that failed: what is to be mended first.
  public var firstFailure: ProbeStep? { self.steps.first { $0.verdict == .failed } }

  /// The worst of the steps. What was not possible or not run does not count; where no step was ok, it is unknown.
  public var status: Status {
    if self.firstFailure != nil { return .critical }
    if self.steps.contains(where: { $0.verdict == .warning }) { return .warning }
    return self.steps.contains { $0.verdict == .ok } ? .ok : .unknown
  }

  /// How sure it is that messages reach the party's system, and what that rests on.
  public var verdict: VerificationVerdict { VerificationVerdict(self.shown) }

  /// The verdict in words: its strength with each ground, then what is against it, then what is missing.
  public func evidence(_ language: ProbeLanguage) -> [String] { self.verdict.clauses(language) }
}
