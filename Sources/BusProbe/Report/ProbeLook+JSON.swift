// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import Foundation

/// A look as the object that `docs/schema/bus-pinger-1.schema.json` describes. Fields are only ever added.
struct ProbeLookJSON: Encodable {
  struct Step: Encodable {
    var code: Int
    var name: String
    var verdict: String
    var ok: Bool
    var ms: Double?
    var finding: String
    var seen: String
    var meaning: String
    var owner: String?
    var next: String
  }

  struct Echo: Encodable {
    var product: String?
    var library: String?
    var queue: String?
    var cache_age_seconds: Int64?
    var hears: [String]?

    init(_ echo: PingEcho) {
      self.product = echo.product
      self.library = echo.libraryVersion
      self.queue = echo.queue
      self.cache_age_seconds = echo.cacheAge?.components.seconds
      self.hears = echo.hears.isEmpty ? nil : echo.hears
    }
  }

  var schema = "bus-pinger/1"
  var at: String
  var round: Int?
  var language: String
  var her_id: String
  var kind: String
  var bus: String?
  var address: String?
  var status: String
  var first_failure: Int?
  var evidence: [String]
  var total_ms: Double
  var messages: Int?
  var consumers: Int?
  var certificate_days_left: Int?
  var echo: Echo?
  var steps: [Step]

  init(_ look: ProbeLook, _ language: ProbeLanguage, status: ProbeReport.Status, round: Int?) {
    let report = look.report
    self.at = Self.time(look.at)
    self.round = round
    self.language = language.rawValue
    self.her_id = report.target
    self.kind = report.kind.rawValue
    self.bus = report.bus?.text
    self.address = report.address?.description
    self.status = status.word.lowercased()
    self.first_failure = report.firstFailure?.code.rawValue
    self.evidence = report.evidence(language)
    self.total_ms = Self.rounded(look.totalMilliseconds)
    self.messages = report.messages
    self.consumers = report.consumers
    self.certificate_days_left = report.certificateDaysLeft
    self.echo = report.echo.map { Echo($0) }
    self.steps = report.steps.map { step in
      Step(
        code: step.code.rawValue, name: step.code.name, verdict: step.verdict.rawValue, ok: step.verdict == .ok,
        ms: step.milliseconds.map(Self.rounded), finding: step.finding.rawValue, seen: step.seen(language),
        meaning: step.meaning(language), owner: step.owner?.rawValue, next: step.next(language))
    }
  }

  static func rounded(_ value: Double) -> Double { value.isFinite ? (value * 1_000).rounded() / 1_000 : 0 }

  static func time(_ instant: RegistryInstant) -> String {
    Date(timeIntervalSince1970: Double(instant.millisecondsSinceEpoch) / 1_000)
      .formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
  }

  static func line(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // It refuses numbers that are not finite only, and there are none.
    guard let data = try? encoder.encode(value) else { return "{\"schema\":\"bus-pinger/1\",\"status\":\"unknown\"}\n" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}

extension ProbeLook {
  /// One object on one line.
  ///
  /// - Parameters:
  ///   - thresholds: the status has them taken into it.
  ///   - round: which look it is, for a watch; from 1.
  public func jsonLine(_ language: ProbeLanguage, _ thresholds: NagiosThresholds = .init(), round: Int? = nil) -> String {
    ProbeLookJSON.line(ProbeLookJSON(self, language, status: self.status(thresholds), round: round))
  }
}
