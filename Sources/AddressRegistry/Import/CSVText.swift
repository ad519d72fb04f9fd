// SPDX-License-Identifier: Apache-2.0

/// Comma-separated values as RFC 4180 has them, read strictly: with the line of each row, for whoever has to mend it.
package enum CSVText {
  package struct Row: Equatable {
    /// Counted from 1, where the row begins.
    package var line: Int
    package var fields: [String]
  }

  package struct Problem: Error, Equatable {
    package var line: Int
    package var text: String
  }

  /// - Parameter separator: a comma, or the semicolon that Norwegian spreadsheets write.
  package static func rows(_ text: String, separator: Character) throws(Problem) -> [Row] {
    var rows: [Row] = []
    var row = Row(line: 1, fields: [])
    var field = ""
    var line = 1
    var isQuoted = false
    // After a closing quote only a separator, the row's end, or a second quote may come.
    var wasQuoted = false
    var isEmpty = true

    func endRow() {
      row.fields.append(field)
      // A blank line is no row.
      if !isEmpty { rows.append(row) }
      row = Row(line: line, fields: [])
      field = ""
      wasQuoted = false
      isEmpty = true
    }

    for character in text {
      if isQuoted {
        if character == "\"" {
          isQuoted = false
          wasQuoted = true
        } else {
          if character.isNewline { line += 1 }
          field.append(character)
        }
        continue
      }
      switch character {
      case "\"":
        if wasQuoted {
          field.append("\"")
          isQuoted = true
          wasQuoted = false
        } else if field.isEmpty {
          isQuoted = true
          isEmpty = false
        } else {
          throw Problem(line: line, text: "a quote inside a field that does not begin with one")
        }
      case separator:
        row.fields.append(field)
        field = ""
        wasQuoted = false
        isEmpty = false
      case _ where character.isNewline:
        line += 1
        endRow()
      default:
        if wasQuoted { throw Problem(line: line, text: "text after the closing quote of a field") }
        field.append(character)
        isEmpty = false
      }
    }
    if isQuoted { throw Problem(line: row.line, text: "a quote that is never closed") }
    if !isEmpty { endRow() }
    return rows
  }

  static func line(_ fields: [String]) -> String {
    fields.map { field in
      // A spreadsheet takes what begins like this for a formula: quoting does not help there, but nothing we write is changed.
      field.contains { $0 == "\"" || $0 == "," || $0 == ";" || $0.isNewline } || field.hasPrefix(" ") || field.hasSuffix(" ")
        ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
    }.joined(separator: ",") + "\r\n"
  }
}
