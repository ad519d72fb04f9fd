// SPDX-License-Identifier: Apache-2.0

/// Bars day by day as SVG. It reads without colour: each bar bears its figure, and parts differ by their pattern of strokes.
struct DayPlot {
  struct Bar {
    var label: String
    var value: Int64
  }

  var title: String
  var description: String
  var bars: [Bar]

  func svg(_ language: ReportLanguage, id: String) -> Markup {
    let scale = CountAxis(most: self.bars.map(\.value).max() ?? 1)
    let (left, top, width, height) = (58.0, 14.0, 650.0, 150.0)
    var svg: Markup =
      "<svg class=\"plot\" viewBox=\"0 0 720 200\" role=\"img\" aria-labelledby=\"\(id)-t \(id)-d\"><title id=\"\(id)-t\">\(self.title)</title><desc id=\"\(id)-d\">\(self.description)</desc>"
    for tick in scale.ticks {
      let y = TimePlot.number(top + (1 - scale.place(tick)) * height)
      svg += "<line stroke=\"#e2e5ea\" stroke-width=\"1\" x1=\"58\" x2=\"708\" y1=\"\(y)\" y2=\"\(y)\"/>"
      svg +=
        "<text \(SVGInk.small) text-anchor=\"end\" x=\"52\" y=\"\(TimePlot.number(top + (1 - scale.place(tick)) * height + 3.5))\">\(language.number(tick))</text>"
    }
    let slot = width / Double(max(1, self.bars.count))
    let thickness = min(40, slot * 0.7)
    let everyLabel = max(1, Int((46 / slot).rounded(.up)))
    for (index, bar) in self.bars.enumerated() {
      let middle = left + (Double(index) + 0.5) * slot
      let size = scale.place(bar.value) * height
      svg +=
        "<rect fill=\"#12507b\" x=\"\(TimePlot.number(middle - thickness / 2))\" y=\"\(TimePlot.number(top + height - size))\" width=\"\(TimePlot.number(thickness))\" height=\"\(TimePlot.number(size))\"/>"
      guard index % everyLabel == 0 else { continue }
      svg +=
        "<text \(SVGInk.small) text-anchor=\"middle\" x=\"\(TimePlot.number(middle))\" y=\"\(TimePlot.number(top + height + 15))\">\(bar.label)</text>"
      svg +=
        "<text \(SVGInk.small) text-anchor=\"middle\" x=\"\(TimePlot.number(middle))\" y=\"\(TimePlot.number(top + height - size - 3))\">\(language.number(bar.value))</text>"
    }
    svg += "<line stroke=\"#444\" stroke-width=\"1\" x1=\"58\" x2=\"708\" y1=\"164\" y2=\"164\"/></svg>"
    return svg
  }
}
