// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import Disclosure
import Foundation

extension MigratorConfiguration {
  /// What the CommunicationParty API's documents name as its scope.
  static let partyScope = "nhn:cp-api/access-v2-dpop"
  /// And the CPPA API's, version 2.
  static let protocolScope = "nhn:cppa/access-with-dpop"

  static func rest(_ node: ConfigurationNode, _ environment: [String: String]) throws -> REST {
    let fields = try node.mapping()
    var endpoint = RESTEndpoint(url: try fields.required("url").text)
    endpoint.timeoutSeconds = try fields.required("timeout").seconds
    endpoint.exportTimeoutSeconds = try fields.required("export-timeout").seconds
    endpoint.allowsPlainHTTP = try fields.required("allow-plain-http").flag
    let login = try fields.required("helse-id")
    return REST(endpoint: endpoint, helseID: try Self.helseID(login), key: try Self.signingKey(login, environment))
  }

  private static func helseID(_ node: ConfigurationNode) throws -> HelseIDConfiguration {
    let fields = try node.mapping()
    var configuration = HelseIDConfiguration(
      issuer: try fields.required("issuer").text, tokenEndpoint: try fields.optional("token-endpoint")?.text,
      clientID: try fields.required("client-id").text, scope: try fields.required("scope").text)
    configuration.timeoutSeconds = try fields.required("timeout").seconds
    configuration.allowsPlainHTTP = try fields.required("allow-plain-http").flag
    try fields.read("organisation", into: &configuration.organisation) { node in
      let fields = try node.mapping()
      return HelseIDConfiguration.Organisation(
        parent: try fields.required("parent").text, child: try fields.optional("child")?.text)
    }
    return configuration
  }

  /// A JSON Web Key, as HelseID's self-service gives it, or PEM with the key's id beside it.
  private static func signingKey(_ node: ConfigurationNode, _ environment: [String: String]) throws -> SigningKey {
    let fields = try node.mapping()
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
