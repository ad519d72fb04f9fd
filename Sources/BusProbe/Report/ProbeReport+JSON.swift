// SPDX-License-Identifier: Apache-2.0

import Foundation

extension ProbeReport {
  private struct JSON: Encodable {
    struct Step: Encodable {
      var code: Int
      var name: String
      var verdict: String
      var ok: Bool
      var ms: Double?
      /// What was found, by a name that is the same in every language.
      var finding: String
      var seen: String
      var meaning: String
      var owner: String?
      var next: String
    }
    var schema = "bus-pinger/1"
    var her_id: String
    var kind: String
    var bus: String?
    var address: String?
    var status: String
    var evidence: [String]
    var steps: [Step]
  }

  /// One object on one line. Fields are only ever added.
  public func jsonLine(language: ProbeLanguage) -> String {
    let json = JSON(
      her_id: self.target, kind: self.kind.rawValue, bus: self.bus?.text, address: self.address?.description,
      status: self.status.word.lowercased(), evidence: self.evidence(language),
      steps: self.steps.map {
        JSON.Step(
          code: $0.code.rawValue, name: $0.code.name, verdict: $0.verdict.rawValue, ok: $0.verdict == .ok,
          ms: $0.milliseconds.map { ($0 * 1_000).rounded() / 1_000 }, finding: $0.finding.rawValue, seen: $0.seen(language),
          meaning: $0.meaning(language),
          owner: $0.owner?.rawValue, next: $0.next(language))
      })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(json) else { return "{\"schema\":\"bus-pinger/1\",\"status\":\"unknown\"}\n" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
