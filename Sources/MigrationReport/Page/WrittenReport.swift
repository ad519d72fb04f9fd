// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration

/// A report as it was found in a file, HTML or JSON: what it says of itself, and its figures as they stand there, not believed.
public struct WrittenReport: Sendable {
  public let given: ReportFacts.Given
  public let head: ReportFacts.Head
  public let pulje: PuljeName
  /// Its figures in canonical JSON.
  public let factsJSON: Data
  public let checksum: String
  /// The page, when it is one.
  public let page: String?
  public let language: ReportLanguage?

  private struct Own: Decodable {
    struct Pulje: Decodable { var name: PuljeName }
    var given: ReportFacts.Given
    var head: ReportFacts.Head
    var pulje: Pulje
  }

  /// Why it cannot be read.
  public struct Fault: Error, Sendable, Hashable {
    public var seen: String
  }

  /// - Throws: ``Fault``.
  public init(_ data: Data) throws(Fault) {
    guard let text = String(validating: data, as: UTF8.self) else { throw Fault(seen: "it is not UTF-8 text") }
    let json: Data
    if let open = text.range(of: ReportDocument.open) {
      guard let close = text.range(of: ReportDocument.close, range: open.upperBound..<text.endIndex) else {
        throw Fault(seen: "the block of figures in the page has no end")
      }
      json = Data(text[open.upperBound..<close.lowerBound].utf8)
      self.page = text
      guard let language = ReportLanguage.allCases.first(where: { text.contains("<html lang=\"\($0.rawValue)\">") }) else {
        throw Fault(seen: "the page is in no language that reports are written in")
      }
      self.language = language
    } else {
      json = data
      self.page = nil
      self.language = nil
    }
    guard let file = (try? JSONSerialization.jsonObject(with: json)) as? [String: Any],
      let facts = file["facts"] as? [String: Any]
    else {
      throw Fault(seen: "no figures of a pilot report are in it")
    }
    guard file["schema"] as? String == ReportDocument.schema, let checksum = file["sha256"] as? String else {
      throw Fault(
        seen: "its form is \(String(((file["schema"] as? String) ?? "not told").prefix(60))), known is \(ReportDocument.schema)")
    }
    do {
      self.factsJSON = try JSONSerialization.data(withJSONObject: facts, options: [.sortedKeys, .withoutEscapingSlashes])
      let own = try JSONDecoder().decode(Own.self, from: self.factsJSON)
      (self.given, self.head, self.pulje) = (own.given, own.head, own.pulje.name)
    } catch { throw Fault(seen: "what it says of itself cannot be read: when it was made, of which pulje, up to which event") }
    self.checksum = checksum
  }
}

/// What a report says, held against what the history says.
public struct ReportVerification: Sendable, Hashable, Codable {
  public struct Difference: Sendable, Hashable, Codable {
    /// Where in the facts, or which line of the page.
    public var place: String
    /// Nil for what should be there and is not.
    public var written: String?
    /// Nil for what should not be there.
    public var recomputed: String?
  }

  public var schema = "bus-migrator/report-verification/1"
  public var pulje: PuljeName
  public var head: ReportFacts.Head
  /// Figures that differ, by their place in the facts.
  public var figures: [Difference]
  /// Lines of the page that say otherwise than the figures.
  public var lines: [Difference]
  /// Whether the report's checksum is that of its figures.
  public var checksumHolds: Bool
  /// Whether the page was compared: only the same version writes the same page.
  public var pageCompared: Bool

  public var isEqual: Bool { self.figures.isEmpty && self.lines.isEmpty && self.checksumHolds }

  /// - Parameters:
  ///   - recomputed: from the history up to the report's head, with what was given to the report.
  ///   - program: the version of this program.
  public init(_ written: WrittenReport, recomputed: ReportDocument, program: String) {
    self.pulje = written.pulje
    self.head = written.head
    self.checksumHolds = ReportDocument.checksum(written.factsJSON) == written.checksum
    var figures: [Difference] = []
    let both = [written.factsJSON, recomputed.factsJSON].map { try? JSONSerialization.jsonObject(with: $0) }
    if written.factsJSON != recomputed.factsJSON { Self.compare(both[0], both[1], at: "", into: &figures) }
    self.figures = figures
    self.pageCompared = written.page != nil && written.given.program == program
    self.lines = []
    if self.pageCompared, let page = written.page, let language = written.language {
      self.lines = Self.compare(page, recomputed.html(language))
    }
  }

  private static func compare(_ written: Any?, _ recomputed: Any?, at place: String, into found: inout [Difference]) {
    switch (written, recomputed) {
    case (let one as [String: Any], let other as [String: Any]):
      for key in Set(one.keys).union(other.keys).sorted() {
        Self.compare(one[key], other[key], at: place.isEmpty ? key : "\(place).\(key)", into: &found)
      }
    case (let one as [Any], let other as [Any]):
      for index in 0..<max(one.count, other.count) {
        let element = index < other.count ? other[index] : one[index]
        let values = element as? [String: Any]
        let name = (values?["herID"] ?? values?["id"]).map { " (HER-ID \($0))" } ?? ""
        Self.compare(
          index < one.count ? one[index] : nil, index < other.count ? other[index] : nil, at: "\(place)[\(index)]\(name)",
          into: &found)
      }
    default:
      let (one, other) = (Self.text(written), Self.text(recomputed))
      if one != other { found.append(Difference(place: place, written: one, recomputed: other)) }
    }
  }

  private static let longest = 300

  private static func text(_ value: Any?) -> String? {
    guard let value else { return nil }
    let data = try? JSONSerialization.data(
      withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
    return data.map { String(String(decoding: $0, as: UTF8.self).prefix(Self.longest)) }
  }

  /// Line by line; the block of figures is compared as figures.
  private static func compare(_ written: String, _ recomputed: String) -> [Difference] {
    let one = written.split(separator: "\n", omittingEmptySubsequences: false)
    let other = recomputed.split(separator: "\n", omittingEmptySubsequences: false)
    var found: [Difference] = []
    for index in 0..<max(one.count, other.count) {
      let (line, should) = (index < one.count ? one[index] : nil, index < other.count ? other[index] : nil)
      if line == should || line?.hasPrefix(ReportDocument.open) == true && should?.hasPrefix(ReportDocument.open) == true {
        continue
      }
      found.append(Difference(place: "line \(index + 1)", written: line.map(Self.shown), recomputed: should.map(Self.shown)))
    }
    return found
  }

  /// A line as a reader sees it.
  private static func shown(_ line: Substring) -> String {
    var text = ""
    var isTag = false
    for character in line {
      switch character {
      case "<": isTag = true
      case ">":
        isTag = false
        text += " "
      default: if !isTag { text.append(character) }
      }
    }
    let words = text.split(separator: " ").joined(separator: " ")
    return String((words.isEmpty ? String(line) : words).prefix(Self.longest))
  }
}
