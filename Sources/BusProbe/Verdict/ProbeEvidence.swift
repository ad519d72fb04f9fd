// SPDX-License-Identifier: Apache-2.0

/// What can speak for it, or against it, that messages reach a party's system (decision Q6: for years most parties answer no ping).
public enum ProbeEvidence: String, Sendable, Hashable, Codable, CaseIterable {
  /// The party's system answered our ping.
  case echo
  /// The bus said that it has our ping.
  case accepted
  /// A name that cannot exist was refused, so that `accepted` means something.
  case negativeControl = "negative-control"
  /// Somebody listens on the party's queue.
  case consumer
  /// The queue was no longer after the ping than before.
  case depthFalls = "depth-falls"
  /// The vendor had the party's own system ping itself over this bus. Told by a person.
  case selfPing = "self-ping"
  /// The vendor has confirmed that the party's system received on this bus. Told by a person.
  case vendorConfirms = "vendor-confirms"

  public enum State: String, Sendable, Hashable, Codable, CaseIterable {
    case shows
    case denies
    /// It was not tried, or this bus does not let it be seen. Never counts for anything.
    case silent
  }

  /// In a few words, for each state.
  public func words(_ state: State) -> ProbeText {
    switch (self, state) {
    case (.echo, .shows): ProbeText(nb: "partens system svarte på pingen", en: "the party's system answered the ping")
    case (.echo, .denies): ProbeText(nb: "partens system svarte ikke", en: "the party's system did not answer")
    case (.echo, .silent): ProbeText(nb: "intet svar ble ventet", en: "no answer was awaited")
    case (.accepted, .shows): ProbeText(nb: "bussen godtok pingen", en: "the bus accepted the ping")
    case (.accepted, .denies): ProbeText(nb: "bussen tok ikke pingen", en: "the bus did not take the ping")
    case (.accepted, .silent): ProbeText(nb: "ingen ping ble sendt", en: "no ping was sent")
    case (.negativeControl, .shows):
      ProbeText(nb: "et navn som ikke kan finnes, ble avvist", en: "a name that cannot exist was refused")
    case (.negativeControl, .denies):
      ProbeText(nb: "bussen godtar også navn som ikke kan finnes", en: "the bus accepts names that cannot exist, too")
    case (.negativeControl, .silent): ProbeText(nb: "ingen motprøve", en: "no negative control")
    case (.consumer, .shows): ProbeText(nb: "noen lytter på køen", en: "somebody listens on the queue")
    case (.consumer, .denies): ProbeText(nb: "ingen lytter på køen", en: "nobody listens on the queue")
    case (.consumer, .silent): ProbeText(nb: "om noen lytter, er ikke kjent", en: "whether anybody listens is not known")
    case (.depthFalls, .shows): ProbeText(nb: "køen ble ikke lengre av pingen", en: "the queue was no longer after the ping")
    case (.depthFalls, .denies): ProbeText(nb: "køen ble lengre", en: "the queue got longer")
    case (.depthFalls, .silent): ProbeText(nb: "køens lengde er ikke kjent", en: "the queue's depth is not known")
    case (.selfPing, .shows): ProbeText(nb: "leverandørens egen ping kom frem", en: "the vendor's self-ping arrived")
    case (.selfPing, .denies): ProbeText(nb: "leverandørens egen ping kom ikke frem", en: "the vendor's self-ping did not arrive")
    case (.selfPing, .silent): ProbeText(nb: "ingen egen ping fra leverandøren", en: "no self-ping by the vendor")
    case (.vendorConfirms, .shows): ProbeText(nb: "leverandøren har bekreftet mottak", en: "the vendor has confirmed receipt")
    case (.vendorConfirms, .denies): ProbeText(nb: "leverandøren har avkreftet mottak", en: "the vendor has denied receipt")
    case (.vendorConfirms, .silent): ProbeText(nb: "ingen bekreftelse fra leverandøren", en: "no confirmation by the vendor")
    }
  }
}
