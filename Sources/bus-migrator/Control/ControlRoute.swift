// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Everything that can be asked of the daemon over HTTP. What is not here is not there: docs/api/openapi.json describes the same routes, and
/// a test compares them.
enum ControlRoute: String, Sendable, Hashable, CaseIterable {
  case health = "GET /v1/health"
  case status = "GET /v1/status"
  case report = "GET /v1/report"
  case reports = "GET /v1/reports"
  case reportNow = "GET /v1/reports/now"
  case reportFile = "GET /v1/reports/{pulje}/{file}"
  case drain = "GET /v1/drain"
  case explainDrain = "GET /v1/drain/explain"
  case forwarding = "GET /v1/drain/forwarding"
  case busDrain = "GET /v1/drain/bus"
  case forwardingTrial = "POST /v1/drain/trial"
  case echoQueue = "GET /v1/echoes"
  case echoes = "POST /v1/echoes"
  case command = "POST /v1/command"
  case me = "GET /v1/me"
  case board = "GET /v1/board"
  case live = "GET /v1/live"
  case group = "GET /v1/group"
  case metrics = "GET /metrics"

  var method: HTTPRequest.Method { HTTPRequest.Method(rawValue: String(self.rawValue.prefix { $0 != " " })) ?? .get }
  var path: String { String(self.rawValue.drop { $0 != " " }.dropFirst()) }

  static func of(_ method: HTTPRequest.Method, _ path: String) -> ControlRoute? {
    Self.allCases.first { $0.method == method && $0.takes(path) }
  }

  /// Whether it is this one's; a part in braces stands for any.
  func takes(_ path: String) -> Bool {
    let (own, asked) = (self.path.split(separator: "/"), path.split(separator: "/"))
    return own.count == asked.count && zip(own, asked).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
  }
}
