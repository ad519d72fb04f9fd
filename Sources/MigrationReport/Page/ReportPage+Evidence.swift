// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

extension ReportPage {
  /// Pings, drains, gates, tests.
  var evidence: Markup {
    var page = self.section(.evidence)
    page += self.part(.pingEvidence, note: self.say(.pingEvidenceNote))
    page += self.table(
      [.bus, .evidence, .isProof, .parties, .example], numbers: [3],
      self.facts.pingPatterns.map { pattern in
        let shown = pattern.shown.map { one in
          "<li>\(self.say(ReportNames.word(one.check))): <b>\(self.say(ReportNames.word(one.result)))</b></li>" as Markup
        }
        let example = pattern.example.map { "<li>\(self.quote($0))</li>" as Markup }
        return [
          self.cell(pattern.bus.text), "<ul>\(shown.joined)</ul>", self.cell(self.say(pattern.isProof ? .yes : .no)),
          self.figure(pattern.parties), "<ul>\(example.joined)</ul>",
        ]
      })
    page += self.part(.drainEvidence, note: self.say(.drainEvidenceNote))
    page += self.claims
    let drains = self.facts.groups.flatMap { group in
      [
        (group, self.facts.pulje.source, group.forwardDrain),
        (group, group.direction == .forward ? self.facts.pulje.source : self.facts.pulje.target, group.drain),
      ]
      .compactMap { group, bus, drain in drain.map { self.drain(group.id, bus, $0) } }
    }
    page +=
      drains.isEmpty
      ? "<p>\(self.say(.none))</p>"
      : self.table(
        [
          .group, .bus, .result, .looks, .unreadable, .quietSince, .lastLook, .longestGap, .arrivals, .cameLate, .left,
          .deadLetters,
        ], numbers: [3, 4, 8, 9, 10, 11], drains)
    page += self.part(.gatesTitle, note: self.say(.gatesNote))
    page +=
      self.facts.gates.isEmpty
      ? "<p>\(self.say(.gatesNone))</p>"
      : self.table(
        [.gate, .verdict, .groups, .example], numbers: [2],
        self.facts.gates.map {
          [
            self.cell(self.say(ReportNames.word($0.gate))), self.cell(self.say(ReportNames.word($0.verdict))),
            self.figure($0.groups), self.quote($0.example),
          ]
        })
    if !self.facts.tests.isEmpty {
      page += self.part(.testsTitle)
      page += self.table(
        [.herID, .item, .result, .signedBy, .time, .seen],
        self.facts.tests.map {
          [
            self.cell("\($0.herID)"), self.cell($0.item), self.cell(self.say($0.passed ? .testPassed : .testFailed)),
            self.cell($0.by),
            self.moment($0.at), self.quote($0.seen),
          ]
        })
    }
    return page
  }

  private func drain(_ id: GroupID, _ bus: BusName, _ drain: ReportFacts.Drain) -> [Markup] {
    [
      self.cell("\(id.lowest)"), self.cell(bus.text),
      "\(self.say(ReportNames.word(drain.result)))\(drain.code.map { " <code>\($0)</code>" as Markup } ?? "")",
      self.figure(drain.looks), self.figure(drain.unreadableLooks), self.moment(drain.quietSince),
      self.moment(drain.lastCountedAt),
      self.cell(self.language.span(drain.longestGap?.milliseconds)),
      drain.countsArrivals ? self.figure(drain.arrived) : self.cell("\u{2265} \(self.language.number(drain.arrived))"),
      self.figure(drain.lateArrivals), self.figure(drain.leftovers), self.figure(drain.newDeadLetters),
    ]
  }

  /// What the drains show and what they cannot, with how many groups each is said of.
  private var claims: Markup {
    let drains = self.facts.groups.flatMap { [$0.drain, $0.forwardDrain].compactMap { $0 } }
    if drains.isEmpty { return "" }
    func list(_ places: [Int]) -> Markup {
      var counts: [Int: Int] = [:]
      for place in places { counts[place, default: 0] += 1 }
      let order = Array(DrainClaim.allCases.enumerated())
      let rows = counts.keys.sorted { one, other in
        let places = [one, other].map { place in order.first { $0.element == self.facts.claims[place] }?.offset ?? 0 }
        return places[0] < places[1]
      }
      return rows.map { place -> Markup in
        let word = self.say(ReportNames.word(self.facts.claims[place]))
        return "<li>\(word) <small>(\(self.say(.inGroups, self.language.number(counts[place] ?? 0))))</small></li>"
      }.joined
    }
    return """
      <div class="columns"><section><h3>\(self.say(.proves))</h3><ul>\(list(drains.flatMap(\.proven)))</ul></section>\
      <section><h3>\(self.say(.cannotProve))</h3><ul>\(list(drains.flatMap(\.notProven)))</ul></section></div>

      """
  }

  // MARK: exceptions and forwarding

  var exceptions: Markup {
    var page = self.section(.exceptionsTitle, note: self.say(.exceptionsNote))
    page +=
      self.facts.exceptions.isEmpty
      ? "<p>\(self.say(.none))</p>\n"
      : self.table(
        [.group, .what, .by, .why, .until, .ended],
        self.facts.exceptions.map {
          [
            self.cell("\($0.group.lowest)"), self.cell($0.what ?? self.say(.wholeGroup)),
            self.cell($0.by.joined(separator: ", ")),
            self.quote($0.why), self.moment($0.until), self.quote($0.exceeded ?? ""),
          ]
        })
    page += self.section(.forwardingTitle, note: self.say(.forwardingNote))
    page +=
      self.facts.forwarding.isEmpty
      ? "<p>\(self.say(.none))</p>\n"
      : self.table(
        [
          .group, .carrier, .approvedBy, .time, .taken, .carried, .setAside, .expired, .notReturned, .twice, .openCount, .ended,
        ], numbers: [4, 5, 6, 7, 8, 9, 10],
        self.facts.forwarding.map { one in
          [
            self.cell("\(one.group.lowest)"), self.cell(self.say(one.carrier == .own ? .carrierOwn : .carrierShovel)),
            self.cell(one.approvedBy.joined(separator: ", ")), self.moment(one.approvedAt), self.figure(one.received),
            self.figure(one.accepted), self.figure(one.setAside), self.figure(one.expired), self.figure(one.notReturned),
            self.figure(one.possibleDuplicates), self.figure(one.open),
            self.cell(one.endedAt.map { "\(self.language.time($0)), \(one.endedBy ?? "")" } ?? "\u{2013}"),
          ]
        })
    return page
  }
}
