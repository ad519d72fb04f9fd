// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// Which step of checking the server's certificate failed.
public enum AMQPCertificateProblem: Sendable, Hashable {
  /// Its last second has passed (seconds since 1970).
  case expired(at: Int64)
  /// Its first second has not come, by this machine's clock (seconds since 1970).
  case notYetValid(before: Int64)
  /// It has signed itself, and is not among the certificates that are trusted.
  case selfSigned(subject: String)
  /// None of the trusted authorities has issued it, as far as the certificates that the server sent tell.
  case unknownIssuer(issuer: String)
  /// It is for other names than the one that was connected to.
  case wrongName(wanted: String, presented: [String])
  /// The check failed and the certificate could not be looked at.
  case unspecified(String)

  /// What was seen, in one clause.
  var seen: String {
    switch self {
    case .expired(let time): "the certificate of the server ended at \(CertificateTime.text(time))"
    case .notYetValid(let time): "the certificate of the server begins at \(CertificateTime.text(time))"
    case .selfSigned(let subject): "the certificate of the server, \(subject), is signed by itself"
    case .unknownIssuer(let issuer): "the certificate of the server was issued by \(issuer)"
    case .wrongName(let wanted, let presented):
      "the certificate of the server is for \(presented.isEmpty ? "no name" : presented.joined(separator: ", ")), not for \(wanted)"
    case .unspecified(let words): words
    }
  }

  var meaning: String {
    switch self {
    case .expired: "The server's certificate has expired. Nothing was sent."
    case .notYetValid: "The server's certificate is not valid yet, by this machine's clock. Nothing was sent."
    case .selfSigned: "The server's certificate is signed by itself and not trusted here. Nothing was sent."
    case .unknownIssuer: "The server's certificate comes from an issuer that is not trusted here. Nothing was sent."
    case .wrongName: "The server's certificate is for another name than the one connected to. Nothing was sent."
    case .unspecified: "The server's certificate is not trusted. Nothing was sent."
    }
  }

  var next: String {
    switch self {
    case .expired:
      "Those who run the bus must renew it; it is tried again where a client recovers. Check this machine's clock too."
    case .notYetValid: "Check this machine's clock first; then ask those who run the bus."
    case .selfSigned:
      "If it is the bus's own, have it confirmed by those who run the bus and give its file as authority. Do not switch verification off."
    case .unknownIssuer:
      "Give the issuer's certificate as authority in the configuration if it is the bus's own. Do not switch verification off."
    case .wrongName: "Connect by a name that the certificate has, or have a certificate issued for this name."
    case .unspecified: "Check the host name; give the bus's own CA in the configuration if it has one."
    }
  }

  var owner: FaultOwner {
    switch self {
    case .expired: .bus
    case .notYetValid: .host
    case .selfSigned, .unknownIssuer, .wrongName, .unspecified: .caller
    }
  }

  /// Whether it mends itself, or is mended at the bus, without anybody touching this side.
  var passesWithTime: Bool {
    switch self {
    case .expired, .notYetValid: true
    case .selfSigned, .unknownIssuer, .wrongName, .unspecified: false
    }
  }
}
