// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// How to log in: one SASL mechanism, and no other, whatever the server offers and in whatever order.
///
/// RabbitMQ 3 offers ANONYMOUS first, which lets anyone in as guest: a client that took the first it can do would look as if
/// its password were right.
public enum AMQPLogin: Sendable, Hashable {
  /// SASL PLAIN. A token (OAuth 2) is the password of most buses that take one.
  case plain(user: String, password: Secret)
  /// SASL EXTERNAL: the user is whom the client certificate names. Needs an encrypted connection with an
  /// ``AMQPClientIdentity``.
  case external
  case anonymous

  /// The mechanism's registered name.
  public var mechanism: String {
    switch self {
    case .plain: "PLAIN"
    case .external: "EXTERNAL"
    case .anonymous: "ANONYMOUS"
    }
  }
}

/// Where the login comes from.
public enum AMQPCredentials: Sendable {
  /// The same for every connection.
  case login(AMQPLogin)
  /// Asked for at each connect, for passwords and tokens that change.
  case provided(AMQPCredentialProvider)
}

/// Gives the login for the next connection.
///
/// What it throws, or not answering in time, is ``AMQPError`` `credentialsUnavailable`, which is retriable; the thrown error's
/// words are not shown, since they may hold what must not be.
public struct AMQPCredentialProvider: Sendable {
  /// How long an answer may take. Default 10 s; does not count as time of connecting.
  public var timeout: Duration
  let ask: @Sendable () async throws -> AMQPLogin

  /// - Parameter ask: called once for each connection that is opened. Its task is cancelled at the deadline.
  public init(within timeout: Duration = .seconds(10), _ ask: @escaping @Sendable () async throws -> AMQPLogin) {
    self.timeout = timeout
    self.ask = ask
  }
}
