// SPDX-License-Identifier: Apache-2.0

import NIOSSL

/// Which of our errors a failed handshake is.
package struct TLSFailure: Sendable {
  /// The name that was connected to.
  package var host: String
  /// Whether this side had a certificate to show.
  package var hasIdentity: Bool
  /// The server's certificate, as far as it came.
  package var certificate: CertificateFacts?
  /// Seconds since 1970.
  package var now: Int64

  package init(host: String, hasIdentity: Bool, certificate: CertificateFacts? = nil, now: Int64) {
    self.host = host
    self.hasIdentity = hasIdentity
    self.certificate = certificate
    self.now = now
  }

  /// Nil when `error` is none of TLS.
  package func error(_ error: any Error, tried: String) -> AMQPError? {
    switch error {
    case let error as NIOSSLExtraError:
      guard error == .failedToValidateHostname else {
        return AMQPError(.tlsFailed, .connection, .local, tried: tried, seen: String(describing: error))
      }
      return AMQPError(.wrongName(wanted: self.host, presented: self.certificate?.names ?? []), tried: tried)
    case NIOSSLError.unableToValidateCertificate, NIOSSLError.noCertificateToValidate:
      return AMQPError(self.untrusted(String(describing: error)), tried: tried)
    case NIOSSLError.handshakeFailed(let below): return self.error(stack: String(describing: below), tried)
    case is NIOSSLError, is BoringSSLError: return self.error(stack: String(describing: error), tried)
    default: return nil
    }
  }

  /// By BoringSSL's own names of its errors and of the peer's alerts (RFC 8446 section 6.2).
  private func error(stack words: String, _ tried: String) -> AMQPError {
    func has(_ names: String...) -> Bool { names.contains { words.contains($0) } }
    func error(_ code: AMQPError.Code, _ origin: AMQPError.Origin, _ seen: String) -> AMQPError {
      AMQPError(code, .connection, origin, tried: tried, seen: seen)
    }
    if has("CERTIFICATE_VERIFY_FAILED") { return AMQPError(self.untrusted("CERTIFICATE_VERIFY_FAILED"), tried: tried) }
    if has("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST") {
      return error(.notTLS, .remote, "the first bytes that came are no TLS")
    }
    if has("ALERT_PROTOCOL_VERSION") { return error(.tlsVersionRefused, .remote, "the server refused TLS 1.2 and 1.3") }
    if has("UNSUPPORTED_PROTOCOL", "UNSUPPORTED_SSL_VERSION") {
      return error(.tlsVersionRefused, .local, "the server answered with a version older than TLS 1.2")
    }
    if has("ALERT_CERTIFICATE_REQUIRED") {
      return error(
        self.hasIdentity ? .clientCertificateRefused : .clientCertificateRequired, .remote, "the alert certificate_required")
    }
    if let alert = TLSFailure.certificateAlerts.first(where: { words.contains($0.name) }) {
      // Without a certificate of ours the alert means something else: the server's own trouble.
      return error(self.hasIdentity ? .clientCertificateRefused : .tlsFailed, .remote, "the alert \(alert.alert)")
    }
    if has("ALERT_HANDSHAKE_FAILURE") {
      // TLS 1.2 has no alert of its own for a missing client certificate.
      let wish = self.hasIdentity ? "" : ", or a client certificate is wanted"
      return error(.tlsFailed, .remote, "the alert handshake_failure: no cipher in common\(wish)")
    }
    if has("EOF during handshake", "eofDuringHandshake") {
      return error(.tlsFailed, .remote, "the server closed the connection during the handshake")
    }
    return error(.tlsFailed, .local, words)
  }

  /// BoringSSL says that the chain does not hold, not why: the server's certificate tells.
  private func untrusted(_ words: String) -> AMQPCertificateProblem {
    guard let certificate = self.certificate else { return .unspecified(words) }
    if certificate.endsAt < self.now { return .expired(at: certificate.endsAt) }
    if certificate.beginsAt > self.now { return .notYetValid(before: certificate.beginsAt) }
    if certificate.isSelfIssued { return .selfSigned(subject: certificate.subject) }
    return .unknownIssuer(issuer: certificate.issuer)
  }

  private static let certificateAlerts: [(name: String, alert: String)] = [
    ("ALERT_BAD_CERTIFICATE_STATUS_RESPONSE", "bad_certificate_status_response"), ("ALERT_BAD_CERTIFICATE", "bad_certificate"),
    ("ALERT_UNSUPPORTED_CERTIFICATE", "unsupported_certificate"), ("ALERT_CERTIFICATE_REVOKED", "certificate_revoked"),
    ("ALERT_CERTIFICATE_EXPIRED", "certificate_expired"), ("ALERT_CERTIFICATE_UNKNOWN", "certificate_unknown"),
    ("ALERT_UNKNOWN_CA", "unknown_ca"), ("ALERT_ACCESS_DENIED", "access_denied"), ("ALERT_DECRYPT_ERROR", "decrypt_error"),
  ]
}
