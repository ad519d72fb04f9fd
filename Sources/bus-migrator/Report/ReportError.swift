// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What can go wrong with a report's file. The pulje goes on whatever it is.
enum ReportError: ExplainedError, Hashable, CaseIterable {
  case notAReport(path: String, seen: String)
  case headNotInHistory(path: String, sequence: Int64, seen: String)
  case printerMissing(page: String)
  case printerFailed(page: String, seen: String)
  case printerTooSlow(page: String, seconds: Int)
  case notWritten(path: String, seen: String)
  case otherEnvironment(report: String, here: String)
  case busy

  /// One of each, for whoever lists their codes.
  static let allCases: [ReportError] = [
    .notAReport(path: "", seen: ""), .headNotInHistory(path: "", sequence: 0, seen: ""), .printerMissing(page: ""),
    .printerFailed(page: "", seen: ""), .printerTooSlow(page: "", seconds: 0), .notWritten(path: "", seen: ""),
    .otherEnvironment(report: "", here: ""), .busy,
  ]

  var stableCode: String {
    switch self {
    case .notAReport: "REPORT-001"
    case .headNotInHistory: "REPORT-002"
    case .printerMissing: "REPORT-003"
    case .printerFailed: "REPORT-004"
    case .printerTooSlow: "REPORT-005"
    case .notWritten: "REPORT-006"
    case .otherEnvironment: "REPORT-007"
    case .busy: "REPORT-008"
    }
  }

  var explanation: Explanation {
    switch self {
    case .notAReport(let path, let seen):
      Explanation(
        tried: "read the report \(path)", seen: seen, meaning: "Nothing was compared.",
        next: "Name the HTML or JSON file that bus-migrator wrote; a PDF holds no figures to compare.", owner: .caller)
    case .headNotInHistory(let path, let sequence, let seen):
      Explanation(
        tried: "recompute the report from \(path) up to event \(sequence)", seen: seen,
        meaning:
          "The report was not made from this history, or the history was restored from before it, or changed. Nothing was compared.",
        next:
          "Take the database of the environment that the report names, or a back-up from after the report; then bus-migrator audit verify.",
        owner: .caller)
    case .printerMissing(let page):
      Explanation(
        tried: "make a PDF of \(page)", seen: "the program weasyprint is not installed",
        meaning: "There is no PDF; the page is written and whole, and a browser prints it.",
        next: "apt-get install weasyprint, then again.",
        owner: .host)
    case .printerFailed(let page, let seen):
      Explanation(
        tried: "make a PDF of \(page)", seen: "weasyprint: \(seen)",
        meaning: "There is no PDF; the page is written and whole, and a browser prints it.",
        next: "Run weasyprint on the page by hand and see what it says.", owner: .host)
    case .printerTooSlow(let page, let seconds):
      Explanation(
        tried: "make a PDF of \(page)", seen: "weasyprint was not ready after \(seconds) seconds, and was ended",
        meaning: "There is no PDF; the page is written and whole, and a browser prints it.",
        next: "See what the machine is busy with; or print the page from a browser.", owner: .host)
    case .notWritten(let path, let seen):
      Explanation(
        tried: "write the report \(path)", seen: seen, meaning: "It is not there; one that was there before is as it was.",
        next: "Check the path, who may write there, and whether the disk has room.", owner: .host)
    case .busy:
      Explanation(
        tried: "make a report", seen: "another one is being made", meaning: "Nothing was made.",
        next: "Ask again in some seconds; a PDF of thousands of parties takes minutes.", owner: .caller)
    case .otherEnvironment(let report, let here):
      Explanation(
        tried: "verify a report of environment \(report)", seen: "the configuration is of environment \(here)",
        meaning: "Environments are never mixed. Nothing was compared.",
        next: "Verify it where it was made, or with that environment's --config.",
        owner: .caller)
    }
  }
}
