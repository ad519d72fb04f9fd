// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Migration
import Telling

/// Who is told what begins and what ends, and how.
struct TellConfiguration: Equatable {
  struct Webhook: Equatable {
    var name: String
    var url: String
    var signature: WebhookSignature
    var authorities: [String]
    var lowest: StandingCondition.Weight
    var timeout: TimeSpan
  }

  struct Mail: Equatable {
    var name: String
    var relay: MailChannel.Relay
    var from: String
    var to: [String]
    var lowest: StandingCondition.Weight
    var timeout: TimeSpan
  }

  struct Program: Equatable {
    var name: String
    var program: ProgramRun.Program
    var lowest: StandingCondition.Weight
    var timeout: TimeSpan
  }

  /// The dashboard's address, as whoever is told can reach it; nil for messages without links.
  var dashboard: String?
  var settling = TimeSpan.minutes(1)
  var patience = ConditionBook.usualPatience
  /// For how long it is remembered what was told, once it is over.
  var kept = TimeSpan.days(30)
  var webhooks: [Webhook] = []
  var mails: [Mail] = []
  var programs: [Program] = []

  var isEmpty: Bool { self.webhooks.isEmpty && self.mails.isEmpty && self.programs.isEmpty }

  init() {}

  init(_ fields: ConfigurationNode.Fields, retention: ConfigurationNode.Fields, environment: [String: String]) throws {
    let kept = try retention.required("told")
    guard try kept.span >= .days(3) else { throw kept.wrong(wanted: "3d or more: for so long a message is tried") }
    self.kept = try kept.span
    try fields.read("dashboard", into: &self.dashboard) { node in
      let text = try node.text
      guard text.hasPrefix("https://") || text.hasPrefix("http://"), !text.contains("@") else {
        throw node.wrong(wanted: "the dashboard's address, without a login in it: https://migrator.example.no")
      }
      return text
    }
    self.settling = try fields.required("settling").span
    self.patience = try fields.required("patience").span
    self.webhooks = try fields.optional("webhooks")?.elements.map { try Self.webhook($0, environment) } ?? []
    self.mails = try fields.optional("mail")?.elements.map { try Self.mail($0, environment) } ?? []
    self.programs = try fields.optional("programs")?.elements.map(Self.program) ?? []
    var names: Set<String> = []
    for name in self.webhooks.map(\.name) + self.mails.map(\.name) + self.programs.map(\.name) {
      guard names.insert(name).inserted else { throw fields.of.wrong(wanted: "each name once; \"\(name)\" stands twice") }
    }
  }

  private static func lowest(_ fields: ConfigurationNode.Fields) throws -> StandingCondition.Weight {
    try fields.required("from-weight").choice(StandingCondition.Weight.self)
  }

  private static func timeout(_ fields: ConfigurationNode.Fields) throws -> TimeSpan {
    let node = try fields.required("timeout")
    guard try node.span >= .seconds(1), try node.span <= .minutes(10) else { throw node.wrong(wanted: "from 1s to 10m") }
    return try node.span
  }

  private static func authorities(_ fields: ConfigurationNode.Fields) throws -> [String] {
    try fields.optional("authorities")?.elements.map { try $0.absolutePath } ?? []
  }

  private static func webhook(_ node: ConfigurationNode, _ environment: [String: String]) throws -> Webhook {
    let fields = try node.mapping()
    let url = try fields.required("url")
    let text = try url.text
    let mayBePlain = try fields.required("allow-plain-http").flag
    guard text.hasPrefix("https://") || (mayBePlain && text.hasPrefix("http://")), !text.contains("@") else {
      throw url.wrong(wanted: "an address with https, without a login in it")
    }
    guard let secret = try Credentials.secret("secret", in: fields, environment: environment) else {
      throw CommandLineError.keyMissing(place: node.place, key: "secret-file")
    }
    guard let signature = WebhookSignature(secret: secret) else {
      throw CommandLineError.credentials(
        place: node.place,
        seen: "the secret is shorter than 24 bytes, or no Base64 stands behind whsec_ (openssl rand -base64 32 makes one)")
    }
    return Webhook(
      name: try fields.required("name").text, url: text, signature: signature, authorities: try Self.authorities(fields),
      lowest: try Self.lowest(fields), timeout: try Self.timeout(fields))
  }

  private static func mail(_ node: ConfigurationNode, _ environment: [String: String]) throws -> Mail {
    let fields = try node.mapping()
    func address(_ node: ConfigurationNode) throws -> String {
      let text = try node.text
      guard MailChannel.isAddress(text) else { throw node.wrong(wanted: "a mail address: vakt@example.no") }
      return text
    }
    let to = try fields.required("to").elements.map(address)
    guard !to.isEmpty else { throw try fields.required("to").wrong(wanted: "at least one address") }
    let place = try fields.required("relay")
    let parts = try place.text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, let port = Int(parts[1]), (1...65_535).contains(port) else {
      throw place.wrong(wanted: "host:port, such as smtp.example.no:587")
    }
    let protection =
      try fields.optional("protection")?.choice(MailChannel.Protection.self) ?? (port == 465 ? .implicit : .startTLS)
    let relay = MailChannel.Relay(
      host: String(parts[0]), port: port, protection: protection, user: try fields.optional("user")?.text,
      password: try Credentials.secret("password", in: fields, environment: environment),
      authorities: try Self.authorities(fields))
    guard relay.protection != .none || relay.isLocal else {
      throw place.wrong(wanted: "a relay on this machine where protection is none; starttls or implicit elsewhere")
    }
    guard (relay.user == nil) == (relay.password == nil) else {
      throw CommandLineError.keyMissing(place: node.place, key: relay.user == nil ? "user" : "password-file")
    }
    return Mail(
      name: try fields.required("name").text, relay: relay, from: try address(fields.required("from")), to: to,
      lowest: try Self.lowest(fields), timeout: try Self.timeout(fields))
  }

  private static func program(_ node: ConfigurationNode) throws -> Program {
    let fields = try node.mapping()
    return Program(
      name: try fields.required("name").text,
      program: ProgramRun.Program(
        executable: try fields.required("run").absolutePath,
        arguments: try fields.optional("arguments")?.elements.map { try $0.text } ?? []),
      lowest: try Self.lowest(fields), timeout: try Self.timeout(fields))
  }
}
