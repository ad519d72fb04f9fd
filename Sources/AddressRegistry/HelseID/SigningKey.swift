// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Disclosure
import Foundation

/// A private key that signs for HelseID: RSA of 2048 bits or more, or EC on P-256, P-384 or P-521.
///
/// It does not print: neither the key nor anything made from its private part is in any text.
public struct SigningKey: Sendable, CustomStringConvertible {
  enum Material: Sendable {
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p521(P521.Signing.PrivateKey)
    case rsa(_RSA.Signing.PrivateKey)
  }

  let material: Material
  /// The JSON Web Algorithm, such as `PS256` or `ES256`.
  public let algorithm: String
  /// The id under which HelseID knows the public part; nil when it was given none.
  public let keyID: String?

  private init(material: Material, algorithm: String, keyID: String?) {
    self.material = material
    self.algorithm = algorithm
    self.keyID = keyID
  }

  /// A new EC key on P-256, for the life of this process: what DPoP proofs are signed with.
  public static func ephemeral() -> SigningKey {
    SigningKey(material: .p256(P256.Signing.PrivateKey()), algorithm: "ES256", keyID: nil)
  }

  /// A private JSON Web Key (RFC 7517), as HelseID's self-service gives it. Without `alg` an RSA key signs by `RS256`, an EC key by
  /// what its curve says.
  ///
  /// - Throws: ``AddressRegistryError`` `signingKeyUnusable`.
  public init(jwk: Secret) throws(AddressRegistryError) {
    let document: JSONValue
    do { document = try JSONDocumentReader.read(jwk.withPlainText { Array($0.utf8) }) } catch {
      throw .signingKeyUnusable("it is no JSON Web Key")
    }
    func number(_ name: String) throws(AddressRegistryError) -> Data {
      guard let bytes = document[name]?.text.flatMap({ Base64URL.decoded($0) }), !bytes.isEmpty else {
        throw .signingKeyUnusable("the JSON Web Key has no usable \(name) (is it the public part only?)")
      }
      return Data(bytes)
    }
    let keyID = document["kid"]?.text
    let stated = document["alg"]?.text
    switch (document["kty"]?.text, document["crv"]?.text) {
    case ("RSA", _):
      let (n, e, d) = (try number("n"), try number("e"), try number("d"))
      let key: _RSA.Signing.PrivateKey
      if document["p"] != nil {
        let (p, q) = (try number("p"), try number("q"))
        do { key = try _RSA.Signing.PrivateKey(n: n, e: e, d: d, p: p, q: q) } catch { throw Self.unusable("RSA") }
      } else {
        do { key = try _RSA.Signing.PrivateKey._createFromNumbers(n: n, e: e, d: d) } catch { throw Self.unusable("RSA") }
      }
      try self.init(.rsa(key), algorithm: stated, keyID: keyID)
    case ("EC", "P-256"?):
      let d = try number("d")
      do { try self.init(.p256(P256.Signing.PrivateKey(rawRepresentation: d)), algorithm: stated, keyID: keyID) } catch {
        throw (error as? AddressRegistryError) ?? Self.unusable("P-256")
      }
    case ("EC", "P-384"?):
      let d = try number("d")
      do { try self.init(.p384(P384.Signing.PrivateKey(rawRepresentation: d)), algorithm: stated, keyID: keyID) } catch {
        throw (error as? AddressRegistryError) ?? Self.unusable("P-384")
      }
    case ("EC", "P-521"?):
      let d = try number("d")
      do { try self.init(.p521(P521.Signing.PrivateKey(rawRepresentation: d)), algorithm: stated, keyID: keyID) } catch {
        throw (error as? AddressRegistryError) ?? Self.unusable("P-521")
      }
    default: throw .signingKeyUnusable("the JSON Web Key is neither RSA nor EC on a curve we know")
    }
  }

  /// A private key as PEM (PKCS #8 or PKCS #1 or SEC 1).
  ///
  /// - Parameter algorithm: for RSA keys; default `RS256`.
  /// - Throws: ``AddressRegistryError`` `signingKeyUnusable`.
  public init(pem: Secret, keyID: String?, algorithm: String? = nil) throws(AddressRegistryError) {
    let material: Material? = pem.withPlainText { pem in
      if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) { return .p256(key) }
      if let key = try? P384.Signing.PrivateKey(pemRepresentation: pem) { return .p384(key) }
      if let key = try? P521.Signing.PrivateKey(pemRepresentation: pem) { return .p521(key) }
      if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) { return .rsa(key) }
      return nil
    }
    guard let material else { throw .signingKeyUnusable("it is no private key in PEM that we can use") }
    try self.init(material, algorithm: algorithm, keyID: keyID)
  }

  private init(_ material: Material, algorithm stated: String?, keyID: String?) throws(AddressRegistryError) {
    let fitting =
      switch material {
      case .p256: ["ES256"]
      case .p384: ["ES384"]
      case .p521: ["ES512"]
      case .rsa: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
      }
    guard let algorithm = stated ?? fitting.first, fitting.contains(algorithm) else {
      throw .signingKeyUnusable("the algorithm \(String((stated ?? "").prefix(20))) does not fit the key")
    }
    if case .rsa(let key) = material, key.keySizeInBits < 2_048 {
      throw .signingKeyUnusable("an RSA key of \(key.keySizeInBits) bits is too short")
    }
    self.init(material: material, algorithm: algorithm, keyID: keyID)
  }

  private static func unusable(_ kind: String) -> AddressRegistryError {
    .signingKeyUnusable("its numbers make no \(kind) key, or one that is too short")
  }

  public var description: String { "\(self.algorithm) key \(self.keyID ?? "without id") (private part not shown)" }

  /// The signature over `bytes`, in the form of JSON Web Signatures (RFC 7518, 3.3 to 3.5).
  func signature(over bytes: [UInt8]) throws(AddressRegistryError) -> [UInt8] {
    do {
      switch self.material {
      case .p256(let key): return Array(try key.signature(for: bytes).rawRepresentation)
      case .p384(let key): return Array(try key.signature(for: bytes).rawRepresentation)
      case .p521(let key): return Array(try key.signature(for: bytes).rawRepresentation)
      case .rsa(let key):
        let padding: _RSA.Signing.Padding = self.algorithm.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
        switch self.algorithm.suffix(3) {
        case "384": return Array(try key.signature(for: SHA384.hash(data: bytes), padding: padding).rawRepresentation)
        case "512": return Array(try key.signature(for: SHA512.hash(data: bytes), padding: padding).rawRepresentation)
        default: return Array(try key.signature(for: SHA256.hash(data: bytes), padding: padding).rawRepresentation)
        }
      }
    } catch { throw .signingKeyUnusable("it does not sign") }
  }
}
