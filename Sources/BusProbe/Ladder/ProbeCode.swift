// SPDX-License-Identifier: Apache-2.0

/// The rungs of the ladder, from the number a person types to the answer of the system at the other end.
///
/// The codes are stable: never renumbered, never used for something else. 25 (begin) and 33 (other bus) are reserved.
public enum ProbeCode: Int, Sendable, Hashable, Codable, CaseIterable, Comparable {
  case input = 10
  case cache = 11
  case register = 12
  case decision = 13
  case names = 20
  case reach = 21
  case encryption = 22
  case login = 23
  case open = 24
  case attach = 26
  case credit = 27
  case transfer = 28
  case outcome = 29
  case negativeControl = 30
  case arrival = 31
  case echo = 32

  /// As error codes are written: `PING-29`.
  public var stableCode: String { "PING-\(self.rawValue)" }

  /// One word for output that programs read.
  public var name: String {
    switch self {
    case .input: "input"
    case .cache: "cache"
    case .register: "register"
    case .decision: "decision"
    case .names: "dns"
    case .reach: "tcp"
    case .encryption: "tls"
    case .login: "login"
    case .open: "open"
    case .attach: "attach"
    case .credit: "credit"
    case .transfer: "transfer"
    case .outcome: "outcome"
    case .negativeControl: "negative-control"
    case .arrival: "arrival"
    case .echo: "echo"
    }
  }

  public static func < (lhs: ProbeCode, rhs: ProbeCode) -> Bool { lhs.rawValue < rhs.rawValue }

  /// Reads `29`, `PING-29` or `outcome`.
  public init?(text: String) {
    let lowered = text.lowercased()
    let number = Int(lowered.hasPrefix("ping-") ? String(lowered.dropFirst(5)) : lowered)
    guard let found = Self.allCases.first(where: { $0.rawValue == number || $0.name == lowered }) else { return nil }
    self = found
  }
}
