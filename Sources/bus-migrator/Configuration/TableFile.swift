// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import Foundation

/// A CSV file whose first line names its columns, read as strictly as the YAML files: an unknown column, a missing one and a cell that
/// does not fit are errors that name file, line and column. Comma or semicolon, as spreadsheets write.
struct TableFile {
  struct Row {
    let path: String
    let line: Int
    private let cells: [String: String]

    init(path: String, line: Int, cells: [String: String]) {
      self.path = path
      self.line = line
      self.cells = cells
    }

    /// nil for an empty cell and an absent column.
    func optional(_ column: String) -> String? {
      self.cells[column].map { $0.trimmingCharacters(in: .whitespaces) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    func required(_ column: String) throws -> String {
      guard let text = self.optional(column) else { throw CommandLineError.keyMissing(place: self.place(column), key: column) }
      return text
    }

    /// - Parameter read: nil for a cell that does not fit.
    func optional<Value>(_ column: String, wanted: String, _ read: (String) -> Value?) throws -> Value? {
      guard let text = self.optional(column) else { return nil }
      guard let value = read(text) else {
        throw CommandLineError.valueWrong(place: self.place(column), seen: "\"\(text.prefix(60))\"", wanted: wanted)
      }
      return value
    }

    private func place(_ column: String) -> String { "\(self.path), line \(self.line), column \(column)" }
  }

  static func rows(_ path: String, columns: [String], required: [String]) throws -> [Row] {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw CommandLineError.fileUnreadable(path: path, seen: isThere ? "it cannot be read" : "there is no such file")
    }
    guard var text = String(validating: data, as: UTF8.self) else {
      throw CommandLineError.fileUnreadable(path: path, seen: "it is not UTF-8 text")
    }
    if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
    return try Self.rows(text: text, path: path, columns: columns, required: required)
  }

  static func rows(text: String, path: String, columns: [String], required: [String]) throws -> [Row] {
    let head = text.prefix { !$0.isNewline }
    let rows: [CSVText.Row]
    do { rows = try CSVText.rows(text, separator: head.contains(";") && !head.contains(",") ? ";" : ",") } catch {
      throw CommandLineError.valueWrong(place: "\(path), line \(error.line)", seen: error.text, wanted: "comma-separated values")
    }
    guard let header = rows.first else {
      throw CommandLineError.valueWrong(place: path, seen: "an empty file", wanted: "a first line that names the columns")
    }
    let place = "\(path), line \(header.line)"
    for name in header.fields where !columns.contains(name) {
      throw CommandLineError.keyUnknown(place: place, key: String(name.prefix(60)), known: columns)
    }
    if Set(header.fields).count != header.fields.count {
      throw CommandLineError.valueWrong(place: place, seen: "a column twice", wanted: "each column once")
    }
    if let missing = required.first(where: { !header.fields.contains($0) }) {
      throw CommandLineError.keyMissing(place: place, key: missing)
    }
    return try rows.dropFirst().map { row in
      guard row.fields.count == header.fields.count else {
        throw CommandLineError.valueWrong(
          place: "\(path), line \(row.line)", seen: "\(row.fields.count) fields",
          wanted: "\(header.fields.count), as in the first line")
      }
      return Row(path: path, line: row.line, cells: Dictionary(zip(header.fields, row.fields)) { first, _ in first })
    }
  }
}
