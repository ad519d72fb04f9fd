// SPDX-License-Identifier: Apache-2.0

import Disclosure
import NIOSSL
import Testing

@testable import AMQP

@Suite("TLS: what is refused, and by which name")
struct TransportSecurityTests {
  /// Runs a server with this side of TLS, and opens a connection to it.
  private func open(
    _ tls: NIOSSLContext?, trusting authority: String? = "authority", identity: AMQPClientIdentity? = nil,
    host: String = "localhost"
  ) async throws -> AMQPError? {
    let certificates = try await TestCertificates.shared.value
    var manners = LoopbackServer.Manners()
    manners.tls = tls
    return try await LoopbackServer.run(manners) { plain in
      var configuration = plain
      configuration.host = host
      configuration.encryption = .tls(authorities: authority.map { [certificates.file("\($0).pem")] } ?? [], identity: identity)
      do {
        try await AMQPConnection.withConnection(configuration) { _ in }
        return nil
      } catch let error as AMQPError {
        return error
      }
    }
  }

  private var certificates: TestCertificates { get async throws { try await TestCertificates.shared.value } }

  @Test("TLS 1.2 and 1.3 are spoken", arguments: [TLSVersion.tlsv12, .tlsv13])
  func versions(_ version: TLSVersion) async throws {
    let error = try await self.open(self.certificates.server(versions: version...version))
    #expect(error == nil)
  }

  @Test("a certificate with the IP address, and a connection by it")
  func address() async throws {
    let error = try await self.open(self.certificates.server(), host: "127.0.0.1")
    #expect(error == nil)
  }

  @Test("TLS 1.1 and older are not", arguments: [TLSVersion.tlsv1, .tlsv11])
  func oldVersions(_ version: TLSVersion) async throws {
    let error = try await self.open(self.certificates.server(versions: version...version))
    #expect(error?.code == .tlsVersionRefused, "\(String(describing: error))")
    #expect(error?.explanation.owner == .bus)
  }

  @Test("an expired certificate: since when, and it may mend itself")
  func expired() async throws {
    let error = try await self.open(self.certificates.server("expired"))
    #expect(error?.code == .certificateRefused)
    #expect(error?.certificateProblem == .expired(at: 1_577_934_245))
    #expect(error?.seen.contains("2020-01-02 03:04 UTC") == true)
    #expect(error?.isRetriable == true)
    #expect(error?.explanation.owner == .bus)
  }

  @Test("a certificate of the future: this machine's clock is the first suspect")
  func early() async throws {
    let error = try await self.open(self.certificates.server("early"))
    #expect(error?.certificateProblem == .notYetValid(before: 2_493_072_000))
    #expect(error?.explanation.owner == .host)
  }

  @Test("a certificate that signed itself")
  func selfSigned() async throws {
    let error = try await self.open(self.certificates.server("itself"))
    #expect(error?.certificateProblem == .selfSigned(subject: "itself"))
    #expect(error?.isRetriable == false)
    let trusted = try await self.open(self.certificates.server("itself"), trusting: "itself")
    #expect(trusted == nil)
  }

  @Test("an issuer nobody here knows, named", arguments: ["stranger", nil])
  func unknownIssuer(_ trusted: String?) async throws {
    let error = try await self.open(self.certificates.server(), trusting: trusted)
    #expect(error?.certificateProblem == .unknownIssuer(issuer: "authority"))
  }

  @Test("another name: which was wanted, which there are")
  func wrongName() async throws {
    let error = try await self.open(self.certificates.server("elsewhere"))
    #expect(error?.code == .certificateRefused)
    #expect(
      error?.certificateProblem
        == .wrongName(wanted: "localhost", presented: ["bus.elsewhere.example", "10.0.0.1"]))
  }

  @Test("the server wants a client certificate, and there is none")
  func clientCertificateWanted() async throws {
    let error = try await self.open(self.certificates.server(versions: .tlsv13 ... .tlsv13, wantsClient: "authority"))
    #expect(error?.code == .clientCertificateRequired, "\(String(describing: error))")
    // TLS 1.2 has no alert of its own for it: the words say what it may be.
    let older = try await self.open(self.certificates.server(versions: .tlsv12 ... .tlsv12, wantsClient: "authority"))
    #expect(older?.code == .tlsFailed)
    #expect(older?.seen.contains("client certificate") == true, "\(String(describing: older))")
  }

  @Test("the server does not take ours", arguments: [TLSVersion.tlsv12, .tlsv13])
  func clientCertificateRefused(_ version: TLSVersion) async throws {
    let certificates = try await self.certificates
    let error = try await self.open(
      certificates.server(versions: version...version, wantsClient: "authority"),
      identity: certificates.identity("strange-client"))
    #expect(error?.code == .clientCertificateRefused, "\(String(describing: error))")
  }

  @Test("the server takes ours, from files and from texts")
  func clientCertificate() async throws {
    let certificates = try await self.certificates
    let texts = AMQPClientIdentity(
      certificatePEM: try certificates.text("client.pem"), keyPEM: Secret(try certificates.text("client.key")))
    for identity in [certificates.identity("client"), texts] {
      let error = try await self.open(certificates.server(wantsClient: "authority"), identity: identity)
      #expect(error == nil)
    }
  }

  @Test("a client certificate that cannot be read, or with another's key: named, nothing shown of it")
  func unreadable() async throws {
    let certificates = try await self.certificates
    let absent = AMQPClientIdentity(certificateFile: certificates.file("no.pem"), keyFile: certificates.file("client.key"))
    let noKey = AMQPClientIdentity(certificateFile: certificates.file("client.pem"), keyFile: certificates.file("client.pem"))
    let mixed = AMQPClientIdentity(certificateFile: certificates.file("client.pem"), keyFile: certificates.file("server.key"))
    for (identity, words) in [(absent, "no.pem"), (noKey, "private key"), (mixed, "do not belong together")] {
      let error = try await self.open(certificates.server(), identity: identity)
      #expect(error?.code == .configurationInvalid)
      #expect(error?.seen.contains(words) == true, "\(String(describing: error))")
    }
    let noAuthority = try await self.open(certificates.server(), trusting: "no-such")
    #expect(noAuthority?.code == .configurationInvalid)
  }

  @Test("a port that speaks plain AMQP")
  func notTLS() async throws {
    let error = try await self.open(nil)
    #expect(error?.code == .notTLS, "\(String(describing: error))")
  }

  @Test("plain AMQP to a port that speaks TLS: no AMQP")
  func plainToTLS() async throws {
    var manners = LoopbackServer.Manners()
    manners.tls = try await self.certificates.server()
    try await LoopbackServer.run(manners) { configuration in
      let error = await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(configuration) }
      #expect(error.map { [.protocolViolated, .connectionLost].contains($0.code) } == true, "\(String(describing: error))")
    }
  }

  @Test("a certificate is read from its bytes, and never trips over broken ones", arguments: 0..<10)
  func facts(_ seed: UInt64) async throws {
    let der = try await self.certificates.der("elsewhere")
    let facts = CertificateFacts(der: der, beginsAt: 1, endsAt: 2)
    #expect(facts?.subject == "elsewhere")
    #expect(facts?.issuer == "authority")
    #expect(facts?.names == ["bus.elsewhere.example", "10.0.0.1"])
    var generator = SplitMix(seed: seed)
    for _ in 0..<500 {
      var broken = der
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        broken[Int.random(in: broken.indices, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      _ = CertificateFacts(der: Array(broken.prefix(.random(in: 0...broken.count, using: &generator))), beginsAt: 1, endsAt: 2)
    }
  }

  @Test("times read as dates")
  func times() {
    #expect(CertificateTime.text(0) == "1970-01-01 00:00 UTC")
    #expect(CertificateTime.text(951_782_399) == "2000-02-28 23:59 UTC")
    #expect(CertificateTime.text(951_782_400) == "2000-02-29 00:00 UTC")
    #expect(CertificateTime.text(-1) == "1969-12-31 23:59 UTC")
    #expect(CertificateTime.text(4_102_444_800) == "2100-01-01 00:00 UTC")
  }
}
