// SPDX-License-Identifier: Apache-2.0

import Migration

/// A course of numbers in one line of text. Pure.
public enum Sparkline {
  private static let levels: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// - Parameter width: characters; each stands for an equal span of time and shows the highest count in it. `?` is a look that could not
  ///   be read, a blank a span without any look, and `·` nothing: a single message is never shown as nothing.
  public static func text(_ trail: DepthTrail, width: Int = 16) -> String {
    guard width > 0, let first = trail.points.first, let last = trail.points.last else { return "" }
    let span = max(1, last.at.since(first.at).milliseconds)
    var cells = [Cell](repeating: .blank, count: width)
    for point in trail.points {
      let place = min(width - 1, Int(point.at.since(first.at).milliseconds * Int64(width) / span))
      cells[place].take(point.count)
    }
    let top = max(1, trail.points.compactMap(\.count).max() ?? 1)
    return String(cells.map { $0.character(top: top) })
  }

  private enum Cell {
    case blank, unreadable
    case count(Int64)

    mutating func take(_ count: Int64?) {
      switch (self, count) {
      case (.count(let was), let count?): self = .count(max(was, count))
      case (_, let count?): self = .count(count)
      case (.blank, nil): self = .unreadable
      case (_, nil): break
      }
    }

    func character(top: Int64) -> Character {
      switch self {
      case .blank: return " "
      case .unreadable: return "?"
      case .count(let count) where count <= 0: return "·"
      case .count(let count):
        let place = Double(count) / Double(top) * Double(Sparkline.levels.count)
        return Sparkline.levels[max(0, min(Sparkline.levels.count - 1, Int(place.rounded(.up)) - 1))]
      }
    }
  }
}
