// SPDX-License-Identifier: Apache-2.0

/// Rows under headings, in columns as wide as their widest cell. Pure.
struct TextTable {
  enum Side { case left, right }

  private var rows: [[String]]
  private let sides: [Side]

  init(_ columns: [(heading: String, side: Side)]) {
    self.rows = [columns.map(\.heading)]
    self.sides = columns.map(\.side)
  }

  /// Cells that are missing are blank.
  mutating func add(_ cells: [String]) {
    self.rows.append(Array((cells + Array(repeating: "", count: self.sides.count)).prefix(self.sides.count)))
  }

  var lines: [String] {
    let widths = self.sides.indices.map { column in self.rows.map { $0[column].count }.max() ?? 0 }
    return self.rows.map { row in
      let cells = self.sides.indices.map { column in
        let blanks = String(repeating: " ", count: widths[column] - row[column].count)
        return self.sides[column] == .left ? row[column] + blanks : blanks + row[column]
      }
      var line = cells.joined(separator: "  ")[...]
      while line.last == " " { line = line.dropLast() }
      return String(line)
    }
  }
}
