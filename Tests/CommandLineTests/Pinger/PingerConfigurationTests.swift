// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Disclosure
import Foundation
import Testing

@testable import bus_pinger

@Suite("bus-pinger: configuration")
struct PingerConfigurationTests {
  static let good = """
    own-her-id: 93238
    ping: {subject: OTHER_PING, time-to-live-seconds: 20, timeout-seconds: 5, echo-timeout-seconds: 2}
    registry:
      cache: registry.sqlite
      soap: {url: "https://ar.test/v1/AR/Basic", user: ar, password: Sup3rS3cret}
    buses:
      - name: servicebus
        dialect: rabbitmq-3
        hosts: [sb.test.nhn.no, SB2.test.nhn.no]
        connection-string: amqps://u:Sup3rS3cret@sb.test.nhn.no/NHN
      - name: tjenestebuss
        dialect: rabbitmq-4-v2
        connection-string: amqps://u:Sup3rS3cret@tb.test.nhn.no/NHN
        authorities: [ca.pem, /etc/ca.pem]
        virtual-host: v
        reply-queue: 93238_pingreply
        management: {url: "https://tb.test.nhn.no:15671", user: m, password: Sup3rS3cret}
    """

  private func parse(_ text: String) throws -> PingerConfiguration {
    try PingerConfiguration.parse(text, file: "/conf/pinger.yaml")
  }

  private func refused(_ text: String) -> (any ExplainedError)? {
    #expect(throws: (any Error).self) { try self.parse(text) }
    do {
      _ = try self.parse(text)
      return nil
    } catch {
      return error as? any ExplainedError
    }
  }

  @Test("Every field is read; paths start from the file's folder; the host of the connection string is the default")
  func good() throws {
    let configuration = try self.parse(Self.good)
    #expect(configuration.settings.ownHerID.value == 93_238)
    #expect(configuration.settings.pingSubject == "OTHER_PING")
    #expect(configuration.settings.timeToLive == .seconds(20))
    #expect(configuration.cache == "/conf/registry.sqlite")
    #expect(configuration.register?.credentials.password == Secret("Sup3rS3cret"))
    #expect(configuration.buses.map(\.endpoint.bus.hosts) == [["sb.test.nhn.no", "sb2.test.nhn.no"], ["tb.test.nhn.no"]])
    #expect(configuration.buses[1].endpoint.authorities == ["/conf/ca.pem", "/etc/ca.pem"])
    #expect(configuration.buses[1].endpoint.virtualHost == "v")
    #expect(configuration.buses[1].replyQueue == "93238_pingreply")
    #expect(configuration.buses[1].management?.virtualHost == "/")
    var dumped = ""
    dump(configuration, to: &dumped)
    #expect(!dumped.contains("Sup3rS3cret"))
  }

  @Test(
    "What is wrong is named by field, and never shows a secret",
    arguments: [
      ("own-her-id: 93238", "own-her-id: 0", "PING-103", "own-her-id"),
      ("own-her-id: 93238", "own-herid: 1", "PING-103", "own-herid: unknown key"),
      ("dialect: rabbitmq-3", "dialect: rabbit", "PING-103", "buses[0].dialect"),
      ("dialect: rabbitmq-3", "dialekt: rabbitmq-3", "PING-103", "buses[0].dialekt"),
      ("time-to-live-seconds: 20", "time-to-live-seconds: 61", "PING-103", "ping.time-to-live-seconds"),
      ("reply-queue: 93238_pingreply", "reply-queue: [a]", "PING-103", "buses[1].reply-queue"),
      ("amqps://u:Sup3rS3cret@tb", "amqps://u:Sup3rS3cret%@tb", "PING-105", "buses[1].connection-string"),
      ("amqps://u:Sup3rS3cret@tb", "amqps://uSup3rS3cret@tb", "PING-105", "TB-104"),
      ("name: tjenestebuss", "name: servicebus", "TB-202", "servicebus"),
      ("hosts: [sb.test.nhn.no, SB2.test.nhn.no]", "hosts: [tb.test.nhn.no]", "TB-203", "tb.test.nhn.no"),
      ("registry:\n", "registry: x\n#", "PING-102", "line"),
      ("buses:\n", "buses:\n\t- x\n", "PING-102", "line"),
      ("reply-queue: 93238_pingreply", "reply-queue: q\n    reply-queue-shared: true", "PING-103", "wants daemon-socket"),
      ("password: Sup3rS3cret}\nbuses", "password-file: none.txt}\nbuses", "PING-104", "/conf/none.txt"),
      ("password: Sup3rS3cret}\nbuses", "password-file: Sup3rS3cret}\nbuses", "PING-104", "not shown"),
      ("password: Sup3rS3cret}\nbuses", "password: Sup3rS3cret, password-file: x}\nbuses", "PING-103", "leave one"),
    ])
  func broken(find: String, replace: String, code: String, names: String) {
    let text = Self.good.replacingOccurrences(of: find, with: replace)
    #expect(text != Self.good)
    let error = self.refused(text)
    #expect(error?.stableCode == code)
    #expect("\(error as Any)".contains(names), "\(error as Any)")
    #expect(!"\(error as Any)".contains("Sup3rS3cret"))
  }

  @Test("Beside a daemon a reply queue counts as shared, unless it is said to be ours alone; without one it is ours")
  func shared() throws {
    #expect(try self.parse(Self.good).daemonSocket == nil)
    #expect(try self.parse(Self.good).buses.map(\.isReplyQueueShared) == [false, false])
    let daemon = try self.parse(Self.good + "\ndaemon-socket: control.sock")
    #expect(daemon.daemonSocket == "/conf/control.sock")
    #expect(daemon.buses.map(\.isReplyQueueShared) == [true, true])
    let own = Self.good.replacing("reply-queue: 93238_pingreply", with: "reply-queue: q\n    reply-queue-shared: false")
    #expect(try self.parse(own + "\ndaemon-socket: control.sock").buses.map(\.isReplyQueueShared) == [true, false])
  }

  @Test("From the daemon's file: production, the folder of pings, how far apart they are; by our own file the same")
  func ration() throws {
    func daemon(_ ping: String) throws -> PingerConfiguration {
      try self.parse(
        """
        buses: [{name: a, dialect: rabbitmq-3, connection-string: "amqps://u:p@h"}]
        ping: {own-her-id: 1\(ping)}
        register: {url: "https://ar.test", user: u, password: p, writer: {kind: manual}}
        """)
    }
    let usual = try daemon("")
    #expect(!usual.settings.sendsOnlyWhenTold && usual.stateFolder == nil && usual.partyInterval == .seconds(10))
    let told = try daemon(", production: true, state-folder: pings, party-interval: 1m")
    #expect(told.settings.sendsOnlyWhenTold && told.stateFolder == "/conf/pings" && told.partyInterval == .seconds(60))
    #expect(throws: PingerError.self) { try daemon(", production: true, party-interval: 9s") }
    func own(_ ping: String) throws -> PingerConfiguration {
      try self.parse(Self.good.replacing("echo-timeout-seconds: 2", with: "echo-timeout-seconds: 2\(ping)"))
    }
    #expect(try own(", party-interval-seconds: 0").partyInterval == .zero)
    #expect(throws: PingerError.self) { try own(", party-interval-seconds: 9, production: true") }
  }

  @Test("From the daemon's file: the desk's socket before the control socket, and that before the state directory's")
  func daemonSocket() throws {
    func socket(_ lines: String) throws -> String? {
      let text = """
        buses: [{name: a, dialect: rabbitmq-3, connection-string: "amqps://u:p@h", ping-reply-queue: q}]
        ping: {own-her-id: 1}
        register: {url: "https://ar.test", user: u, password: p, writer: {kind: manual}}
        \(lines)
        """
      let configuration = try self.parse(text)
      #expect(configuration.buses.map(\.isReplyQueueShared) == [true])
      return configuration.daemonSocket
    }
    #expect(try socket("echo-socket: desk.sock\nsocket: control.sock\nstate-directory: state") == "/conf/desk.sock")
    #expect(try socket("socket: control.sock\nstate-directory: state") == "/conf/control.sock")
    #expect([DaemonFile.unitSocket, "/conf/state/control.sock"].contains(try socket("state-directory: state") ?? ""))
  }

  @Test("No registry at all, no bus at all, no file, no YAML: each said")
  func empty() throws {
    #expect(self.refused("")?.stableCode == "PING-103")
    #expect(self.refused("own-her-id: 1\nregistry: {cache: x}\n")?.stableCode == "PING-103")
    let noRegistry = "own-her-id: 1\nbuses: [{name: a, dialect: rabbitmq-3, connection-string: 'amqps://u:p@h'}]"
    #expect("\(self.refused(noRegistry) as Any)".contains("registry"))
    let error = #expect(throws: PingerError.self) { try PingerConfiguration.read(path: "/does/not/exist.yaml") }
    #expect(error?.stableCode == "PING-101")
  }

  @Test("The example in config/ is read, but for the secrets' files that it names")
  func example() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    var text = try String(contentsOf: root.appendingPathComponent("config/bus-pinger.example.yaml"), encoding: .utf8)
    #expect(self.refused(text)?.stableCode == "PING-104")
    text = text.replacingOccurrences(of: "password-file: /etc/tjenestebuss/ar-password", with: "password: p")
    text = text.replacingOccurrences(
      of: "connection-string-file: /etc/tjenestebuss/servicebus.connection",
      with: "connection-string: Endpoint=sb://sb.test.nhn.no/NHN;OAuthUsername=u;OAuthPassword=p")
    text = text.replacingOccurrences(
      of: "connection-string-file: /etc/tjenestebuss/tjenestebuss.connection",
      with: "connection-string: amqps://u:p@tb.test.nhn.no/NHN")
    #expect(try self.parse(text).buses.count == 2)
  }

  @Test("The command line: a HER-ID alone checks, explain needs a step that exists")
  func commandLine() throws {
    let check = try #require(
      try BusPinger.parseAsRoot(["93238", "--format", "nagios", "--quit-after", "tls", "--no-send"]) as? CheckCommand)
    #expect(check.herID == "93238")
    #expect(check.target.quitAfter == .encryption)
    #expect(check.target.noSend)
    #expect(try BusPinger.parseAsRoot(["explain", "PING-29"]) is ExplainCommand)
    for wrong in [
      ["explain", "14"], [], ["93238", "--quit-after", "14"], ["93238", "--kind", "dl"], ["93238", "--format", "xml"],
    ] {
      #expect(throws: (any Error).self) { try BusPinger.parseAsRoot(wrong) }
    }
  }
}
