// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Where a vendor plugs in its signing and encryption (CMS). The library sees no keys and no certificates, and keeps no body.
///
/// Asked for every message that is sent through the client and handed to a handler, except pings and error messages. Which
/// parties and content types are protected, and whether a plain one is accepted, is the implementation's decision: it returns the
/// body unchanged, or throws.
public protocol MessageProtection: Sendable {
  /// Signs and encrypts the body for the receiver (``HealthMessage/to``).
  ///
  /// - Throws: anything; the message is then not sent.
  func protect(_ message: HealthMessage) async throws -> ProtectedBody

  /// Decrypts and verifies a body that came; the content type tells how it is protected.
  ///
  /// - Returns: the plain body.
  /// - Throws: ``ProtectionFailure``, of which the sender is told unless it is temporary. Any other error is taken for a fault
  ///   on our side: the message is kept and tried again.
  func unprotect(_ message: HealthMessage) async throws -> [UInt8]
}

/// A body as it goes on the wire, and how it is protected.
public struct ProtectedBody: Sendable, Hashable {
  public var bytes: [UInt8]
  /// Such as ``signedAndEnveloped``.
  public var contentType: String

  public static let signedAndEnveloped = "application/pkcs7-mime; smime-type=signed-and-enveloped-data"
  public static let enveloped = "application/pkcs7-mime; smime-type=enveloped-data"
  public static let signed = "application/pkcs7-mime; smime-type=signed-data"

  public init(_ bytes: [UInt8], contentType: String = ProtectedBody.signedAndEnveloped) {
    self.bytes = bytes
    self.contentType = contentType
  }
}

/// A body that could not be opened, or whose signature does not hold.
public struct ProtectionFailure: Error, Sendable, Hashable {
  /// `revokedCertificateOffline` is temporary: the message is kept. Every other one is told to the sender.
  public var condition: TransportErrorCondition
  /// Goes on the wire: no health data.
  public var text: String

  public init(_ condition: TransportErrorCondition, text: String) {
    self.condition = condition
    self.text = text
  }
}
