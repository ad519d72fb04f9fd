// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The two tokens that we sign ourselves, as pure functions: time, ids and nonces are handed in.
enum JSONWebToken {
  /// Header and claims signed, in the compact form (RFC 7515, 7.1).
  static func signed(
    header: [JSONValue.Member], claims: [JSONValue.Member], by key: SigningKey
  ) throws(AddressRegistryError) -> String {
    let parts = [JSONValue.object(header), .object(claims)].map { Base64URL.encoded(Array($0.written.utf8)) }
    let signed = parts.joined(separator: ".")
    return signed + "." + Base64URL.encoded(try key.signature(over: Array(signed.utf8)))
  }
}

/// Who we are, towards HelseID: `private_key_jwt` (RFC 7523, domain facts 9).
enum ClientAssertion {
  /// At most 60 s ahead, says HelseID; shorter leaves room for clocks that differ.
  static let life: Int64 = 45

  /// - Parameter id: single use.
  static func token(
    _ configuration: HelseIDConfiguration, key: SigningKey, now: RegistryInstant, id: String
  ) throws(AddressRegistryError) -> String {
    let seconds = now.millisecondsSinceEpoch / 1_000
    var header = [JSONValue.Member("alg", .string(key.algorithm)), JSONValue.Member("typ", .string("client-authentication+jwt"))]
    if let keyID = key.keyID { header.append(JSONValue.Member("kid", .string(keyID))) }
    var claims = [
      JSONValue.Member("iss", .string(configuration.clientID)), JSONValue.Member("sub", .string(configuration.clientID)),
      JSONValue.Member("aud", .string(configuration.issuer)), JSONValue.Member("jti", .string(id)),
      JSONValue.Member("iat", .number(String(seconds))), JSONValue.Member("nbf", .number(String(seconds))),
      JSONValue.Member("exp", .number(String(seconds + Self.life))),
    ]
    if let organisation = configuration.organisation {
      claims.append(JSONValue.Member("assertion_details", organisation.details))
    }
    return try JSONWebToken.signed(header: header, claims: claims, by: key)
  }
}

/// That the token is ours: a DPoP proof (RFC 9449, domain facts 9).
enum DPoPProof {
  /// - Parameters:
  ///   - url: of the request; what stands from `?` or `#` on is left out.
  ///   - nonce: the last one the server gave, where it gave one.
  ///   - accessToken: towards an API the token that is shown there; nil towards HelseID.
  static func token(
    method: String, url: String, key: SigningKey, now: RegistryInstant, id: String, nonce: String?, accessToken: String?
  ) throws(AddressRegistryError) -> String {
    let place = String(url.prefix { $0 != "?" && $0 != "#" })
    var claims = [
      JSONValue.Member("jti", .string(id)), JSONValue.Member("htm", .string(method)), JSONValue.Member("htu", .string(place)),
      JSONValue.Member("iat", .number(String(now.millisecondsSinceEpoch / 1_000))),
    ]
    if let nonce { claims.append(JSONValue.Member("nonce", .string(nonce))) }
    if let accessToken { claims.append(JSONValue.Member("ath", .string(Self.hash(of: accessToken)))) }
    return try JSONWebToken.signed(
      header: [
        JSONValue.Member("alg", .string(key.algorithm)), JSONValue.Member("typ", .string("dpop+jwt")),
        JSONValue.Member("jwk", key.publicPart),
      ], claims: claims, by: key)
  }
}
