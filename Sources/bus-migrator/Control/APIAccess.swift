// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOSSL

/// What who comes in over TCP is met with: the daemon's certificate, and the tokens it knows. Both are taken up anew by a reload; connections
/// that stand keep the certificate they began with, and lose a token's rights at their next question.
final class APIAccess: Sendable {
  private struct State {
    var tls: NIOSSLContext
    var tokens: APITokens
  }

  private let state: NIOLockedValueBox<State>

  init(_ settings: MigratorConfiguration.API) {
    self.state = NIOLockedValueBox(State(tls: settings.tls, tokens: settings.tokens))
  }

  func adopt(_ settings: MigratorConfiguration.API) {
    self.state.withLockedValue { $0 = State(tls: settings.tls, tokens: settings.tokens) }
  }

  var tls: NIOSSLContext { self.state.withLockedValue { $0.tls } }
  var tokens: APITokens { self.state.withLockedValue { $0.tokens } }
}
