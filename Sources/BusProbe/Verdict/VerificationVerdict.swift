// SPDX-License-Identifier: Apache-2.0

/// How sure it is that messages reach a party's system, and what that rests on. Pure: the same evidence gives the same verdict.
///
/// The daemon's guard (`PingReport.shortcoming`) and this one agree: what is at least ``Strength/fair`` by what a ping shows is what
/// lets a group go on. A test compares them over all evidence there can be.
public struct VerificationVerdict: Sendable, Hashable {
  public enum Strength: Int, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Something that was seen says that messages do not reach the system.
    case refuted = 0
    /// Nothing was seen that counts.
    case unknown = 1
    /// Something speaks for it, and not enough.
    case weak = 2
    /// It works, as far as this bus lets it be seen.
    case fair = 3
    /// Every check that can be made without an answer was made and passed.
    case strong = 4
    /// The party's own system took a message and said so.
    case proven = 5

    public static func < (lhs: Strength, rhs: Strength) -> Bool { lhs.rawValue < rhs.rawValue }

    /// For programs.
    public var name: String {
      switch self {
      case .refuted: "refuted"
      case .unknown: "unknown"
      case .weak: "weak"
      case .fair: "fair"
      case .strong: "strong"
      case .proven: "proven"
      }
    }

    public var word: ProbeText {
      switch self {
      case .refuted: ProbeText(nb: "motbevist", en: "refuted")
      case .unknown: ProbeText(nb: "ukjent", en: "not known")
      case .weak: ProbeText(nb: "svakt", en: "weak")
      case .fair: ProbeText(nb: "rimelig sikkert", en: "fair")
      case .strong: ProbeText(nb: "sikkert", en: "strong")
      case .proven: ProbeText(nb: "bevist", en: "proven")
      }
    }
  }

  public let strength: Strength
  /// What speaks for it, the weightiest first.
  public let grounds: [ProbeEvidence]
  /// What speaks against it.
  public let against: [ProbeEvidence]
  /// What was not tried or cannot be seen here.
  public let missing: [ProbeEvidence]

  /// - Parameter evidence: what is not in it is silent.
  public init(_ evidence: [ProbeEvidence: ProbeEvidence.State]) {
    func state(_ piece: ProbeEvidence) -> ProbeEvidence.State { evidence[piece] ?? .silent }
    func all(_ wanted: ProbeEvidence.State) -> [ProbeEvidence] { ProbeEvidence.allCases.filter { state($0) == wanted } }
    self.grounds = all(.shows)
    self.against = all(.denies)
    self.missing = all(.silent)
    self.strength = Self.strength(state)
  }

  private static func strength(_ state: (ProbeEvidence) -> ProbeEvidence.State) -> Strength {
    func shows(_ piece: ProbeEvidence) -> Bool { state(piece) == .shows }
    func denies(_ piece: ProbeEvidence) -> Bool { state(piece) == .denies }
    // What the bus did not take cannot have been answered; an answer then belongs to something else.
    if denies(.accepted) { return .refuted }
    if shows(.accepted), shows(.echo) { return .proven }
    // What is seen now outweighs what a person was told before.
    if denies(.consumer) || denies(.selfPing) || denies(.vendorConfirms) { return .refuted }

    let told: Strength = shows(.selfPing) ? .fair : shows(.vendorConfirms) ? .weak : .unknown
    guard shows(.accepted) else { return max(told, shows(.consumer) ? .weak : .unknown) }

    // Does `accepted` mean anything here, and does anything show that somebody receives?
    let means = shows(.negativeControl) || (shows(.consumer) && shows(.depthFalls))
    let received = shows(.consumer) || shows(.depthFalls)
    guard means, received else {
      // A self-ping shows that the system reads its queue on this bus; `accepted`, worth little, at least does not speak against it.
      return max(told, .weak)
    }
    if shows(.negativeControl), shows(.consumer), shows(.depthFalls) { return .strong }
    return shows(.selfPing) || (shows(.vendorConfirms) && !denies(.depthFalls)) ? .strong : .fair
  }

  /// Whether it is enough to send patients' messages that way: at least ``Strength/fair``.
  public var isEnough: Bool { self.strength >= .fair }

  /// Strength and grounds in one sentence, then what speaks against it and what is missing.
  public func sentence(_ language: ProbeLanguage) -> String { self.clauses(language).joined(separator: "; ") }

  /// As ``sentence(_:)``, in up to three clauses.
  public func clauses(_ language: ProbeLanguage) -> [String] {
    func list(_ pieces: [ProbeEvidence], _ state: ProbeEvidence.State) -> String {
      pieces.map { $0.words(state)[language] }.joined(separator: ", ")
    }
    var parts = [self.strength.word[language] + (self.grounds.isEmpty ? "" : ": " + list(self.grounds, .shows))]
    if !self.against.isEmpty {
      parts.append(ProbeText(nb: "imot", en: "against")[language] + ": " + list(self.against, .denies))
    }
    // What a person may tell is missed only where it would decide something.
    let missed = self.missing.filter { self.strength < .strong || ($0 != .selfPing && $0 != .vendorConfirms && $0 != .echo) }
    if !missed.isEmpty, self.strength != .proven {
      parts.append(ProbeText(nb: "mangler", en: "missing")[language] + ": " + list(missed, .silent))
    }
    return parts
  }
}
