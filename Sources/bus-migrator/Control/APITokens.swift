// SPDX-License-Identifier: Apache-2.0

import Crypto
import Disclosure
import Foundation
import Migration

/// Who may come in over TCP, and as what. Of a secret only its SHA-256 is kept.
struct APITokens: Sendable {
  struct Token: Sendable {
    /// Who it was given to: the name under which its commands stand in the audit.
    var name: String
    var role: ControlRole
    /// Of a vendor's: whose parties it sees.
    var vendor: String?
    /// From then on it is nobody's.
    var expires: Instant
    fileprivate let digest: [UInt8]

    init(name: String, role: ControlRole, vendor: String? = nil, expires: Instant, secret: Secret) {
      self.name = name
      self.role = role
      self.vendor = vendor
      self.expires = expires
      self.digest = secret.withPlainText { APITokens.digest($0) }
    }

    func isSame(as other: Token) -> Bool { APITokens.areSame(self.digest, other.digest) }
  }

  enum Word: Sendable, Hashable {
    case known(ControlAsker)
    case expired(name: String)
    case unknown
  }

  /// Below that, one could be guessed.
  static let shortestSecret = 32

  var tokens: [Token] = []

  /// - Parameter authorization: the header as it came; nil for none.
  func word(on authorization: String?, now: Instant) -> Word {
    guard let authorization, authorization.lowercased().hasPrefix("bearer ") else { return .unknown }
    let digest = Self.digest(authorization.dropFirst("bearer ".count).trimmingCharacters(in: .whitespaces))
    // Every one is compared, all of it: the time that it takes tells nothing.
    var found: Token?
    for token in self.tokens where Self.areSame(token.digest, digest) { found = token }
    guard let found else { return .unknown }
    guard now < found.expires else { return .expired(name: found.name) }
    return .known(ControlAsker(giver: .token(name: found.name), roles: [found.role], vendor: found.vendor))
  }

  private static func digest(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }

  fileprivate static func areSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    zip(one, other).reduce(UInt8(one.count == other.count ? 0 : 1)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
