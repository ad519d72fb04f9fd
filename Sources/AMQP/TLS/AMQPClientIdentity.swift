// SPDX-License-Identifier: Apache-2.0

import Disclosure
import NIOSSL

/// The certificate and private key by which this client shows who it is (TLS client authentication).
///
/// With SASL EXTERNAL it is the login. Files are read anew for every connection, so that a renewed certificate is taken up by
/// the next one. Its description holds file names, never the key.
public struct AMQPClientIdentity: Sendable, Hashable, CustomStringConvertible {
  enum Source: Sendable, Hashable {
    case files(certificates: String, key: String)
    case pem(certificates: String, key: Secret)
  }

  let source: Source

  /// - Parameters:
  ///   - certificateFile: PEM: this client's certificate first, then those between it and an authority, if any.
  ///   - keyFile: PEM: the private key, not encrypted.
  public init(certificateFile: String, keyFile: String) {
    self.source = .files(certificates: certificateFile, key: keyFile)
  }

  /// The same as texts in PEM form.
  public init(certificatePEM: String, keyPEM: Secret) {
    self.source = .pem(certificates: certificatePEM, key: keyPEM)
  }

  public var description: String {
    switch self.source {
    case .files(let certificates, let key): "certificate \(certificates), key \(key)"
    case .pem: "certificate and key given as texts"
    }
  }

  /// What cannot be read, without a word of what is in it.
  struct Unreadable: Error {
    let what: String
  }

  func apply(to tls: inout TLSConfiguration) throws(Unreadable) {
    switch self.source {
    case .files(let certificates, let key):
      tls.certificateChain = try Self.certificates(certificates) { try NIOSSLCertificate.fromPEMFile(certificates) }
      tls.privateKey = .privateKey(try Self.key(key) { try NIOSSLPrivateKey(file: key, format: .pem) })
    case .pem(let certificates, let key):
      tls.certificateChain = try Self.certificates("given as text") {
        try NIOSSLCertificate.fromPEMBytes(Array(certificates.utf8))
      }
      tls.privateKey = .privateKey(
        try Self.key("given as text") {
          try key.withPlainText { try NIOSSLPrivateKey(bytes: Array($0.utf8), format: .pem) }
        })
    }
  }

  private static func certificates(
    _ name: String, _ read: () throws -> [NIOSSLCertificate]
  ) throws(Unreadable) -> [NIOSSLCertificateSource] {
    guard let certificates = try? read(), !certificates.isEmpty else {
      throw Unreadable(what: "the client certificate (\(name)) cannot be read")
    }
    return certificates.map { .certificate($0) }
  }

  private static func key(_ name: String, _ read: () throws -> NIOSSLPrivateKey) throws(Unreadable) -> NIOSSLPrivateKey {
    guard let key = try? read() else { throw Unreadable(what: "the client's private key (\(name)) cannot be read") }
    return key
  }
}
