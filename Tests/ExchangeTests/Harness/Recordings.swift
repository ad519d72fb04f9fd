// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The transcripts that were recorded at real brokers, one file for each, and the list of known differences.
enum Recordings {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Recordings")

  private static func file(_ bus: Bus) -> URL { self.folder.appendingPathComponent("\(bus.rawValue).txt") }

  private static let all: [Bus: [String: [String]]] = Dictionary(
    uniqueKeysWithValues: Bus.allCases.map { ($0, (try? Self.parse(String(contentsOf: Self.file($0), encoding: .utf8))) ?? [:]) })

  static func transcript(_ row: String, at bus: Bus) -> [String]? { self.all[bus]?[row] }

  static func rows(at bus: Bus) -> Set<String> { Set(self.all[bus].map { Array($0.keys) } ?? []) }

  private static func parse(_ text: String) -> [String: [String]] {
    var rows: [String: [String]] = [:]
    var row: String?
    for line in text.split(separator: "\n").map(String.init) {
      if line.hasPrefix("== ") {
        row = String(line.dropFirst(3))
        rows[line.dropFirst(3).description] = []
      } else if let row, !line.hasPrefix("#") {
        rows[row]?.append(line)
      }
    }
    return rows
  }

  /// Writes the transcripts into the broker's file, beside those that are there.
  static func keep(_ transcripts: [String: [String]], at bus: Bus) throws {
    var rows = self.all[bus] ?? [:]
    rows.merge(transcripts) { $1 }
    let known = Row.all.filter { $0.buses.contains(bus) }.map(\.name)
    let text = known.compactMap { name in rows[name].map { "== \(name)\n" + $0.map { $0 + "\n" }.joined() } }.joined(
      separator: "\n")
    let head =
      "# What \(bus.rawValue) answered: > is the client, < the broker. Written by TJENESTEBUSS_RECORD=\(bus.rawValue).\n\n"
    try (head + text).write(to: self.file(bus), atomically: true, encoding: .utf8)
  }

  // MARK: Differences

  struct Difference: Hashable, Sendable {
    let bus: Bus
    let row: String
  }

  /// Where the embedded broker does otherwise, and why.
  static let differences: [Difference: String] = {
    let url = folder.appendingPathComponent("differences.txt")
    var found: [Difference: String] = [:]
    for line in ((try? String(contentsOf: url, encoding: .utf8)) ?? "").split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 3, let bus = Bus(rawValue: parts[0]) else { continue }
      found[Difference(bus: bus, row: parts[1])] = parts[2]
    }
    return found
  }()
}
