// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import bus_migrator

@Suite("The browser's gate: our own page and our own programs pass, no other page does")
struct BrowserGateTests {
  /// As our page asks, from a forwarded port.
  private static let page = BrowserGate.Question(
    changes: true, path: "/v1/command", host: "localhost:8080", origin: "http://localhost:8080", site: "same-origin",
    isNavigation: false, contentType: "application/json", hasHeader: true)

  private func code(_ change: (inout BrowserGate.Question) -> Void, needsToken: Bool = false) -> String? {
    var question = Self.page
    change(&question)
    return BrowserGate(needsToken: needsToken).refusal(question)?.stableCode
  }

  @Test("our page, our programs over the socket, and questions by whoever may ask")
  func ours() {
    #expect(self.code { _ in } == nil)
    #expect(self.code { ($0.host, $0.origin, $0.site) = (nil, nil, nil) } == nil)
    #expect(self.code { ($0.host, $0.origin, $0.site) = ("", nil, nil) } == nil)
    #expect(self.code { $0.contentType = "Application/JSON; charset=utf-8" } == nil)
    #expect(self.code { ($0.changes, $0.contentType, $0.hasHeader) = (false, nil, false) } == nil)
    for host in ["127.0.0.1:1", "[::1]:8080", "LOCALHOST"] {
      #expect(self.code { ($0.host, $0.origin) = (host, "http://\(host)") } == nil, "\(host)")
    }
    #expect(self.code { ($0.path, $0.contentType, $0.hasHeader) = ("/v1/echoes", nil, false) } == nil)
    // A link out of a mail leads to the page, and to nothing else.
    #expect(
      self.code {
        ($0.changes, $0.path, $0.origin, $0.site, $0.isNavigation) = (false, "/", nil, "cross-site", true)
      } == nil)
    #expect(
      self.code {
        ($0.changes, $0.path, $0.origin, $0.site, $0.isNavigation) = (false, "/v1/board", nil, "cross-site", true)
      } == "WEB-002")
  }

  @Test("another name that leads here is another's")
  func hosts() {
    for host in [
      "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example:80", "localhost:80@evil.example",
      "[::1",
      "localhost:x", "[::1]x", "127.0.0.2",
    ] {
      #expect(self.code { ($0.host, $0.origin) = (host, "http://\(host)") } == "WEB-001", "\(host)")
    }
  }

  @Test("another page is turned away, whatever else it gets right")
  func origins() {
    for origin in [
      "http://evil.example", "null", "http://localhost:8081", "https://localhost", "file://",
      "http://localhost:8080.evil.example", "",
    ] {
      #expect(self.code { $0.origin = origin } == "WEB-002", "\(origin)")
    }
    for site in ["cross-site", "same-site"] {
      #expect(self.code { ($0.origin, $0.site) = (nil, site) } == "WEB-002")
      #expect(self.code { ($0.changes, $0.origin, $0.site) = (false, nil, site) } == "WEB-002")
    }
    // No host to compare with: what names an origin is a browser, and one does not ask without a host.
    #expect(self.code { $0.host = nil } == "WEB-002")
  }

  @Test("where a token is needed any name will do, programs send no header, and another page is turned away all the same")
  func token() {
    #expect(self.code({ ($0.host, $0.origin) = ("Buss.Example:443", "https://buss.example:443") }, needsToken: true) == nil)
    #expect(
      self.code({ ($0.host, $0.origin, $0.site, $0.hasHeader) = ("buss.example", nil, nil, false) }, needsToken: true) == nil)
    #expect(self.code({ ($0.host, $0.origin) = ("buss.example", "https://evil.example") }, needsToken: true) == "WEB-002")
  }

  @Test("what a form can send changes nothing")
  func forms() {
    for type in [nil, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""] {
      #expect(self.code { $0.contentType = type } == "WEB-003", "\(type ?? "none")")
    }
    #expect(self.code { $0.hasHeader = false } == "WEB-003")
    // A ping's announcement needs no header, and is still no other page's to make.
    #expect(self.code { ($0.path, $0.origin) = ("/v1/echoes", "http://evil.example") } == "WEB-002")
  }
}
