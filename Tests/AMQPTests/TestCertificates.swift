// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOSSL

@testable import AMQP

/// Certificates made for one run by the `openssl` program: authorities, servers and clients, good ones and bad ones.
struct TestCertificates: Sendable {
  private let folder: URL

  /// Made once; every test takes what it needs.
  static let shared = Task { try await TestCertificates() }

  private init() async throws {
    self.folder = FileManager.default.temporaryDirectory.appending(path: "amqp-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    try """
    [ca]
    default_ca = d
    [d]
    database = index.txt
    new_certs_dir = .
    rand_serial = yes
    default_md = sha256
    policy = p
    copy_extensions = copy
    unique_subject = no
    [p]
    commonName = supplied
    """.write(to: self.folder.appending(path: "ca.cnf"), atomically: true, encoding: .utf8)
    try Data().write(to: self.folder.appending(path: "index.txt"))
    for authority in ["authority", "stranger"] {
      try await self.openssl(
        ["req", "-x509", "-days", "3650", "-subj", "/CN=\(authority)", "-keyout", "\(authority).key", "-out", "\(authority).pem"]
          + Self.newKey)
    }
    try await self.openssl(
      [
        "req", "-x509", "-days", "3650", "-subj", "/CN=itself", "-addext", "subjectAltName=DNS:localhost", "-keyout",
        "itself.key",
        "-out", "itself.pem",
      ] + Self.newKey)
    try await self.issue("server", by: "authority", names: "DNS:localhost,IP:127.0.0.1")
    try await self.issue("expired", by: "authority", names: "DNS:localhost", from: "20200101000000Z", to: "20200102030405Z")
    try await self.issue("early", by: "authority", names: "DNS:localhost", from: "20490101000000Z", to: "20491231000000Z")
    try await self.issue("elsewhere", by: "authority", names: "DNS:bus.elsewhere.example,IP:10.0.0.1")
    try await self.issue("client", by: "authority", names: "DNS:client")
    try await self.issue("strange-client", by: "stranger", names: "DNS:client")
  }

  private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

  private func issue(
    _ name: String, by authority: String, names: String, from: String = "20200101000000Z", to: String = "20491231000000Z"
  ) async throws {
    try await self.openssl(
      [
        "req", "-new", "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-keyout", "\(name).key", "-out",
        "\(name).csr",
      ]
        + Self.newKey)
    try await self.openssl([
      "ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "\(authority).pem", "-keyfile", "\(authority).key", "-in",
      "\(name).csr", "-out", "\(name).pem", "-startdate", from, "-enddate", to,
    ])
  }

  private struct Failed: Error {
    let arguments: [String]
    let status: Int32
  }

  private func openssl(_ arguments: [String]) async throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.currentDirectoryURL = self.folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let status = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    guard status == 0 else { throw Failed(arguments: arguments, status: status) }
  }

  /// A file of this name in the folder.
  func file(_ name: String) -> String { self.folder.appending(path: name).path }

  func text(_ name: String) throws -> String { try String(contentsOfFile: self.file(name), encoding: .utf8) }

  func der(_ name: String) throws -> [UInt8] {
    try NIOSSLCertificate.fromPEMFile(self.file("\(name).pem"))[0].toDERBytes()
  }

  func identity(_ name: String) -> AMQPClientIdentity {
    AMQPClientIdentity(certificateFile: self.file("\(name).pem"), keyFile: self.file("\(name).key"))
  }

  /// A server's side of TLS.
  ///
  /// - Parameter wantsClient: an authority whose client certificates it wants; nil for none.
  func server(
    _ name: String = "server", versions: ClosedRange<TLSVersion> = .tlsv12 ... .tlsv13, wantsClient authority: String? = nil
  ) throws -> NIOSSLContext {
    var tls = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile(self.file("\(name).pem")).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: self.file("\(name).key"), format: .pem)))
    tls.minimumTLSVersion = versions.lowerBound
    tls.maximumTLSVersion = versions.upperBound
    if let authority {
      // A client's certificate has no name to check.
      tls.certificateVerification = .noHostnameVerification
      tls.trustRoots = .file(self.file("\(authority).pem"))
    }
    return try NIOSSLContext(configuration: tls)
  }
}

extension TLSVersion: @retroactive Comparable {
  public static func < (lhs: TLSVersion, rhs: TLSVersion) -> Bool {
    let order: [TLSVersion] = [.tlsv1, .tlsv11, .tlsv12, .tlsv13]
    return (order.firstIndex(of: lhs) ?? 0) < (order.firstIndex(of: rhs) ?? 0)
  }
}
