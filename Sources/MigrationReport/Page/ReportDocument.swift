// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Migration

/// A report as it is written: its facts, and the checksum over them.
public struct ReportDocument: Sendable {
  public let facts: ReportFacts
  /// The facts in canonical JSON.
  public let factsJSON: Data
  /// SHA-256 of it, lower-case hexadecimal.
  public let checksum: String

  static let schema = "bus-migrator/report-file/1"
  static let open = "<script type=\"application/json\" id=\"report-facts\">"
  static let close = "</script>"

  /// - Throws: what the encoder throws; nothing in facts makes it.
  public init(_ facts: ReportFacts) throws {
    self.facts = facts
    self.factsJSON = try CanonicalJSON.encode(facts)
    self.checksum = Self.checksum(self.factsJSON)
  }

  static func checksum(_ data: Data) -> String { CanonicalJSON.hex(SHA256.hash(data: data)) }

  /// The report as JSON: the facts with their checksum.
  public var json: Data {
    Data("{\"schema\":\"\(Self.schema)\",\"sha256\":\"\(self.checksum)\",\"facts\":".utf8) + self.factsJSON + Data("}\n".utf8)
  }

  /// The report as one page that needs nothing else: style, plots and the facts themselves stand in it.
  public func html(_ language: ReportLanguage) -> String { ReportPage(self, language).html }

  /// The JSON as it stands in the page: no text in it can end the block.
  var embedded: String {
    var text = ""
    for scalar in String(decoding: self.json, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "<": text += "\\u003c"
      case ">": text += "\\u003e"
      case "&": text += "\\u0026"
      case "\u{2028}": text += "\\u2028"
      case "\u{2029}": text += "\\u2029"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
