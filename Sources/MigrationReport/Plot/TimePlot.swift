// SPDX-License-Identifier: Apache-2.0

import Migration

/// How the texts of a plot look. As attributes: programs that print do not bring the page's style sheet into its drawings.
enum SVGInk {
  static let small: Markup =
    "font-family=\"Liberation Sans, Arial, DejaVu Sans, sans-serif\" font-size=\"10\" fill=\"#444\""
  static let name: Markup =
    "font-family=\"Liberation Sans, Arial, DejaVu Sans, sans-serif\" font-size=\"10.5\" font-weight=\"bold\" fill=\"#1a1a1a\""
}

/// Lines over time as SVG. It reads without colour: lines differ by their dashes, and each bears its name at its end.
struct TimePlot {
  enum Style: Int, CaseIterable {
    case solid, dashed, dotted

    var ink: Markup {
      switch self {
      case .solid: "fill=\"none\" stroke=\"#12507b\" stroke-width=\"1.8\""
      case .dashed: "fill=\"none\" stroke=\"#8a3b00\" stroke-width=\"1.8\" stroke-dasharray=\"7 4\""
      case .dotted: "fill=\"none\" stroke=\"#2b6b2b\" stroke-width=\"1.8\" stroke-dasharray=\"1.5 3\""
      }
    }
  }

  struct Point: Hashable {
    var at: Instant
    /// Where the span that it stands for ends.
    var end: Instant
    var value: Int64
  }

  struct Line {
    var label: String
    var style: Style
    /// A gap between two stretches is drawn as none.
    var stretches: [[Point]]
    /// When something could not be read, or failed.
    var missed: [Instant] = []
  }

  struct Mark {
    var at: Instant
    var label: String
  }

  var title: String
  var description: String
  var unit: String
  var lines: [Line]
  var marks: [Mark] = []
  var axis: TimeAxis

  private static let width = 720.0
  private static let height = 250.0
  private static let left = 58.0
  private static let right = 140.0
  private static let top = 26.0
  private static let bottom = 40.0

  private var plotWidth: Double { Self.width - Self.left - Self.right }
  private var plotHeight: Double { Self.height - Self.top - Self.bottom }

  func svg(_ language: ReportLanguage, id: String) -> Markup {
    let scale = CountAxis(most: self.lines.flatMap { $0.stretches.flatMap { $0.map(\.value) } }.max() ?? 1)
    func x(_ instant: Instant) -> Double { Self.left + min(1, max(0, self.axis.place(instant))) * self.plotWidth }
    func y(_ value: Int64) -> Double { Self.top + (1 - scale.place(value)) * self.plotHeight }
    var svg: Markup =
      "<svg class=\"plot\" viewBox=\"0 0 720 250\" role=\"img\" aria-labelledby=\"\(id)-t \(id)-d\"><title id=\"\(id)-t\">\(self.title)</title><desc id=\"\(id)-d\">\(self.description)</desc>"
    for tick in scale.ticks {
      svg +=
        "<line stroke=\"#e2e5ea\" stroke-width=\"1\" x1=\"\(Self.number(Self.left))\" x2=\"\(Self.number(Self.left + self.plotWidth))\" y1=\"\(Self.number(y(tick)))\" y2=\"\(Self.number(y(tick)))\"/>"
      svg +=
        "<text \(SVGInk.small) text-anchor=\"end\" x=\"\(Self.number(Self.left - 6))\" y=\"\(Self.number(y(tick) + 3.5))\">\(language.number(tick))</text>"
    }
    svg +=
      "<text \(SVGInk.small) x=\"\(Self.number(Self.left - 6))\" y=\"\(Self.number(Self.top - 12))\" text-anchor=\"end\">\(self.unit)</text>"
    var lastLabel = -100.0
    for tick in self.axis.ticks(language) {
      let place = x(tick.at)
      svg +=
        "<line stroke=\"#444\" stroke-width=\"1\" x1=\"\(Self.number(place))\" x2=\"\(Self.number(place))\" y1=\"\(Self.number(Self.top + self.plotHeight))\" y2=\"\(Self.number(Self.top + self.plotHeight + 5))\"/>"
      // A label that would lie over the one before is left out; its mark stands.
      guard place - lastLabel > 42 else { continue }
      lastLabel = place
      svg +=
        "<text \(SVGInk.small) text-anchor=\"middle\" x=\"\(Self.number(place))\" y=\"\(Self.number(Self.top + self.plotHeight + 17))\">\(tick.label)</text>"
    }
    svg +=
      "<line stroke=\"#444\" stroke-width=\"1\" x1=\"\(Self.number(Self.left))\" x2=\"\(Self.number(Self.left + self.plotWidth))\" y1=\"\(Self.number(Self.top + self.plotHeight))\" y2=\"\(Self.number(Self.top + self.plotHeight))\"/>"
    svg += self.marked(x)
    svg += self.drawn(x, y)
    svg += "</svg>"
    return svg
  }

  private func marked(_ x: (Instant) -> Double) -> Markup {
    var svg: Markup = ""
    var last = -200.0
    for mark in self.marks.sorted(by: { $0.at < $1.at }) where mark.at >= self.axis.from && mark.at <= self.axis.to {
      let place = x(mark.at)
      svg +=
        "<line stroke=\"#444\" stroke-width=\"1\" stroke-dasharray=\"1 3\" x1=\"\(Self.number(place))\" x2=\"\(Self.number(place))\" y1=\"\(Self.number(Self.top - 4))\" y2=\"\(Self.number(Self.top + self.plotHeight))\"/>"
      guard place - last > 90 else { continue }
      last = place
      svg += "<text \(SVGInk.small) x=\"\(Self.number(place + 3))\" y=\"\(Self.number(Self.top - 6))\">\(mark.label)</text>"
    }
    return svg
  }

  private func drawn(_ x: (Instant) -> Double, _ y: (Int64) -> Double) -> Markup {
    var svg: Markup = ""
    var labels: [(y: Double, text: String)] = []
    for line in self.lines {
      for stretch in line.stretches where !stretch.isEmpty {
        // A figure holds for its whole span: steps, and no slopes that nobody measured.
        var path = ""
        for (index, point) in stretch.enumerated() {
          path +=
            "\(index == 0 ? "M" : "L")\(Self.number(x(point.at))) \(Self.number(y(point.value)))H\(Self.number(x(point.end)))"
        }
        svg += "<path \(line.style.ink) d=\"\(path)\"/>"
      }
      for missed in line.missed {
        let place = x(missed)
        let base = Self.top + self.plotHeight
        svg +=
          "<path stroke=\"#b00020\" stroke-width=\"1.1\" fill=\"none\" d=\"M\(Self.number(place - 2.5)) \(Self.number(base - 8))l5 5m0 -5l-5 5\"/>"
      }
      if let last = line.stretches.last?.last { labels.append((y(last.value), line.label)) }
    }
    // Names that would lie over each other are moved apart.
    labels.sort { $0.y < $1.y }
    var floor = Self.top
    for label in labels {
      let place = max(floor, label.y + 3.5)
      floor = place + 13
      svg +=
        "<text \(SVGInk.name) x=\"\(Self.number(Self.left + self.plotWidth + 6))\" y=\"\(Self.number(place))\">\(label.text)</text>"
    }
    return svg
  }

  /// With one decimal: the same digits on every machine.
  static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}

extension TimeBuckets {
  /// As a line: figures that follow each other within `gap` spans are one stretch.
  func line(_ label: String, _ style: TimePlot.Style, holds: Bool, value: (Bucket) -> Int64) -> TimePlot.Line {
    var stretches: [[TimePlot.Point]] = []
    var missed: [Instant] = []
    var isBroken = true
    for bucket in self.buckets {
      if bucket.missed > 0 { missed.append(self.begin(of: bucket)) }
      guard bucket.count > 0 else {
        // A look at a depth that failed ends what is known.
        isBroken = true
        continue
      }
      let point = TimePlot.Point(at: self.begin(of: bucket), end: self.end(of: bucket), value: value(bucket))
      if holds, !isBroken, let last = stretches.indices.last, let before = stretches[last].indices.last {
        // What was read holds until it is read again.
        stretches[last][before].end = point.at
        stretches[last].append(point)
      } else {
        stretches.append([point])
      }
      isBroken = false
    }
    return TimePlot.Line(label: label, style: style, stretches: stretches, missed: missed)
  }
}
