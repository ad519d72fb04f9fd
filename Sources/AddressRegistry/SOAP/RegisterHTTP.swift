// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOSSL

/// The HTTP client that the register is asked with.
public enum RegisterHTTP {
  /// What the register's client needs: no redirects (a redirected POST becomes another request), TLS 1.2 or later with a
  /// verified certificate, ten seconds to connect, 32 connections to a host, no silent second try.
  ///
  /// - Parameter extraRootsFile: a PEM file of certificate authorities that are trusted besides the system's.
  public static func configuration(extraRootsFile: String? = nil) -> HTTPClient.Configuration {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    if let extraRootsFile { tls.additionalTrustRoots = [.file(extraRootsFile)] }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: HTTPClient.Configuration.Timeout(connect: .seconds(10)))
    configuration.connectionPool.retryConnectionEstablishment = false
    // Whoever waits for a connection waits within the ten seconds.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
    configuration.httpVersion = .http1Only
    return configuration
  }

  /// Runs `body` with such a client and shuts it down afterwards, however `body` ends.
  @discardableResult
  public static func withClient<Value: Sendable>(
    extraRootsFile: String? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (HTTPClient) async throws -> Value
  ) async throws -> Value {
    try await HTTPClient.withHTTPClient(configuration: Self.configuration(extraRootsFile: extraRootsFile), body)
  }
}
