// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Crypto
import CryptoExtras
import Foundation

/// A client that the testing HelseID knows.
public struct HelseIDClient: Sendable, Hashable {
  public var id: String
  /// The public part of its key, as a JSON Web Key.
  public var publicJWK: String
  public var scopes: Set<String>
  /// Whether it must say for which organisation it speaks.
  public var isMultiTenant: Bool

  public init(id: String, publicJWK: String, scopes: Set<String>, isMultiTenant: Bool = false) {
    self.id = id
    self.publicJWK = publicJWK
    self.scopes = scopes
    self.isMultiTenant = isMultiTenant
  }
}

/// Gives tokens and checks them, with all that HelseID demands: a value, time handed in.
struct HelseIDDesk: Sendable {
  /// Why something was not let in, in OAuth's words.
  struct Refusal: Error, Hashable {
    var error: String
    var description: String
    var nonceWanted = false
  }

  struct Grant: Sendable {
    var scopes: Set<String>
    var thumbprint: String
    /// Milliseconds since 1970.
    var expiresAt: Int64
  }

  var clients: [String: HelseIDClient] = [:]
  /// How long tokens hold, in seconds.
  var tokenLife: Int64 = 600
  /// Whether the services demand a nonce in proofs too.
  var servicesWantNonce = false
  private(set) var issued = 0
  private var grants: [String: Grant] = [:]
  private var usedIDs: Set<String> = []
  private var nonceNumber = 1

  /// What a proof must carry now; a new one now and then makes the old one stale.
  var nonce: String { "nonce-\(self.nonceNumber)" }
  mutating func renewNonce() { self.nonceNumber += 1 }
  mutating func revokeAll() { self.grants.removeAll() }

  // MARK: - Giving tokens

  /// - Returns: the token and how many seconds it holds.
  mutating func token(
    form: [String: String], proof: String?, url: String, issuer: String, now: Int64
  ) throws(Refusal) -> (token: String, life: Int64, scope: String) {
    guard form["grant_type"] == "client_credentials" else {
      throw Refusal(error: "unsupported_grant_type", description: "only client_credentials")
    }
    guard let client = form["client_id"].flatMap({ self.clients[$0] }),
      form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      let assertion = form["client_assertion"]
    else { throw Refusal(error: "invalid_client", description: "an unknown client, or no assertion") }
    try self.check(assertion, of: client, issuer: issuer, now: now)
    let scopes = Set((form["scope"] ?? "").split(separator: " ").map(String.init))
    guard !scopes.isEmpty, scopes.isSubset(of: client.scopes) else {
      throw Refusal(error: "invalid_scope", description: "the client has no right to this scope")
    }
    let thumbprint = try self.check(proof: proof, method: "POST", url: url, token: nil, nonceWanted: true, now: now)
    self.issued += 1
    let token = "token-\(self.issued)-" + Base64URL.encoded((0..<24).map { _ in UInt8.random(in: 0...255) })
    self.grants[token] = Grant(scopes: scopes, thumbprint: thumbprint, expiresAt: now + self.tokenLife * 1_000)
    return (token, self.tokenLife, scopes.sorted().joined(separator: " "))
  }

  private mutating func check(
    _ assertion: String, of client: HelseIDClient, issuer: String, now: Int64
  ) throws(Refusal) {
    func refusal(_ description: String) -> Refusal { Refusal(error: "invalid_client", description: description) }
    guard let token = SignedToken(assertion), let key = (try? JSONDocumentReader.read(Array(client.publicJWK.utf8))),
      token.isSigned(by: key)
    else { throw refusal("the assertion is not signed by the client's key") }
    guard token.header["typ"]?.text == "client-authentication+jwt" else { throw refusal("typ") }
    guard token.claims["iss"]?.text == client.id, token.claims["sub"]?.text == client.id else { throw refusal("iss and sub") }
    guard token.claims["aud"]?.text == issuer else { throw refusal("aud") }
    guard let exp = token.claims["exp"]?.integer, let iat = token.claims["iat"]?.integer, let nbf = token.claims["nbf"]?.integer,
      nbf * 1_000 <= now + 5_000, iat * 1_000 <= now + 5_000, exp * 1_000 > now, exp * 1_000 <= now + 65_000
    else { throw refusal("exp, iat or nbf") }
    guard let id = token.claims["jti"]?.text, self.usedIDs.insert("assertion " + id).inserted else { throw refusal("jti") }
    if client.isMultiTenant {
      let identifier = token.claims["assertion_details"]?["practitioner_role"]?["organization"]?["identifier"]
      guard identifier?["value"]?.text?.hasPrefix("NO:ORGNR:") == true else { throw refusal("no organisation number") }
    }
  }

  // MARK: - Checking tokens

  /// - Parameter authorization: the header's value.
  mutating func check(
    authorization: String?, proof: String?, method: String, url: String, scope: String, now: Int64
  ) throws(Refusal) {
    guard let authorization, authorization.hasPrefix("DPoP "), case let token = String(authorization.dropFirst(5)),
      let grant = self.grants[token], now < grant.expiresAt
    else { throw Refusal(error: "invalid_token", description: "no token of ours that holds") }
    let thumbprint = try self.check(
      proof: proof, method: method, url: url, token: token, nonceWanted: self.servicesWantNonce, now: now)
    guard thumbprint == grant.thumbprint else { throw Refusal(error: "invalid_token", description: "bound to another key") }
    guard grant.scopes.contains(scope) else { throw Refusal(error: "insufficient_scope", description: scope) }
  }

  /// - Returns: the thumbprint of the proof's key.
  private mutating func check(
    proof: String?, method: String, url: String, token: String?, nonceWanted: Bool, now: Int64
  ) throws(Refusal) -> String {
    func refusal(_ description: String) -> Refusal { Refusal(error: "invalid_dpop_proof", description: description) }
    guard let proof = proof.flatMap({ SignedToken($0) }), let key = proof.header["jwk"], proof.isSigned(by: key),
      let thumbprint = SignedToken.thumbprint(of: key)
    else { throw refusal("no proof, or not signed by its own key") }
    guard proof.header["typ"]?.text == "dpop+jwt", key["d"] == nil else { throw refusal("typ, or a private key in it") }
    guard proof.claims["htm"]?.text == method, proof.claims["htu"]?.text == url else { throw refusal("htm or htu") }
    guard let iat = proof.claims["iat"]?.integer, abs(iat * 1_000 - now) < 30_000 else { throw refusal("iat") }
    guard let id = proof.claims["jti"]?.text, self.usedIDs.insert("proof " + id).inserted else { throw refusal("jti") }
    let ath = token.map { Base64URL.encoded(SHA256.hash(data: Array($0.utf8))) }
    guard proof.claims["ath"]?.text == ath else { throw refusal("ath") }
    if nonceWanted, proof.claims["nonce"]?.text != self.nonce {
      throw Refusal(error: "use_dpop_nonce", description: "a nonce is wanted", nonceWanted: true)
    }
    return thumbprint
  }
}

/// A token in the compact form, taken apart. Not the code that the client signs with.
struct SignedToken {
  var header: JSONValue
  var claims: JSONValue
  private let signed: [UInt8]
  private let signature: [UInt8]

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64URL.decoded(parts[0]), let claims = Base64URL.decoded(parts[1]),
      let signature = Base64URL.decoded(parts[2]), let head = try? JSONDocumentReader.read(header),
      let body = try? JSONDocumentReader.read(claims)
    else { return nil }
    self.header = head
    self.claims = body
    self.signed = Array("\(parts[0]).\(parts[1])".utf8)
    self.signature = signature
  }

  func isSigned(by key: JSONValue) -> Bool {
    func number(_ name: String) -> Data? { key[name]?.text.flatMap { Base64URL.decoded($0) }.map { Data($0) } }
    let algorithm = self.header["alg"]?.text ?? ""
    switch (key["kty"]?.text, key["crv"]?.text, algorithm) {
    case ("EC", "P-256"?, "ES256"):
      guard let x = number("x"), let y = number("y"), let key = try? P256.Signing.PublicKey(rawRepresentation: x + y),
        let signature = try? P256.Signing.ECDSASignature(rawRepresentation: self.signature)
      else { return false }
      return key.isValidSignature(signature, for: self.signed)
    case ("EC", "P-384"?, "ES384"):
      guard let x = number("x"), let y = number("y"), let key = try? P384.Signing.PublicKey(rawRepresentation: x + y),
        let signature = try? P384.Signing.ECDSASignature(rawRepresentation: self.signature)
      else { return false }
      return key.isValidSignature(signature, for: self.signed)
    case ("RSA", _, "RS256"), ("RSA", _, "PS256"):
      guard let n = number("n"), let e = number("e"), let key = try? _RSA.Signing.PublicKey(n: n, e: e) else { return false }
      return key.isValidSignature(
        _RSA.Signing.RSASignature(rawRepresentation: self.signature), for: SHA256.hash(data: self.signed),
        padding: algorithm == "PS256" ? .PSS : .insecurePKCS1v1_5)
    default: return false
    }
  }

  /// RFC 7638.
  static func thumbprint(of key: JSONValue) -> String? {
    let names: [String]
    switch key["kty"]?.text {
    case "EC": names = ["crv", "kty", "x", "y"]
    case "RSA": names = ["e", "kty", "n"]
    default: return nil
    }
    var members: [JSONValue.Member] = []
    for name in names {
      guard let text = key[name]?.text else { return nil }
      members.append(JSONValue.Member(name, .string(text)))
    }
    return Base64URL.encoded(SHA256.hash(data: Array(JSONValue.object(members).written.utf8)))
  }
}
