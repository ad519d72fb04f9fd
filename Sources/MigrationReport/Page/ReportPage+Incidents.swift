// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

extension ReportPage {
  /// All that did not go by itself.
  var incidents: Markup {
    var page = self.section(.incidentsTitle, note: self.say(.incidentsNote))
    let incidents = self.facts.incidents
    if incidents.isEmpty { return page.adding("<p>\(self.say(.none))</p>\n") }
    page += self.part(.incidentsSummary)
    page += self.table(
      [.incident, .code, .count, .longest, .totalDuration, .meaning], numbers: [2], self.kinds)
    page += self.part(.everyIncident)
    page += self.table(
      [.incident, .code, .begin, .end, .duration, .group, .by, .seen], incidents.map(self.row))
    return page
  }

  private var kinds: [[Markup]] {
    struct Sum {
      var count = 0
      var longest: Int64 = 0
      var total: Int64 = 0
    }
    struct Key: Hashable {
      var kind: Incident.Kind
      var code: String?
    }
    var sums: [Key: Sum] = [:]
    for incident in self.facts.incidents {
      var sum = sums[Key(kind: incident.kind, code: incident.code), default: Sum()]
      let length = (incident.end ?? self.facts.given.madeAt).since(incident.begin).milliseconds
      sum.count += max(1, incident.count)
      sum.longest = max(sum.longest, length)
      sum.total += length * Int64(max(1, incident.count))
      sums[Key(kind: incident.kind, code: incident.code)] = sum
    }
    let order = Incident.Kind.allCases
    return sums.sorted { one, other in
      let places = [one.key.kind, other.key.kind].map { kind in order.firstIndex(of: kind) ?? 0 }
      return places[0] == places[1] ? (one.key.code ?? "") < (other.key.code ?? "") : places[0] < places[1]
    }.map { key, sum in
      let words = ReportNames.words(key.kind)
      let hold = key.code.flatMap(Hold.Code.init(rawValue:)).map { self.say(ReportNames.meaning($0)) }
      return [
        self.cell(self.say(words.name)), "<code>\(key.code ?? "")</code>", self.figure(sum.count),
        self.cell(key.kind.isMoment ? "\u{2013}" : self.language.span(sum.longest)),
        self.cell(key.kind.isMoment ? "\u{2013}" : self.language.span(sum.total)),
        self.cell([self.say(words.meaning), hold].compactMap { $0 }.joined(separator: " ")),
      ]
    }
  }

  private func row(_ incident: Incident) -> [Markup] {
    let isMoment = incident.kind.isMoment
    let length = incident.end.map { self.language.span($0.since(incident.begin).milliseconds) }
    return [
      self.cell(self.say(ReportNames.words(incident.kind).name)), "<code>\(incident.code ?? "")</code>",
      "\(self.language.time(incident.begin, seconds: true))",
      self.cell(isMoment ? "\u{2013}" : incident.end.map { self.language.time($0, seconds: true) } ?? self.say(.ongoing)),
      self.cell(isMoment ? "\u{2013}" : length ?? self.say(.ongoing)), self.groups(incident.groups, of: incident.count),
      self.cell(incident.by ?? ""), self.quote(incident.seen),
    ]
  }

  // MARK: where the time went

  var times: Markup {
    let times = self.facts.times
    let all = times.working + times.waiting + times.person
    func share(_ part: Int64) -> String { self.language.percent(Int(part), of: Int(all)) }
    var page = self.section(.waitsTitle, note: self.say(.waitsNote))
    page += self.table(
      [.what, .time, .share], numbers: [1, 2],
      [(ReportWord.working, times.working), (.waitingForTime, times.waiting), (.waitingForPerson, times.person)].map {
        [self.cell(self.say($0.0)), self.cell(self.language.span($0.1)), self.cell(share($0.1))]
      })
    let longest = self.facts.groups.filter { $0.times.person > 0 }.sorted {
      ($1.times.person, $0.id) < ($0.times.person, $1.id)
    }.prefix(10)
    if !longest.isEmpty {
      page += self.part(.waitedLongest)
      page += self.table(
        [.group, .phase, .waitingForPerson, .waitingForTime, .working], numbers: [2, 3, 4],
        longest.map {
          [
            self.cell("\($0.id.lowest)"), self.cell(self.say(ReportNames.word($0.phase))),
            self.cell(self.language.span($0.times.person)),
            self.cell(self.language.span($0.times.waiting)), self.cell(self.language.span($0.times.working)),
          ]
        })
    }
    if !self.facts.manualSteps.isEmpty {
      page += self.part(.manualTitle)
      page += self.table(
        [.vendor, .herID, .what],
        self.facts.manualSteps.map { step in
          let named = step.herIDs.prefix(20).map { "\($0)" }.joined(separator: ", ")
          let more = step.herIDs.count > 20 ? " " + self.say(.andMore, self.language.number(step.herIDs.count - 20)) : ""
          return [self.cell(step.vendor), self.cell(named + more), self.quote(step.what)]
        })
    }
    return page
  }

  // MARK: how to check it

  var audit: Markup {
    let facts = self.facts
    let head = facts.head
    var page = self.section(.auditTitle, note: self.say(.auditNote))
    page += """
      <table class="key">\
      <tr><th scope="row">\(self.say(.auditHead))</th><td><code>\(head.hash)</code></td></tr>\
      <tr><th scope="row">\(self.say(.auditEvent))</th><td>\(self.language.number(head.sequence))</td></tr>\
      <tr><th scope="row">\(self.say(.factsHash))</th><td><code>\(self.document.checksum)</code></td></tr>\
      <tr><th scope="row">\(self.say(.planHash))</th><td><code>\(facts.pulje.planHash)</code></td></tr>\
      <tr><th scope="row">\(self.say(.eventsOfPulje))</th><td>\(self.language.number(facts.pulje.events))</td></tr>\
      <tr><th scope="row">\(self.say(.first))</th><td>\(self.language.time(facts.pulje.firstAt, seconds: true))</td></tr>\
      <tr><th scope="row">\(self.say(.last))</th><td>\(self.language.time(facts.pulje.lastAt, seconds: true))</td></tr>\
      <tr><th scope="row">\(self.say(.starts))</th><td>\(self.language.number(facts.pulje.starts))</td></tr>\
      <tr><th scope="row">\(self.say(.verifyNote))</th><td><code>bus-migrator report --verify FILE</code></td></tr>\
      <tr><th scope="row">\(self.say(.verifyChainNote))</th><td><code>bus-migrator audit verify --expect-head \(head.hash)</code></td></tr>\
      </table>

      """
    page += self.part(.versionsTitle)
    let dialects = [(facts.pulje.source, facts.pulje.sourceDialect), (facts.pulje.target, facts.pulje.targetDialect)].map {
      "\($0.0): \($0.1?.rawValue ?? self.say(.unknownDialect))"
    }
    page += self.key([
      (.program, "bus-migrator \(facts.given.program)"), (.schema, facts.schema), (.eventVersion, "\(MigrationEvent.version)"),
      (.dialects, dialects.joined(separator: ", ")),
    ])
    return page
  }
}
