// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BusProbe

@Suite("How sure it is, and what that rests on")
struct VerificationVerdictTests {
  typealias Evidence = [ProbeEvidence: ProbeEvidence.State]

  /// Every evidence there can be: seven pieces, three states each.
  static let all: [Evidence] = ProbeEvidence.allCases.reduce([[:]]) { made, piece in
    made.flatMap { evidence in
      ProbeEvidence.State.allCases.map { state in evidence.merging([piece: state]) { $1 } }
    }
  }

  private func strength(_ evidence: Evidence) -> VerificationVerdict.Strength { VerificationVerdict(evidence).strength }

  @Test("All 2,187: good news never makes it less sure, bad news never surer, and a lack of news is worth less than good news")
  func monotonic() {
    #expect(Self.all.count == 2_187)
    for evidence in Self.all {
      for piece in ProbeEvidence.allCases where evidence[piece] == .silent {
        var better = evidence
        better[piece] = .shows
        var worse = evidence
        worse[piece] = .denies
        #expect(self.strength(better) >= self.strength(evidence), "\(piece) in \(evidence)")
        // What denies `accepted` or a consumer refutes; the rest cannot make it surer than silence does.
        #expect(self.strength(worse) <= max(self.strength(evidence), .unknown), "\(piece) in \(evidence)")
      }
    }
  }

  @Test(
    "All 2,187: nothing is enough without the bus's word or the vendor's own ping, nor with the bus's refusal or nobody there")
  func bounds() {
    for evidence in Self.all {
      let verdict = VerificationVerdict(evidence)
      if verdict.isEnough { #expect(evidence[.accepted] == .shows || evidence[.selfPing] == .shows, "\(evidence)") }
      if evidence[.accepted] == .denies { #expect(verdict.strength == .refuted) }
      if evidence[.consumer] == .denies, evidence[.echo] != .shows { #expect(verdict.strength == .refuted, "\(evidence)") }
      if verdict.strength == .proven { #expect(evidence[.echo] == .shows && evidence[.accepted] == .shows) }
      if verdict.strength == .strong { #expect(evidence[.accepted] == .shows && !(evidence[.consumer] == .denies)) }
    }
  }

  @Test("All 2,187: the verdict names each ground, what is against it and what is missing, once, and its sentence says so")
  func named() {
    for evidence in Self.all {
      let verdict = VerificationVerdict(evidence)
      #expect(Set(verdict.grounds + verdict.against + verdict.missing) == Set(ProbeEvidence.allCases))
      #expect(verdict.grounds.count + verdict.against.count + verdict.missing.count == ProbeEvidence.allCases.count)
      for language in ProbeLanguage.allCases {
        let sentence = verdict.sentence(language)
        #expect(sentence.hasPrefix(verdict.strength.word[language]))
        for ground in verdict.grounds { #expect(sentence.contains(ground.words(.shows)[language])) }
        for ground in verdict.against { #expect(sentence.contains(ground.words(.denies)[language])) }
      }
    }
  }

  @Test("The usual ones, as a desk meets them")
  func usual() {
    // RabbitMQ 4, no echo yet: all that can be seen was seen.
    #expect(self.strength([.accepted: .shows, .negativeControl: .shows, .consumer: .shows, .depthFalls: .shows]) == .strong)
    // RabbitMQ 3 accepts what it loses: a consumer that keeps its queue short is what there is.
    #expect(self.strength([.accepted: .shows, .negativeControl: .denies, .consumer: .shows, .depthFalls: .shows]) == .fair)
    #expect(self.strength([.accepted: .shows, .negativeControl: .denies, .depthFalls: .shows]) == .weak, "an empty queue alone")
    #expect(self.strength([.accepted: .shows, .negativeControl: .shows]) == .weak)
    #expect(self.strength([.accepted: .shows, .negativeControl: .shows, .consumer: .denies]) == .refuted)
    // The party's word helps, and does not stand alone.
    #expect(self.strength([.vendorConfirms: .shows]) == .weak)
    #expect(self.strength([.selfPing: .shows]) == .fair)
    #expect(
      self.strength([.accepted: .shows, .negativeControl: .shows, .consumer: .shows, .vendorConfirms: .shows]) == .strong)
    #expect(self.strength([:]) == .unknown)
    #expect(
      VerificationVerdict([.accepted: .shows, .negativeControl: .denies, .consumer: .shows, .depthFalls: .shows])
        .sentence(.nb)
        == "rimelig sikkert: bussen godtok pingen, noen lytter på køen, køen ble ikke lengre av pingen; imot: bussen godtar også navn som ikke kan finnes; mangler: intet svar ble ventet, ingen egen ping fra leverandøren, ingen bekreftelse fra leverandøren"
    )
  }

  @Test("A ping's evidence: an outcome that is not known speaks neither way")
  func ofPings() {
    func evidence(_ change: (inout PingObservation) -> Void) -> Evidence {
      PingJudgement(ProbeFixture.observation(.rabbitMQ4AddressV2, change)).evidence
    }
    #expect(
      evidence { _ in } == [.accepted: .shows, .negativeControl: .shows, .consumer: .shows, .depthFalls: .shows])
    #expect(evidence { $0.ping = .outcome(.unknown(.timedOut)) }[.accepted] == nil)
    #expect(evidence { $0.ping = .outcome(.released) }[.accepted] == .denies)
    #expect(evidence { $0.ping = .notSent(ProbeFixture.error(.noCredit)) }[.accepted] == .denies)
    #expect(evidence { $0.control = .outcome(.accepted) }[.negativeControl] == .denies)
    #expect(evidence { $0.control = .notSent(ProbeFixture.error(.attachTimedOut)) }[.negativeControl] == nil)
    #expect(evidence { $0.after = ProbeFixture.depth(1, consumers: 1) }[.depthFalls] == .denies)
    #expect(evidence { $0.echo = .noneInTime(.seconds(1)) }[.echo] == .denies)
    let notSent = evidence { $0.ping = .notTried }
    #expect(notSent[.accepted] == nil && notSent[.depthFalls] == nil && notSent[.consumer] == .shows)
  }
}
