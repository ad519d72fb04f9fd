// SPDX-License-Identifier: Apache-2.0

import ForeignPrograms
import Foundation
import TjenestebussTesting

/// Certificates with one fault each, made once for a run by the `openssl` program.
struct FaultCertificates: Sendable {
  private let folder: URL
  static let shared = Task { try await FaultCertificates() }
  private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

  private init() async throws {
    self.folder = FileManager.default.temporaryDirectory.appending(path: "fault-certificates-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    try """
    [ca]
    default_ca = d
    [d]
    database = \(self.file("index.txt"))
    new_certs_dir = \(self.folder.path)
    rand_serial = yes
    default_md = sha256
    policy = p
    copy_extensions = copy
    unique_subject = no
    [p]
    commonName = supplied
    """.write(toFile: self.file("ca.cnf"), atomically: true, encoding: .utf8)
    try Data().write(to: URL(fileURLWithPath: self.file("index.txt")))
    for name in ["authority", "stranger", "itself"] {
      try await self.openssl(
        [
          "req", "-x509", "-days", "3650", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost", "-keyout",
          self.file("\(name).key"), "-out", self.file("\(name).pem"),
        ] + Self.newKey)
    }
    try await self.issue("good")
    try await self.issue("expired", to: "20200102030405Z")
    try await self.issue("early", from: "20490101000000Z")
    try await self.issue("elsewhere", names: "DNS:bus.elsewhere.example")
    try await self.issue("strange", by: "stranger")
    try await self.issue(
      "soon", to: Date(timeIntervalSinceNow: 10 * 86_400).ISO8601Format().filter { !"-:T".contains($0) })
  }

  private func issue(
    _ name: String, by authority: String = "authority", names: String = "DNS:localhost", from: String = "20200101000000Z",
    to: String = "20491231000000Z"
  ) async throws {
    try await self.openssl(
      [
        "req", "-new", "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-keyout", self.file("\(name).key"), "-out",
        self.file("\(name).csr"),
      ] + Self.newKey)
    try await self.openssl([
      "ca", "-batch", "-notext", "-config", self.file("ca.cnf"), "-cert", self.file("\(authority).pem"), "-keyfile",
      self.file("\(authority).key"), "-in", self.file("\(name).csr"), "-out", self.file("\(name).pem"), "-startdate", from,
      "-enddate", to,
    ])
  }

  private func openssl(_ arguments: [String]) async throws {
    struct Failed: Error { let words: String }
    let run = try await ForeignProgram.run("/usr/bin/openssl", arguments)
    guard run.exitCode == 0 else { throw Failed(words: run.errors) }
  }

  func file(_ name: String) -> String { self.folder.appending(path: name).path }

  func tls(_ name: String) -> BrokerTLS {
    BrokerTLS(certificateChain: self.file("\(name).pem"), privateKey: self.file("\(name).key"))
  }
}
