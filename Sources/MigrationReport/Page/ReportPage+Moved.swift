// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

extension ReportPage {
  /// What moved, when, by whom.
  var whatMoved: Markup {
    var page = self.section(.whatMoved, note: self.say(.whatMovedNote))
    page += self.part(.groupsByPhase)
    let phases = GroupPhase.allCases.compactMap { phase -> [Markup]? in
      guard let count = self.facts.counts.groupsByPhase[phase.rawValue], count > 0 else { return nil }
      return [self.cell(self.say(ReportNames.word(phase))), self.figure(count)]
    }
    page += self.table([.phase, .groups], numbers: [1], phases)
    page += self.sums
    page += "<div class=\"wide\">\n"
    page += self.table(
      [
        .herID, .name, .vendor, .organisation, .wave, .phase, .entry, .cutOver, .applied, .verified, .drained, .watchUntil,
        .accepted, .by,
      ],
      numbers: [4], self.facts.parties.map(self.row))
    page += "</div>\n"
    let turned = self.facts.groups.filter { $0.rollBack != nil || $0.withdrawal != nil }
    page += self.part(.rollBacksTitle)
    page +=
      turned.isEmpty
      ? "<p>\(self.say(.none))</p>" : self.table([.group, .by, .turnedAt, .restoredAt, .duration, .why], turned.map(self.turned))
    page += self.part(.commandsTitle, note: self.say(.commandsNote))
    page +=
      self.facts.commands.isEmpty
      ? "<p>\(self.say(.commandsNone))</p>\n"
      : self.table(
        [.time, .command, .by, .giver, .role, .parties, .status, .why], numbers: [5],
        self.facts.commands.map { command in
          [
            "\(self.language.time(command.at, seconds: true))", "<code>\(command.verb)</code>",
            self.cell(command.by.joined(separator: ", ")),
            self.cell(command.giver), self.cell(command.role),
            command.parties == 0 ? self.cell(self.say(.allGroups)) : self.figure(command.parties),
            "<code>\(command.status)</code>",
            self.quote(command.reason),
          ]
        })
    return page
  }

  private func row(_ party: ReportFacts.Party) -> [Markup] {
    let group = self.facts.groups[party.group]
    let organisation = [
      party.organisationNumber.map { "\($0)" }, party.parent.map { self.say(.below, "\($0)") },
    ].compactMap { $0 }.joined(separator: ", ")
    let entry = self.say(ReportNames.writing(party.writing))
    return [
      self.cell("\(party.herID)"), self.cell(party.name), self.cell(party.vendor), self.cell(organisation),
      self.cell(group.wave.map { "\($0)" } ?? "\u{2013}"), self.cell(self.say(ReportNames.word(group.phase))),
      self.cell(party.isWritten ? entry : "\(entry) (\(self.say(.inherits, "\(group.id.lowest)")))"),
      self.moment(group.cutOverStartedAt),
      self.moment(group.appliedAt), self.moment(group.verifiedAt), self.moment(group.drainedAt), self.moment(group.watchUntil),
      self.moment(group.acceptedAt), self.cell((group.acceptedBy ?? []).joined(separator: ", ")),
    ]
  }

  private func turned(_ group: ReportFacts.Group) -> [Markup] {
    let note = group.rollBack ?? group.withdrawal
    let end = group.rollBack == nil ? group.withdrawal?.at : group.restoredAt
    return [
      self.cell("\(group.id.lowest)"), self.cell(note?.by ?? ""), self.moment(note?.at),
      end == nil ? self.cell(self.say(.onTheWay)) : self.moment(end),
      self.cell(note.flatMap { note in end.map { self.language.span($0.since(note.at).milliseconds) } } ?? "\u{2013}"),
      self.quote(note?.why ?? ""),
    ]
  }

  /// By wave and by vendor: what a page can hold of thousands of parties.
  private var sums: Markup {
    struct Sum {
      var parties = 0
      var moved = 0
      var verified = 0
      var drained = 0
      var accepted = 0
      var back = 0
      var first: Instant?
      var last: Instant?
    }
    func sums<Key: Hashable & Comparable>(_ key: (ReportFacts.Party, ReportFacts.Group) -> Key?) -> [(Key, Sum)] {
      var sums: [Key: Sum] = [:]
      for party in self.facts.parties {
        let group = self.facts.groups[party.group]
        guard let key = key(party, group) else { continue }
        var sum = sums[key, default: Sum()]
        sum.parties += 1
        if group.direction == .forward, party.writing == "at-goal" { sum.moved += 1 }
        if group.verifiedAt != nil { sum.verified += 1 }
        if group.drainedAt != nil { sum.drained += 1 }
        if group.acceptedAt != nil { sum.accepted += 1 }
        if group.rollBack != nil { sum.back += 1 }
        if let at = group.cutOverStartedAt {
          sum.first = min(sum.first ?? at, at)
          sum.last = max(sum.last ?? at, at)
        }
        sums[key] = sum
      }
      return sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    func table(_ title: ReportWord, _ head: ReportWord, _ rows: [(String, Sum)]) -> Markup {
      if rows.isEmpty { return "" }
      return self.part(title)
        .adding(
          self.table(
            [head, .parties, .moved, .verified, .drained, .accepted, .rolledBackParties, .firstWritten, .lastWritten],
            numbers: [1, 2, 3, 4, 5, 6],
            rows.map { name, sum in
              [
                self.cell(name), self.figure(sum.parties), self.figure(sum.moved), self.figure(sum.verified),
                self.figure(sum.drained),
                self.figure(sum.accepted), self.figure(sum.back), self.moment(sum.first), self.moment(sum.last),
              ]
            }))
    }
    return [
      table(.byWave, .wave, sums { _, group in group.wave }.map { ("\($0)", $1) }),
      table(.byVendor, .vendor, sums { party, _ in party.vendor }),
    ].joined
  }
}

extension Markup {
  func adding(_ other: Markup) -> Markup {
    var both = self
    both += other
    return both
  }
}
