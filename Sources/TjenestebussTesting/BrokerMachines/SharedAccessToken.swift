// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// A token of Azure's: "SharedAccessSignature sr=RESOURCE&sig=SIGNATURE&se=EXPIRY&skn=RULE". Pure.
package struct SharedAccessToken: Sendable, Equatable {
  package let resource: String
  package let rule: String
  /// Seconds since 1970.
  package let expiry: Int64
  private let encodedResource: String
  private let signature: String

  package init?(_ text: String) {
    let head = "SharedAccessSignature "
    guard text.hasPrefix(head) else { return nil }
    var fields: [String: String] = [:]
    for part in text.dropFirst(head.count).split(separator: "&") {
      let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
      if pair.count == 2 { fields[pair[0]] = pair[1] }
    }
    guard let encoded = fields["sr"], let resource = PercentEncoding.decoded(encoded),
      let signature = fields["sig"].flatMap(PercentEncoding.decoded), let rule = fields["skn"],
      let expiry = fields["se"].flatMap({ Int64($0) })
    else { return nil }
    self.encodedResource = encoded
    self.resource = resource
    self.rule = rule
    self.expiry = expiry
    self.signature = signature
  }

  /// Whether it was made with `key`.
  package func isSigned(with key: String) -> Bool {
    guard let signature = Data(base64Encoded: self.signature) else { return false }
    return HMAC<SHA256>.isValidAuthenticationCode(
      signature, authenticating: Data("\(self.encodedResource)\n\(self.expiry)".utf8), using: SymmetricKey(data: Data(key.utf8)))
  }
}
