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

  /// What the verdict rests on, in words that name each piece of evidence, and each that is missing.
  public func evidence(_ language: ProbeLanguage) -> [String] {
    func piece(_ code: ProbeCode, _ yes: ProbeText, _ no: ProbeText) -> String? {
      switch self[code]?.verdict {
      case .ok: yes[language]
      case .warning, .failed: no[language]
      case .notPossible: "\(no[language]) (\(ProbeStep.Verdict.notPossible.word[language]))"
      case .notRun, nil: nil
      }
    }
    return [
      piece(
        .outcome, ProbeText(nb: "godtatt av bussen", en: "accepted by the bus"),
        ProbeText(nb: "at bussen godtok, beviser ingenting eller skjedde ikke", en: "acceptance proves nothing or was not given")),
      piece(
        .negativeControl, ProbeText(nb: "et navn som ikke kan finnes, ble avvist", en: "a name that cannot exist was refused"),
        ProbeText(nb: "ingen motprøve", en: "no negative control")),
      piece(
        .arrival, ProbeText(nb: "noen henter køens meldinger", en: "a consumer takes the queue's messages"),
        ProbeText(nb: "intet viser at køen leses", en: "no proof that the queue is read")),
      piece(
        .echo, ProbeText(nb: "partens system svarte", en: "the party's system answered"),
        ProbeText(nb: "intet svar fra partens system", en: "no answer from the party's system")),
    ].compactMap(\.self)
  }
}
