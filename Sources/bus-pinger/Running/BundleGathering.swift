// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusProbe
import Foundation
import TjenestebussClient

/// Gathers what goes into a support bundle. Nothing that holds a secret is read for it.
enum BundleGathering {
  static func gather(_ look: ProbeLook, _ configuration: PingerConfiguration, _ language: ProbeLanguage) async -> String {
    let entry = configuration.buses.first { $0.endpoint.name == look.report.bus }
    var chain = CertificateChain(certificates: [], seen: "no bus was decided on")
    if let entry {
      let connection = entry.endpoint.connection
      chain =
        connection.encrypted
        ? await CertificateChain.look(host: connection.host, port: connection.port, within: configuration.settings.timeout)
        : CertificateChain(certificates: [], seen: "the connection is not encrypted")
    }
    let bundle = SupportBundle(
      madeAt: SystemRegistryClock().now,
      program: .init(
        version: TjenestebussVersion.current, system: ProcessInfo.processInfo.operatingSystemVersionString,
        processors: ProcessInfo.processInfo.processorCount),
      clock: await Self.clock(configuration, entry), resolver: Self.resolver(), cache: configuration.cache,
      register: configuration.register.map { Self.withoutLogin($0.endpoint.url) },
      buses: configuration.buses.map { entry in
        .init(entry.endpoint, hasReplyQueue: entry.replyQueue != nil, countedOverHTTP: entry.management != nil)
      }, chain: chain, look: look)
    return bundle.json(language)
  }

  /// How names are looked up here: the lines of resolv.conf that say so, comments left out.
  private static func resolver() -> [String] {
    guard let text = try? String(contentsOf: URL(fileURLWithPath: "/etc/resolv.conf"), encoding: .utf8) else { return [] }
    let wanted = ["nameserver", "search", "domain", "options"]
    return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { line in wanted.contains { line.hasPrefix($0 + " ") || line.hasPrefix($0 + "\t") } }
  }

  private static func clock(_ configuration: PingerConfiguration, _ entry: PingerConfiguration.BusEntry?) async
    -> SupportBundle.Clock
  {
    var clock = SupportBundle.Clock(
      synchronisedBySystemd: FileManager.default.fileExists(atPath: "/run/systemd/timesync/synchronized"),
      timeZone: TimeZone.current.identifier)
    let asked = entry?.management.map { ($0.url, $0.authority) } ?? configuration.register.map { ($0.endpoint.url, $0.authority) }
    guard let (url, authority) = asked else { return clock }
    let http = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: RegisterHTTP.configuration(extraRootsFile: authority))
    // Without a login: any answer has a date, a refusal too.
    var request = HTTPClientRequest(url: Self.withoutLogin(url))
    request.method = .HEAD
    let begun = Date()
    if let answer = try? await http.execute(request, timeout: .seconds(5)), let text = answer.headers.first(name: "date"),
      let date = Self.httpDate(text)
    {
      let taken = Date().timeIntervalSince(begun)
      clock.ahead_seconds = ((begun.timeIntervalSince(date) + taken / 2 - 0.5) * 10).rounded() / 10
      clock.uncertainty_seconds = ((0.5 + taken / 2) * 10).rounded(.up) / 10
      clock.asked = URL(string: url)?.host
    }
    try? await http.shutdown()
    return clock
  }

  private static func httpDate(_ text: String) -> Date? {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text)
  }

  /// A login or a token in a URL is a secret.
  private static func withoutLogin(_ url: String) -> String {
    guard var parts = URLComponents(string: url) else { return "(cannot be read)" }
    parts.user = nil
    parts.password = nil
    parts.query = nil
    parts.fragment = nil
    return parts.string ?? "(cannot be read)"
  }
}
