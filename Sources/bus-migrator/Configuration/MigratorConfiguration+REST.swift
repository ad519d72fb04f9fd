// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import Disclosure
import Foundation

extension MigratorConfiguration {
  /// What the CommunicationParty API's documents name as its scope.
  static let partyScope = "nhn:cp-api/access-v2-dpop"
  /// And the CPPA API's, version 2.
  static let protocolScope = "nhn:cppa/access-with-dpop"

  /// - Parameter scope: what tokens ask for where the file does not say.
  static func rest(_ node: ConfigurationNode, _ environment: [String: String], scope: String) throws -> REST {
    let fields = try node.mapping(["url", "timeout", "export-timeout", "allow-plain-http", "helse-id"])
    var endpoint = RESTEndpoint(url: try fields.required("url").text)
    try fields.read("timeout", into: &endpoint.timeoutSeconds) { Double(try $0.span.milliseconds) / 1_000 }
    try fields.read("export-timeout", into: &endpoint.exportTimeoutSeconds) { Double(try $0.span.milliseconds) / 1_000 }
    try fields.read("allow-plain-http", into: &endpoint.allowsPlainHTTP) { try $0.flag }
    let login = try fields.required("helse-id")
    return REST(endpoint: endpoint, helseID: try Self.helseID(login, scope: scope), key: try Self.signingKey(login, environment))
  }

  private static let helseIDKeys = [
    "issuer", "token-endpoint", "client-id", "scope", "timeout", "allow-plain-http", "organisation", "key", "key-file",
    "key-credential", "key-id", "key-algorithm",
  ]

  private static func helseID(_ node: ConfigurationNode, scope: String) throws -> HelseIDConfiguration {
    let fields = try node.mapping(Self.helseIDKeys)
    var configuration = HelseIDConfiguration(
      issuer: try fields.required("issuer").text, tokenEndpoint: try fields.optional("token-endpoint")?.text,
      clientID: try fields.required("client-id").text, scope: try fields.optional("scope")?.text ?? scope)
    try fields.read("timeout", into: &configuration.timeoutSeconds) { Double(try $0.span.milliseconds) / 1_000 }
    try fields.read("allow-plain-http", into: &configuration.allowsPlainHTTP) { try $0.flag }
    try fields.read("organisation", into: &configuration.organisation) { node in
      let fields = try node.mapping(["parent", "child"])
      return HelseIDConfiguration.Organisation(
        parent: try fields.required("parent").text, child: try fields.optional("child")?.text)
    }
    return configuration
  }

  /// A JSON Web Key, as HelseID's self-service gives it, or PEM with the key's id beside it.
  private static func signingKey(_ node: ConfigurationNode, _ environment: [String: String]) throws -> SigningKey {
    let fields = try node.mapping(Self.helseIDKeys)
    guard let secret = try Credentials.secret("key", in: fields, environment: environment) else {
      throw CommandLineError.keyMissing(place: node.place, key: "key-file")
    }
    do {
      guard secret.withPlainText({ $0.hasPrefix("-----BEGIN") }) else { return try SigningKey(jwk: secret) }
      return try SigningKey(
        pem: secret, keyID: try fields.optional("key-id")?.text, algorithm: try fields.optional("key-algorithm")?.text)
    } catch let error as AddressRegistryError {
      throw CommandLineError.credentials(
        place: node.place, seen: "[\(error.stableCode)] \(error.explanation.seen)")
    }
  }
}
