// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

extension ReportPage {
  /// How it went, over time.
  var plots: Markup {
    [self.section(.plots), self.depth, self.latency, self.late, self.service].joined
  }

  private var marks: [TimePlot.Mark] {
    let written = self.facts.groups.compactMap(\.cutOverStartedAt)
    let drained = self.facts.groups.compactMap(\.drainedAt)
    let accepted = self.facts.groups.compactMap(\.acceptedAt)
    return [
      written.min().map { TimePlot.Mark(at: $0, label: self.say(.firstWritten)) },
      drained.max().map { TimePlot.Mark(at: $0, label: self.say(.drained)) },
      accepted.max().map { TimePlot.Mark(at: $0, label: self.say(.accepted)) },
    ].compactMap { $0 }
  }

  private func axis(_ buckets: [TimeBuckets]) -> TimeAxis? {
    let shown = buckets.filter { !$0.buckets.isEmpty }
    let from = shown.compactMap { buckets in buckets.buckets.first.map { buckets.begin(of: $0) } }.min()
    let to = shown.compactMap { buckets in buckets.buckets.last.map { buckets.end(of: $0) } }.max()
    guard let from, let to else { return nil }
    return TimeAxis(from: from, to: to)
  }

  private var depth: Markup {
    let (source, target) = (self.facts.plots.sourceDepth, self.facts.plots.targetDepth)
    var page = self.part(.depthTitle, note: self.say(.depthNote))
    guard let axis = self.axis([source, target]), !source.isEmpty || !target.isEmpty else {
      return page.adding("<p>\(self.say(.depthNone))</p>\n")
    }
    let plot = TimePlot(
      title: self.say(.depthTitle), description: self.say(.depthNote), unit: self.say(.messages),
      lines: [
        source.line("\(self.say(.source)): \(self.facts.pulje.source)", .solid, holds: true) { $0.most },
        target.line("\(self.say(.target)): \(self.facts.pulje.target)", .dashed, holds: true) { $0.most },
      ], marks: self.marks, axis: axis)
    page += "<figure>\(plot.svg(self.language, id: "depth"))</figure>\n"
    if target.isEmpty { page += "<p class=\"note\">\(self.say(.targetDepthNone))</p>\n" }
    page += self.figures([(self.say(.source), source), (self.say(.target), target)])
    return page
  }

  private var latency: Markup {
    let (accepted, answered) = (self.facts.plots.accepted, self.facts.plots.answered)
    var page = self.part(.latencyTitle, note: self.say(.latencyNote))
    guard let axis = self.axis([accepted, answered]), !accepted.isEmpty else {
      return page.adding("<p>\(self.say(.latencyNone))</p>\n")
    }
    var lines = [
      accepted.line(self.say(.mean), .solid, holds: false) { $0.count > 0 ? $0.sum / $0.count : 0 },
      accepted.line(self.say(.longest), .dotted, holds: false) { $0.most },
    ]
    lines[1].missed = []
    if !answered.isEmpty {
      lines.append(answered.line(self.say(.answered), .dashed, holds: false) { $0.count > 0 ? $0.sum / $0.count : 0 })
    }
    let plot = TimePlot(
      title: self.say(.latencyTitle), description: self.say(.latencyNote), unit: self.say(.milliseconds), lines: lines,
      marks: self.marks, axis: axis)
    page += "<figure>\(plot.svg(self.language, id: "latency"))</figure>\n"
    let service = self.facts.service
    page += """
      <p>\(self.say(
        .latencySummary, self.language.number(service.latencies), self.language.span(service.latencyMedian),
        self.language.span(service.latency95), self.language.span(service.latencyMost)))</p>

      """
    page += self.figures([(self.say(.checkAccepted), accepted), (self.say(.answered), answered)])
    return page
  }

  private var late: Markup {
    let late = self.facts.late
    var page = self.part(.lateTitle, note: self.say(.lateNote))
    guard !late.days.isEmpty else { return page.adding("<p>\(self.say(.lateNone))</p>\n") }
    let plot = DayPlot(
      title: self.say(.lateTitle), description: self.say(.lateNote),
      bars: late.days.map { day in
        DayPlot.Bar(label: self.language.date(day.date), value: max(day.counted, day.byClass.values.reduce(0, +)))
      })
    page += "<figure>\(plot.svg(self.language, id: "late"))</figure>\n"
    let classes = StrandedClass.allCases.filter { kind in late.days.contains { $0.byClass[kind.rawValue] != nil } }
    var head = "<th scope=\"col\">\(self.say(.day))</th><th scope=\"col\" class=\"n\">\(self.say(.counted))</th>" as Markup
    for kind in classes {
      head += "<th scope=\"col\" class=\"n\">\(self.say(ReportNames.words(kind).name)) <code>\(kind.code)</code></th>"
    }
    var rows: Markup = ""
    for day in late.days {
      rows += "<tr><td class=\"t\">\(self.language.date(day.date))</td><td class=\"n\">\(self.language.number(day.counted))</td>"
      for kind in classes { rows += "<td class=\"n\">\(self.language.number(day.byClass[kind.rawValue] ?? 0))</td>" }
      rows += "</tr>\n"
    }
    page += "<table><thead><tr>\(head)</tr></thead><tbody>\(rows)</tbody></table>\n"
    if !late.senders.isEmpty {
      page += self.table(
        [.sender, .system, .library, .strandedClass, .count, .first, .last, .meaning], numbers: [4],
        late.senders.map { sender in
          let words = ReportNames.words(sender.strandedClass)
          return [
            self.cell(sender.herID.map { "\(self.say(.herID)) \($0)" } ?? self.say(.senderUnknown)),
            self.cell(sender.system ?? ""),
            self.cell(sender.library ?? ""), "\(self.say(words.name)) <code>\(sender.strandedClass.code)</code>",
            self.figure(sender.count), self.moment(sender.first), self.moment(sender.last), self.cell(self.say(words.meaning)),
          ]
        })
    }
    return page
  }

  private var service: Markup {
    let service = self.facts.service
    var page = self.part(.serviceTitle, note: self.say(.serviceNote))
    let stretches: [(ReportWord, ServiceFigures.Stretch)] = [
      (.serviceBefore, service.before), (.serviceDuring, service.during), (.serviceAfter, service.after),
    ]
    page += self.table(
      [.time, .from, .to, .looksAtCounters, .unreadable, .arrivals, .perGroupHour, .mostOnOneQueue], numbers: [3, 4, 5, 6, 7],
      stretches.map { word, stretch in
        guard stretch.looks > 0 else {
          return [self.cell(self.say(word)), self.cell(self.say(.notMeasured))] + Array(repeating: "\u{2013}", count: 6)
        }
        let rate = stretch.countedFor > 0 ? stretch.arrivals * 36_000_000 / stretch.countedFor : nil
        return [
          self.cell(self.say(word)), self.moment(stretch.from), self.moment(stretch.to), self.figure(stretch.looks),
          self.figure(stretch.unreadable),
          stretch.countsArrivals ? self.figure(stretch.arrivals) : self.cell(self.say(.notCountedByBus)),
          self.cell(rate.map { self.language.decimal(tenths: $0) } ?? "\u{2013}"), self.figure(stretch.mostOnOneQueue),
        ]
      })
    let (source, target) = (self.facts.plots.sourceArrivals, self.facts.plots.targetArrivals)
    if let axis = self.axis([source, target]), !source.isEmpty || !target.isEmpty {
      let plot = TimePlot(
        title: self.say(.arrivalsTitle), description: self.say(.serviceNote), unit: self.say(.messages),
        lines: [
          source.line("\(self.say(.source)): \(self.facts.pulje.source)", .solid, holds: true) { $0.sum },
          target.line("\(self.say(.target)): \(self.facts.pulje.target)", .dashed, holds: true) { $0.sum },
        ], marks: self.marks, axis: axis)
      page += "<figure>\(plot.svg(self.language, id: "arrivals"))</figure>\n"
      page += self.figures([(self.say(.source), source), (self.say(.target), target)])
    } else {
      page += "<p>\(self.say(.arrivalsNone))</p>\n"
    }
    page += self.part(.unprovenTitle)
    if service.unprovenGroups > 0 {
      page += """
        <p>\(self.say(
          .unprovenNote, self.language.number(service.unprovenGroups), self.language.span(service.unprovenShortest),
          self.language.span(service.unprovenMedian), self.language.span(service.unprovenLongest)))</p>

        """
    } else {
      page += "<p>\(self.say(.unprovenNone))</p>\n"
    }
    return page
  }

  /// The figures of a plot for who cannot see it.
  private func figures(_ lines: [(String, TimeBuckets)]) -> Markup {
    let rows = lines.flatMap { name, buckets in
      buckets.buckets.map { bucket -> [Markup] in
        [
          self.cell(name), self.moment(buckets.begin(of: bucket)), self.figure(bucket.count),
          bucket.count > 0 ? self.figure(bucket.least) : "\u{2013}",
          bucket.count > 0 ? self.cell(self.language.decimal(tenths: bucket.sum * 10 / bucket.count)) : "\u{2013}",
          bucket.count > 0 ? self.figure(bucket.most) : "\u{2013}", self.figure(bucket.missed),
        ]
      }
    }
    let table = self.table([.what, .time, .count, .least, .mean, .most, .missed], numbers: [2, 3, 4, 5, 6], rows, folds: false)
    return "<details class=\"full\"><summary>\(self.say(.asTable))</summary>\(table)</details>\n"
  }
}
