// SPDX-License-Identifier: Apache-2.0

/// Why a receiver could not take a message, in the words that the sector's systems write in `errorCondition`.
public enum TransportErrorCondition: String, Sendable, Hashable, Codable, CaseIterable {
  case notWellFormedXML = "transport:not-well-formed-xml"
  /// A field that receivers check is missing or malformed; the names stand in the condition data.
  case invalidFieldValue = "transport:invalid-field-value"
  case internalError = "transport:internal-error"
  case unsupportedMessage = "transport:unsupported-message"
  case missingCertificate = "transport:missing-certificate"
  case expiredCertificate = "transport:expired-certificate"
  case invalidCertificate = "transport:invalid-certificate"
  case revokedCertificate = "transport:revoked-certificate"
  /// Whether it is revoked could not be looked up. Temporary: never told to the sender, the message is kept.
  case revokedCertificateOffline = "transport:revoked-certificate-offline"
  case unverifiedCertificate = "transport:unverified-certificate"
  /// The sender is not the HER-ID it says it is.
  case spoofingAttack = "abuse:spoofing-attack"

  /// Whether trying the same message again later can help.
  public var isTemporary: Bool { self == .revokedCertificateOffline }
}
