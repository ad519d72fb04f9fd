// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Testing
import TjenestebussTesting

@Suite("HelseID lets us in by an assertion and a proof, once for all, and again when needed", .timeLimit(.minutes(10)))
struct HelseIDTests {
  @Test("a nonce is demanded and given, the token is kept, and thirty callers ask for one")
  func once() async throws {
    try await RESTHarness.run(adjust: { $0.keepsRequests = true }) { harness in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<30 { group.addTask { _ = try await harness.parties.party(her(101)) } }
        try await group.waitForAll()
      }
      #expect(harness.server.tokensIssued == 1)
      // The first without a nonce, the second with it.
      #expect(harness.server.tokenRequests.count == 2)
    }
  }

  @Test("a token is renewed before it ends, and one that an API does not take any more is replaced at once")
  func renewal() async throws {
    try await RESTHarness.run { harness in
      harness.server.setTokenLife(seconds: 100)
      _ = try await harness.parties.party(her(101))
      harness.clock.advance(by: .seconds(79))
      _ = try await harness.parties.party(her(101))
      #expect(harness.server.tokensIssued == 1)
      harness.clock.advance(by: .seconds(2))
      _ = try await harness.parties.party(her(101))
      #expect(harness.server.tokensIssued == 2)
      harness.server.revokeTokens()
      _ = try await harness.parties.party(her(101))
      #expect(harness.server.tokensIssued == 3)
    }
  }

  @Test("a nonce that grew old, at HelseID or at the service, costs one more request and no more")
  func nonces() async throws {
    try await RESTHarness.run { harness in
      _ = try await harness.parties.party(her(101))
      harness.server.renewNonce(byServices: true)
      for _ in 0..<3 { _ = try await harness.parties.party(her(101)) }
      harness.server.renewNonce(byServices: true)
      harness.server.revokeTokens()
      let read = try await harness.parties.party(her(101))
      #expect(read == family()[1])
    }
  }

  @Test("while HelseID is away a token that still holds is used; then the reason is told")
  func away() async throws {
    try await RESTHarness.run { harness in
      harness.server.setTokenLife(seconds: 100)
      _ = try await harness.parties.party(her(101))
      harness.server.script(ScriptedRegisterFault(.httpStatus(503), on: [.token], times: 100))
      harness.clock.advance(by: .seconds(85))
      _ = try await harness.parties.party(her(101))
      harness.clock.advance(by: .seconds(15))
      let error = await failure { try await harness.parties.party(her(101)) }
      #expect(error?.stableCode == "AR-405")
      harness.server.clearScript()
      _ = try await harness.parties.party(her(101))
    }
  }

  @Test("RSA keys and EC keys of every curve, as JWK", arguments: TestKeys.all)
  func keys(_ jwk: String) async throws {
    try await RESTHarness.run(key: try SigningKey(jwk: Secret(jwk))) { harness in
      let read = try await harness.parties.party(her(101))
      #expect(read == family()[1])
    }
  }

  @Test("a client of many organisations says for which one it speaks, or is not let in")
  func organisations() async throws {
    let organisation = HelseIDConfiguration.Organisation(parent: "100000001", child: "100000002")
    try await RESTHarness.run(organisation: organisation) { harness in _ = try await harness.parties.party(her(101)) }
    let key = SigningKey.ephemeral()
    try await RESTHarness.run(key: key) { harness in
      harness.server.admit(
        HelseIDClient(
          id: "a-client", publicJWK: key.publicJWK,
          scopes: [AddressRegisterServer.partyScope, AddressRegisterServer.protocolScope], isMultiTenant: true))
      let error = await failure { try await harness.parties.party(her(101)) }
      guard case .tokenRefused(_, "invalid_client", "no organisation number") = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("a stranger's key, a scope without right, and a register that wants another scope")
  func refused() async throws {
    try await RESTHarness.run { harness in
      var configuration = harness.tokens.configuration
      let stranger = try HelseIDTokens(
        configuration, key: .ephemeral(), http: harness.http, clock: RegistryTime(clock: harness.clock))
      var api = try CommunicationPartyAPI(
        endpoint: try await harness.server.partyAPI(), tokens: stranger, http: harness.http)
      #expect(await failure { try await api.party(her(101)) }?.stableCode == "AR-421")
      configuration.scope = "nhn:something/else"
      let key = SigningKey.ephemeral()
      harness.server.admit(
        HelseIDClient(id: "a-client", publicJWK: key.publicJWK, scopes: [AddressRegisterServer.protocolScope]))
      var tokens = try HelseIDTokens(configuration, key: key, http: harness.http, clock: RegistryTime(clock: harness.clock))
      api = try CommunicationPartyAPI(endpoint: try await harness.server.partyAPI(), tokens: tokens, http: harness.http)
      #expect(await failure { try await api.party(her(101)) }?.stableCode == "AR-421")
      configuration.scope = AddressRegisterServer.protocolScope
      tokens = try HelseIDTokens(configuration, key: key, http: harness.http, clock: RegistryTime(clock: harness.clock))
      api = try CommunicationPartyAPI(endpoint: try await harness.server.partyAPI(), tokens: tokens, http: harness.http)
      #expect(await failure { try await api.party(her(101)) }?.stableCode == "AR-404")
    }
  }

  @Test("an answer that is no token is told as such", arguments: [ScriptedRegisterFault.Kind.halfDocument])
  func halfToken(_ kind: ScriptedRegisterFault.Kind) async throws {
    try await RESTHarness.run { harness in
      // The first answer demands a nonce; cut in half it is an error without words.
      harness.server.script(ScriptedRegisterFault(kind, on: [.token]))
      #expect(await failure { try await harness.parties.party(her(101)) }?.stableCode == "AR-405")
      harness.server.renewNonce()
      _ = try await harness.parties.party(her(101))
      harness.server.revokeTokens()
      harness.server.script(ScriptedRegisterFault(kind, on: [.token]))
      #expect(await failure { try await harness.parties.party(her(101)) }?.stableCode == "AR-422")
    }
  }

  @Test(
    "keys that cannot sign are refused, and none is in a text",
    arguments: [
      "", "{}", "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
      "{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"AAAA\"}", "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQAB\"}",
      "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"HS256\",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}",
    ])
  func badKeys(_ jwk: String) {
    do throws(AddressRegistryError) {
      _ = try SigningKey(jwk: Secret(jwk))
      Issue.record("taken")
    } catch {
      #expect(error.stableCode == "AR-423")
      #expect(!"\(error)".contains("AAAA") && !"\(error)".contains("AQAB"))
    }
  }

  @Test("a key as PEM is the same key")
  func pem() throws {
    #expect(TestKeys.pem.count == 3)
    for (index, text) in TestKeys.pem {
      let (jwk, pem) = (
        try SigningKey(jwk: Secret(TestKeys.all[index])), try SigningKey(pem: Secret(text), keyID: "k", algorithm: nil)
      )
      #expect(pem.thumbprint == jwk.thumbprint)
      #expect(pem.keyID == "k")
    }
    #expect(throws: AddressRegistryError.self) { try SigningKey(pem: Secret("-----BEGIN"), keyID: nil) }
  }

  @Test("a key does not print")
  func silent() throws {
    for jwk in TestKeys.all {
      let key = try SigningKey(jwk: Secret(jwk))
      let d = try #require(jwk.split(separator: "\"d\":\"").last?.split(separator: "\"").first)
      #expect(!"\(key)".contains(d) && !key.publicJWK.contains(d))
    }
  }
}
