// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Testing

@testable import bus_migrator

@Suite("The dashboard's words: every one in both languages, and one for everything that can be shown")
struct DashboardWordsTests {
  private static func words() throws -> [String: [String: String]] {
    try JSONDecoder().decode([String: [String: String]].self, from: Data(PackageResources.words_json))
  }

  @Test("each key has both languages, neither is empty, and both take the same values")
  func both() throws {
    let words = try Self.words()
    #expect(words.count > 100)
    for (key, texts) in words {
      #expect(Set(texts.keys) == ["nb", "en"], "\(key)")
      #expect(texts.values.allSatisfy { !$0.trimmingCharacters(in: .whitespaces).isEmpty }, "\(key)")
      let places = texts.values.map { text in Set(text.matches(of: /\{[a-z]+\}/).map { String($0.output) }) }
      #expect(Set(places).count == 1, "\(key): the languages take different values")
    }
  }

  @Test("whatever the daemon may show has words")
  func all() throws {
    let words = try Self.words()
    var keys: [String] = []
    keys += GroupPhase.allCases.map { "phase.\($0.rawValue)" }
    keys += PuljePhase.allCases.map { "pulje.\($0.rawValue)" }
    keys += WaitReason.Code.allCases.map { "code.\($0.rawValue)" }
    keys += Hold.Code.allCases.map { "code.\($0.rawValue)" }
    keys += WayBack.Reason.Code.allCases.map { "code.\($0.rawValue)" }
    keys += [StaleSender.code, StandingShovel.stayingCode].map { "code.\($0)" }
    keys += StandingCondition.Weight.allCases.map { "weight.\($0.rawValue)" }
    keys += StrandedClass.allCases.map { "class.\($0.rawValue)" }
    keys += WayBack.Light.allCases.map { "light.\($0.rawValue)" }
    keys += GroupGlance.Turn.allCases.map { "turn.\($0.rawValue)" }
    keys += WaitEstimate.Kind.allCases.map { "estimate.\($0.rawValue)" }
    keys += PingCheck.allCases.map { "ping.\($0.rawValue)" }
    keys += QueueKind.allCases.map { "queue.\($0.rawValue)" }
    keys += Finding<PingCheck>.Result.allCases.map { "result.\($0.rawValue)" }
    keys += ControlRole.allCases.map { "role.\($0.rawValue)" }
    for key in keys { #expect(words[key] != nil, "\(key)") }
  }

  @Test("whatever the scripts say is in the table, and nothing is in it that nobody says")
  func used() throws {
    let words = try Self.words()
    let scripts = DashboardPages.pieces.filter { $0.key != "/dashboard/words.js" }.values.map {
      String(decoding: $0.bytes, as: UTF8.self)
    }
    .joined(separator: "\n")
    for match in scripts.matches(of: /\b(?:say|sayIn)\("([a-z][A-Za-z.-]*)"/) {
      #expect(words[String(match.output.1)] != nil, "\(match.output.1)")
    }
    for match in scripts.matches(of: /data-word(?:-[a-z]+)?="([^"]+)"/) {
      #expect(words[String(match.output.1)] != nil, "\(match.output.1)")
    }
    let families = [
      "phase.", "pulje.", "code.", "class.", "light.", "turn.", "estimate.", "ping.", "queue.", "doing.", "connection.",
      "result.", "role.", "stage.", "weight.",
    ]
    for key in words.keys where !families.contains(where: { key.hasPrefix($0) }) {
      let isSaid = scripts.contains("\"\(key)\"")
      #expect(isSaid, "nobody says \(key)")
    }
  }

  @Test("the page asks for nothing that is not handed out, and for nothing from elsewhere")
  func outside() {
    for (path, piece) in DashboardPages.pieces {
      let text = String(decoding: piece.bytes, as: UTF8.self)
      for match in text.matches(of: /(?:src|href|from|import)\s*=?\s*\(?["']((?:\.?\/|https?:|data:)[^"'#]*)["']/) {
        let name = String(match.output.1)
        let whole = name.hasPrefix("./") ? "/dashboard/" + name.dropFirst(2) : name
        #expect(DashboardPages.pieces[whole] != nil || name.hasPrefix("data:"), "\(path) names \(name)")
      }
      let unsafe = ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style=\""].filter(text.contains)
      #expect(unsafe == [], "\(path)")
    }
  }
}
