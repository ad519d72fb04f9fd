// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras

extension SigningKey {
  /// The public part as a JSON Web Key: for RSA `kty`, `n`, `e`, `alg`; for EC `kty`, `x`, `y`, `crv`.
  public var publicJWK: String { self.publicPart.written }

  package var publicPart: JSONValue {
    var members = self.required.map { JSONValue.Member($0, .string($1)) }
    if case .rsa = self.material { members.append(JSONValue.Member("alg", .string(self.algorithm))) }
    return .object(members)
  }

  /// What a proof of possession is bound to (RFC 7638).
  public var thumbprint: String {
    let members = self.required.sorted { $0.0 < $1.0 }.map { JSONValue.Member($0, .string($1)) }
    return Base64URL.encoded(SHA256.hash(data: Array(JSONValue.object(members).written.utf8)))
  }

  private var required: [(String, String)] {
    func curve(_ name: String, _ point: some Sequence<UInt8>) -> [(String, String)] {
      let bytes = Array(point)
      let half = bytes.count / 2
      return [
        ("kty", "EC"), ("x", Base64URL.encoded(bytes[..<half])), ("y", Base64URL.encoded(bytes[half...])), ("crv", name),
      ]
    }
    switch self.material {
    case .p256(let key): return curve("P-256", key.publicKey.rawRepresentation)
    case .p384(let key): return curve("P-384", key.publicKey.rawRepresentation)
    case .p521(let key): return curve("P-521", key.publicKey.rawRepresentation)
    case .rsa(let key):
      guard let numbers = try? key.publicKey.getKeyPrimitives() else { return [("kty", "RSA")] }
      return [
        ("kty", "RSA"), ("n", Base64URL.encoded(numbers.modulus)), ("e", Base64URL.encoded(numbers.publicExponent)),
      ]
    }
  }
}
