// SPDX-License-Identifier: Apache-2.0

import Disclosure
import HTTPTypes
import Hummingbird

/// Why a request is turned away that a browser may have been led to send.
enum BrowserRefusal: ExplainedError, Hashable {
  case hostUnknown(String)
  case fromElsewhere(String)
  case notOurs(String)

  var stableCode: String {
    switch self {
    case .hostUnknown: "WEB-001"
    case .fromElsewhere: "WEB-002"
    case .notOurs: "WEB-003"
    }
  }

  var explanation: Explanation {
    switch self {
    case .hostUnknown(let host):
      Explanation(
        tried: "answer a request", seen: "it asks for the host \"\(host)\"",
        meaning:
          "By that name nobody was to reach the daemon: a name that leads here may be another's (DNS rebinding). Nothing was done.",
        next: "Open http://localhost:PORT/.", owner: .caller)
    case .fromElsewhere(let origin):
      Explanation(
        tried: "answer a request", seen: "it comes from a page of \(origin)",
        meaning: "Another page in the same browser has sent it. Nothing was done.",
        next: "If you did not mean to, close that page and tell who runs the daemon.", owner: .caller)
    case .notOurs(let seen):
      Explanation(
        tried: "carry out a request", seen: seen, meaning: "Any page could have sent it like this. Nothing was done.",
        next: "Send JSON with the headers content-type: application/json and \(BrowserGate.header): 1.", owner: .caller)
    }
  }
}

/// A browser reaches the daemon over a forwarded port, and with it any page that is open beside ours can try to. Asked by another name, from another
/// page, or to change something in a way that every page can: it is turned away.
///
/// The programs that speak over the socket itself name no host, and send the header.
struct BrowserGate: RouterMiddleware {
  /// A header that a page of another origin cannot send without asking first, which nobody here says yes to.
  static let header = "bus-migrator-request"
  /// Pingers announce their pings without it: it changes nothing, and older ones do not send it.
  static let free: Set<String> = ["/v1/echoes"]

  /// Whoever asks has to show a token: no other page has it, and no browser sends it by itself. Then it does not matter by which name the daemon is
  /// reached, and programs need no header of ours.
  var needsToken = false

  /// What is asked, as far as it matters here.
  struct Question: Sendable, Hashable {
    var changes: Bool
    var path: String
    /// `Host`: nil or empty over the socket itself.
    var host: String?
    var origin: String?
    /// `Sec-Fetch-Site`: what the browser says of where it comes from.
    var site: String?
    /// A person goes there: follows a link, as out of an alert's mail.
    var isNavigation: Bool
    var contentType: String?
    var hasHeader: Bool
  }

  func refusal(_ question: Question) -> BrowserRefusal? {
    let host = question.host ?? ""
    if !self.needsToken, !host.isEmpty, !Self.isOurs(host) { return .hostUnknown(String(host.prefix(120))) }
    if let origin = question.origin, !Self.isSame(origin, host) { return .fromElsewhere(String(origin.prefix(120))) }
    // The page itself may be linked to from anywhere: it does nothing by itself, and no other page can look into it.
    let isVisit = question.isNavigation && !question.changes && question.path == "/"
    if !isVisit, let site = question.site, site != "same-origin", site != "none" {
      return .fromElsewhere("another site (\(site.prefix(40)))")
    }
    guard question.changes, !self.needsToken, !Self.free.contains(question.path) else { return nil }
    let type = question.contentType?.split(separator: ";").first?.split(separator: " ").first?.lowercased()
    guard type == "application/json" else { return .notOurs("the content type is not application/json") }
    guard question.hasHeader else { return .notOurs("the header \(Self.header) is missing") }
    return nil
  }

  private static func isOurs(_ host: String) -> Bool {
    Self.name(host).map { ["localhost", "127.0.0.1", "[::1]"].contains($0) } ?? false
  }

  /// Without the port; nil for what is no host.
  private static func name(_ host: String) -> String? {
    let text = host.lowercased()
    let end: String.Index
    if text.hasPrefix("[") {
      guard let bracket = text.firstIndex(of: "]") else { return nil }
      end = text.index(after: bracket)
    } else {
      end = text.firstIndex(of: ":") ?? text.endIndex
    }
    let rest = text[end...]
    guard rest.isEmpty || rest.first == ":" && rest.dropFirst().allSatisfy(\.isNumber) else { return nil }
    return String(text[..<end])
  }

  /// The origin's host and port are those that were asked. `null`, as of a page in a frame of its own, is never ours.
  private static func isSame(_ origin: String, _ host: String) -> Bool {
    for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
      return !host.isEmpty && origin.dropFirst(scheme.count).lowercased() == host.lowercased()
    }
    return false
  }

  func handle(
    _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
  ) async throws -> Response {
    func value(_ name: String) -> String? { request.headers.first { $0.name.canonicalName == name }?.value }
    let question = Question(
      changes: request.method != .get && request.method != .head, path: request.uri.path, host: request.head.authority,
      origin: value("origin"), site: value("sec-fetch-site"), isNavigation: value("sec-fetch-mode") == "navigate",
      contentType: request.headers[.contentType],
      hasHeader: value(Self.header) != nil)
    var response: Response
    if let refusal = self.refusal(question) {
      response = ControlAnswer.refused(refusal, refusal.stableCode == "WEB-001" ? .misdirectedRequest : .forbidden)
    } else {
      response = try await next(request, context)
    }
    for (name, text) in Self.always { if let name = HTTPField.Name(name) { response.headers[name] = text } }
    return response
  }

  private static let always = [
    ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"), ("cross-origin-opener-policy", "same-origin"), ("x-frame-options", "DENY"),
  ]
}
