// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Testing

@testable import BusProbe

@Suite("What the ladder says")
struct ProbeWordsTests {
  /// The finding with a value for every fact that there is.
  private func step(_ finding: ProbeFinding) -> ProbeStep {
    ProbeStep(finding, Dictionary(uniqueKeysWithValues: ProbeFact.allCases.map { ($0, .text("[\($0.rawValue)]")) }))
  }

  private func lines(_ step: ProbeStep, _ language: ProbeLanguage) -> [String] {
    [step.seen(language), step.meaning(language), step.whose(language), step.next(language)]
  }

  @Test(
    "Every finding has its four lines in both languages, of its own, filled, and not one taken for the other",
    arguments: ProbeFinding.allCases)
  func fourLines(finding: ProbeFinding) {
    #expect(finding.words != .none, "no words")
    let step = self.step(finding)
    let (nb, en) = (self.lines(step, .nb), self.lines(step, .en))
    for line in nb + en {
      #expect(!line.isEmpty && line.first != " " && line.last != " ")
      #expect(!line.contains("{") && !line.contains("}"), "\(line)")
      #expect(!line.contains("TODO") && !line.contains("XXX"))
    }
    for (nb, en) in zip(nb, en) {
      // A line of facts alone may be the same in both.
      #expect(nb != en || !nb.contains { $0.isLetter }, "the same in both languages: \(nb)")
    }
    // Each fact of one language stands in the other too.
    func places(_ text: ProbeText, _ language: ProbeLanguage) -> Set<String> { Set(ProbeTexts.places(text[language])) }
    #expect(places(finding.words.seen, .nb) == places(finding.words.seen, .en))
    for place in ProbeTexts.places(finding.words.seen.nb + finding.words.next.nb + finding.words.means.nb) {
      #expect(ProbeFact(rawValue: place) != nil, "no fact is called \(place)")
    }
    let mustBeMended = finding.verdict == .failed || finding.verdict == .warning
    #expect((finding.owner != nil) == mustBeMended, "whose it is")
  }

  @Test("No two findings of a rung say the same: they would not be told apart")
  func distinct() {
    for code in ProbeCode.allCases {
      let findings = ProbeFinding.allCases.filter { $0.code == code }
      for language in ProbeLanguage.allCases {
        // What was cut, and what was tried then, decides over the same sentence.
        let means = findings.map { $0.words.means[language] }
        #expect(Set(means).count == means.count, "\(code) \(language)")
      }
      #expect(findings.contains { $0.verdict == .ok }, "\(code) cannot end well")
    }
  }

  @Test("Every rung that is no matter of choice can fail in at least two ways")
  func failures() {
    // Whether cache, control, echo and other bus bear out what was found is never what stops a message.
    let warnsOnly: Set<ProbeCode> = [.cache, .negativeControl, .echo, .otherBus]
    for code in ProbeCode.allCases where code != .input {
      let bad = ProbeFinding.allCases.filter { $0.code == code && ($0.verdict == .failed || $0.verdict == .warning) }
      #expect(bad.count >= 2, "\(code)")
      if !warnsOnly.contains(code) { #expect(bad.contains { $0.verdict == .failed }, "\(code)") }
    }
  }

  @Test("Owners, terms, verdicts and titles have a word in each language; errors of other rooms have an owner")
  func words() {
    let texts =
      ProbeOwner.allCases.map(\.name) + ProbeTerm.allCases.map(\.text) + ProbeStep.Verdict.allCases.map(\.word)
      + ProbeCode.allCases.map(\.title) + [ProbeOwner.nobody]
    for text in texts { #expect(!text.nb.isEmpty && !text.en.isEmpty && text.nb != text.en, "\(text)") }
    #expect(FaultOwner.allCases.map { ProbeOwner($0) } == [.us, .network, .nhn, .nhn, .party, .us, .us])
  }

  @Test("The manual page of a rung has all that it can find, and shows places, not braces", arguments: ProbeCode.allCases)
  func manual(code: ProbeCode) {
    for language in ProbeLanguage.allCases {
      let page = ProbeTexts.explain(code, language)
      #expect(page.contains(code.title[language]) && page.contains(code.stableCode))
      for finding in ProbeFinding.allCases where finding.code == code { #expect(page.contains(finding.words.means[language])) }
      #expect(!page.contains("{"))
    }
    #expect(ProbeCode(text: code.stableCode) == code)
    #expect(ProbeCode(text: code.name) == code)
    #expect(ProbeCode(text: "\(code.rawValue)") == code)
    #expect(ProbeCode(text: "14") == nil && ProbeCode(text: "") == nil)
  }

  @Test("The language is the locale's: Norwegian of either kind, else English")
  func locale() {
    #expect(["nb_NO.UTF-8", "nn_NO", "no", "NB"].allSatisfy { ProbeLanguage(locale: $0) == .nb })
    #expect(["en_GB.UTF-8", "C", "POSIX", "", "nonsense", "sv_SE"].allSatisfy { ProbeLanguage(locale: $0) == .en })
    #expect(ProbeLanguage(locale: nil) == .en)
    #expect(ProbeLanguage(environment: ["LC_ALL": "", "LC_MESSAGES": "nb_NO", "LANG": "en_GB"]) == .nb)
    #expect(ProbeLanguage(environment: ["LC_ALL": "C", "LANG": "nb_NO"]) == .en)
  }

  @Test(
    "Which variable of the environment decides: LC_ALL, LC_MESSAGES, LANG, in this order; LANGUAGE before them, unless the locale is nobody's",
    arguments: [
      ([:], .en), (["LANG": "C.UTF-8"], .en), (["LANG": "C"], .en), (["LANG": "POSIX"], .en), (["LC_ALL": "", "LANG": ""], .en),
      (["LANG": "nb_NO"], .nb), (["LANG": "nn_NO.UTF-8"], .nb), (["LANG": "no_NO"], .nb),
      (["LANG": "nb_NO.ISO-8859-1@euro"], .nb),
      (["LANG": "en_US.UTF-8", "LC_MESSAGES": "nb_NO.UTF-8"], .nb), (["LANG": "nb_NO.UTF-8", "LC_MESSAGES": "en_US.UTF-8"], .en),
      (["LC_ALL": "nb_NO.UTF-8", "LC_MESSAGES": "en_US.UTF-8", "LANG": "en_US.UTF-8"], .nb),
      (["LC_ALL": "C.UTF-8", "LC_MESSAGES": "nb_NO.UTF-8", "LANG": "nb_NO.UTF-8"], .en),
      (["LC_ALL": "", "LC_MESSAGES": "", "LANG": "nb_NO.UTF-8"], .nb), (["LC_TIME": "nb_NO.UTF-8"], .en),
      (["LANG": "en_US.UTF-8", "LANGUAGE": "nb"], .nb), (["LANG": "nb_NO.UTF-8", "LANGUAGE": "en"], .en),
      (["LANG": "nb_NO.UTF-8", "LANGUAGE": "se:nn_NO:en"], .nb), (["LANG": "nb_NO.UTF-8", "LANGUAGE": "se:fi"], .nb),
      (["LANG": "sv_SE.UTF-8", "LANGUAGE": "sv:da"], .en), (["LANG": "nb_NO.UTF-8", "LANGUAGE": ""], .nb),
      (["LANG": "C.UTF-8", "LANGUAGE": "nb"], .en), (["LANGUAGE": "nb"], .en),
      (["LC_ALL": "C", "LANGUAGE": "nb", "LANG": "nb_NO"], .en),
    ] as [([String: String], ProbeLanguage)])
  func environment(variables: [String: String], language: ProbeLanguage) {
    #expect(ProbeLanguage(environment: variables) == language)
  }

  @Test("What was not told is said to be that, in either language")
  func notTold() {
    let step = ProbeStep(.loggedIn, [.user: "app", .mechanism: "PLAIN"])
    #expect(step.seen(.nb) == "som app med PLAIN; bussen tilbyr ikke oppgitt")
    #expect(step.seen(.en) == "as app by PLAIN; the bus offers not told")
  }
}
