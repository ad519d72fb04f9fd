// SPDX-License-Identifier: Apache-2.0

import Crypto
import Disclosure
import Foundation

/// Signs what a webhook is sent, so that the receiver knows who sent it, that it is whole, and when: HMAC-SHA256 over id, time and body, as
/// the Standard Webhooks specification (1.0) has it. Its libraries verify it.
public struct WebhookSignature: Sendable, Equatable {
  private let key: SymmetricKey

  /// - Parameter secret: `whsec_` and the key in Base64, or any text, which is taken as it is.
  /// - Returns: nil when it is shorter than 24 bytes, or what stands behind `whsec_` is no Base64.
  public init?(secret: Secret) {
    let key: Data? = secret.withPlainText { text in
      text.hasPrefix("whsec_") ? Data(base64Encoded: String(text.dropFirst(6))) : Data(text.utf8)
    }
    guard let key, key.count >= 24 else { return nil }
    self.key = SymmetricKey(data: key)
  }

  /// - Parameter seconds: since 1970, UTC.
  /// - Returns: the value of `webhook-signature`.
  public func sign(id: String, seconds: Int64, body: Data) -> String {
    var signed = Data("\(id).\(seconds).".utf8)
    signed.append(body)
    return "v1," + Data(HMAC<SHA256>.authenticationCode(for: signed, using: self.key)).base64EncodedString()
  }
}
