// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import bus_migrator

@Suite("bus-migrator config")
struct ConfigCommandTests {
  private let planted = [
    "secret-word", "other-secret", "hidden-in-address",
  ]
  private let text = """
    # a comment with secret-word in it
    environment: qa
    buses:
      - name: a
        dialect: rabbitmq-4-v2
        hosts: [a.example]
        connection-string: amqp://guest:secret-word@127.0.0.1:5672/NHN
        management: {url: "http://127.0.0.1:15672/x?token=hidden-in-address", user: monitor, password: other-secret}
      - {name: b, dialect: rabbitmq-3, hosts: [b.example], connection-string: "amqp://guest:secret-word@127.0.0.1:1/NHN", authorities: [ca.pem]}
    ping: {own-her-id: 900}
    register:
      url: http://127.0.0.1:8080/v1/AR/Basic
      user: u
      password: secret-word
      writer: {kind: manual}
    state-directory: state
    """

  private func withFile(_ text: String, _ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("config-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("m.yaml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    try await body(file)
  }

  @Test("What is shown holds every key, and no secret")
  func shows() async throws {
    try await self.withFile(self.text) { file in
      let shown = try await ChildProgram.run(
        "bus-migrator", ["config", "show", "--config", file.path], folder: file.deletingLastPathComponent())
      #expect(shown.exitCode == 0, "\(shown.complaint)")
      for secret in self.planted { #expect(!(shown.output + shown.complaint).contains(secret)) }
      for part in ["environment: qa", "user: monitor", "own-her-id: 900", "127.0.0.1:15672/x?<redacted>", "ca.pem"] {
        #expect(shown.output.contains(part), "\(part) in \(shown.output)")
      }
    }
  }

  @Test("A file that is right but names files that are not there is said to be, and does not pass")
  func checks() async throws {
    try await self.withFile(self.text) { file in
      let first = try await ChildProgram.run(
        "bus-migrator", ["config", "check", "--config", file.path], folder: file.deletingLastPathComponent())
      #expect(first.exitCode == 2)
      #expect(first.output.contains("ca.pem is not there") && first.output.contains("the database's folder"), "\(first.output)")
      let folder = file.deletingLastPathComponent()
      try FileManager.default.createDirectory(at: folder.appendingPathComponent("state"), withIntermediateDirectories: true)
      try "".write(to: folder.appendingPathComponent("ca.pem"), atomically: true, encoding: .utf8)
      let second = try await ChildProgram.run(
        "bus-migrator", ["config", "check", "--config", file.path, "--json"], folder: folder)
      #expect(second.exitCode == 0, "\(second.output)\(second.complaint)")
      #expect(try second.json(ConfigCheckAnswer.self).missing == [])
    }
  }

  @Test("Every file and folder that the daemon would miss is named: of those who are told, of reports, of sockets")
  func missing() async throws {
    let more = """

      reports: {folder: not/there/reports}
      echo-socket: nowhere/echo.sock
      tell:
        webhooks: [{name: vakt, url: "https://h.example/x", secret: "planted-planted-planted-planted", authorities: [hook-ca.pem]}]
        mail: [{name: post, relay: "smtp.example.no:587", from: a@example.no, to: [b@example.no], authorities: [mail-ca.pem]}]
        programs: [{name: siren, run: siren.sh}]
      """
    let text = self.text.replacingOccurrences(
      of: "ping: {own-her-id: 900}", with: "ping: {own-her-id: 900, state-folder: none/pings}")
    try await self.withFile(text + more) { file in
      let ending = try await ChildProgram.run(
        "bus-migrator", ["config", "check", "--config", file.path, "--json"], folder: file.deletingLastPathComponent())
      #expect(ending.exitCode == 2)
      let missing = try ending.json(ConfigCheckAnswer.self).missing
      for part in [
        "authorities of webhook vakt: ", "hook-ca.pem", "authorities of mail post: ", "mail-ca.pem", "program siren: ",
        "what the folder of reports stands in: ", "the folder of echo-socket: ", "what ping.state-folder stands in: ",
        "the folder of socket: ",
      ] {
        #expect(missing.contains { $0.contains(part) }, "\(part) in \(missing)")
      }
    }
  }

  @Test("A login in an address is refused where it stands, with its line and what to do, and not shown")
  func loginInAddress() async throws {
    let register = self.text.replacingOccurrences(of: "http://127.0.0.1:8080", with: "http://u:hidden-in-address@127.0.0.1:8080")
    let management = self.text.replacingOccurrences(
      of: "http://127.0.0.1:15672", with: "http://m:hidden-in-address@127.0.0.1:15672")
    for (text, key, line) in [(register, "register.url", 12), (management, "buses[0].management.url", 8)] {
      try await self.withFile(text) { file in
        let ending = try await ChildProgram.run(
          "bus-migrator", ["config", "check", "--config", file.path], folder: file.deletingLastPathComponent())
        #expect(ending.exitCode == 2)
        for part in ["CLI-005", "line \(line), \(key)", "without a login in it: user and password are keys of their own"] {
          #expect(ending.complaint.contains(part), "\(part) in \(ending.complaint)")
        }
        #expect(!(ending.output + ending.complaint).contains("hidden-in-address"))
      }
    }
  }

  @Test("Who asks the daemon or looks at its history needs none of the secrets that the file names")
  func withoutSecrets() async throws {
    let text = self.text.replacingOccurrences(of: "connection-string: ", with: "connection-string-credential: ")
    try await self.withFile(text) { file in
      let folder = file.deletingLastPathComponent()
      let status = try await ChildProgram.run("bus-migrator", ["status", "--config", file.path], folder: folder)
      #expect(status.complaint.contains("CLI-010"), "\(status.complaint)")
      let audit = try await ChildProgram.run("bus-migrator", ["audit", "verify", "--config", file.path], folder: folder)
      #expect(audit.complaint.contains("STORE-013"), "\(audit.complaint)")
      let backup = try await ChildProgram.run("bus-migrator", ["backup", "--to", "b", "--config", file.path], folder: folder)
      #expect(backup.complaint.contains("STORE-013"), "\(backup.complaint)")
    }
  }

  @Test("A misspelt key is refused with its line and the one that was meant")
  func misspelt() async throws {
    try await self.withFile(self.text.replacingOccurrences(of: "  writer:", with: "  wirter:")) { file in
      let ending = try await ChildProgram.run(
        "bus-migrator", ["config", "check", "--config", file.path], folder: file.deletingLastPathComponent())
      #expect(ending.exitCode == 2)
      #expect(ending.complaint.contains("CLI-003") && ending.complaint.contains("line 15"), "\(ending.complaint)")
      #expect(ending.complaint.contains(#"Was "writer" meant?"#))
      for secret in self.planted { #expect(!(ending.output + ending.complaint).contains(secret)) }
    }
  }
}
