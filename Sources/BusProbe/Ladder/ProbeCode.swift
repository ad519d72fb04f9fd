// SPDX-License-Identifier: Apache-2.0

/// The rungs of the ladder, from the number a person types to the answer of the system at the other end.
///
/// The codes are stable: never renumbered, never used for something else.
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
  case begin = 25
  case attach = 26
  case credit = 27
  case transfer = 28
  case outcome = 29
  case negativeControl = 30
  case arrival = 31
  case echo = 32
  case otherBus = 33

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
    case .begin: "begin"
    case .attach: "attach"
    case .credit: "credit"
    case .transfer: "transfer"
    case .outcome: "outcome"
    case .negativeControl: "negative-control"
    case .arrival: "arrival"
    case .echo: "echo"
    case .otherBus: "other-bus"
    }
  }

  /// What the rung checks: a question.
  public var title: ProbeText {
    switch self {
    case .input: ProbeText(nb: "Er det et HER-id?", en: "Is it a HER-ID?")
    case .cache:
      ProbeText(
        nb: "Hva sier vårt mellomlager av Adresseregisteret, og hvor gammelt er det?",
        en: "What does our copy of the address register say, and how old is it?")
    case .register:
      ProbeText(nb: "Hva sier Adresseregisteret (AR) selv nå?", en: "What does the address register (AR) itself say now?")
    case .decision:
      ProbeText(
        nb: "Hvilken buss og kø skal meldinger til parten gå til?", en: "Which bus and queue do messages for the party go to?")
    case .names: ProbeText(nb: "Har bussens vertsnavn en adresse?", en: "Has the bus's host name an address?")
    case .reach: ProbeText(nb: "Svarer bussens port?", en: "Does the bus's port answer?")
    case .encryption:
      ProbeText(
        nb: "Er forbindelsen kryptert, og er bussens sertifikat i orden?",
        en: "Is the connection encrypted, and the bus's certificate good?")
    case .login: ProbeText(nb: "Godtar bussen brukeren og passordet vårt?", en: "Does the bus take our user and password?")
    case .open: ProbeText(nb: "Åpner bussen en AMQP-forbindelse?", en: "Does the bus open an AMQP connection?")
    case .begin: ProbeText(nb: "Gir bussen oss en sesjon?", en: "Does the bus give us a session?")
    case .attach:
      ProbeText(nb: "Lar bussen oss sende til partens adresse?", en: "Does the bus let us send to the party's address?")
    case .credit:
      ProbeText(nb: "Tillater bussen at en melding sendes (kreditt)?", en: "Does the bus allow a message to be sent (credit)?")
    case .transfer: ProbeText(nb: "Gikk pingen ut herfra?", en: "Did the ping leave here?")
    case .outcome: ProbeText(nb: "Hva gjorde bussen med pingen?", en: "What did the bus do with the ping?")
    case .negativeControl:
      ProbeText(
        nb: "Avvises den samme meldingen til en kø som ikke kan finnes? Hvis ikke, beviser «accepted» ingenting.",
        en: "Is the same message to a queue that cannot exist refused? If not, 'accepted' proves nothing.")
    case .arrival:
      ProbeText(
        nb: "Leser noen køen: hvem lytter, og hvor mange lå der før og etter?",
        en: "Does somebody read the queue: consumers, and depth before and after?")
    case .echo: ProbeText(nb: "Svarer partens eget system på pingen?", en: "Does the party's own system answer the ping?")
    case .otherBus:
      ProbeText(
        nb: "Kommer det fremdeles meldinger til parten på en annen buss?",
        en: "Do messages for the party still come on another bus?")
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
