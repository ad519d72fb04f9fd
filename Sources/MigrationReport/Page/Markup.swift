// SPDX-License-Identifier: Apache-2.0

/// HTML that is being put together. What stands in the source as a literal is markup; whatever is filled in is text and comes out escaped, so that
/// nobody's display name or reason can become markup.
struct Markup: ExpressibleByStringInterpolation {
  private(set) var text: String

  init(stringLiteral value: String) { self.text = value }
  init(stringInterpolation interpolation: Interpolation) { self.text = interpolation.text }

  struct Interpolation: StringInterpolationProtocol {
    fileprivate(set) var text = ""

    init(literalCapacity: Int, interpolationCount: Int) { self.text.reserveCapacity(literalCapacity + interpolationCount * 12) }

    mutating func appendLiteral(_ literal: String) { self.text += literal }
    mutating func appendInterpolation(_ markup: Markup) { self.text += markup.text }
    mutating func appendInterpolation(_ text: String) { Markup.escape(text, into: &self.text) }
    mutating func appendInterpolation(_ number: Int) { self.text += String(number) }
    mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      Markup.escape(value.description, into: &self.text)
    }
  }

  static func += (lhs: inout Markup, rhs: Markup) { lhs.text += rhs.text }

  /// What a style sheet's or a data block's own maker has made safe.
  init(made text: String) { self.text = text }

  private static func escape(_ text: String, into result: inout String) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // Controls are no characters of HTML, and marks that turn the direction of writing could make a name read as another.
      case "\u{0}"..."\u{8}", "\u{b}", "\u{c}", "\u{e}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{202a}"..."\u{202e}",
        "\u{2066}"..."\u{2069}":
        result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
}

extension Sequence<Markup> {
  var joined: Markup { self.reduce(into: Markup("")) { $0 += $1 } }
}
