// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import NIOSSL

extension MigratorConfiguration {
  /// The control interface over TCP, always with TLS; nil in the configuration for none.
  struct API {
    var host: String
    var port: Int
    var tls: NIOSSLContext
    var tokens: APITokens

    var listen: String { "\(self.host):\(self.port)" }
  }

  static func api(_ node: ConfigurationNode?, _ environment: [String: String]) throws -> API? {
    guard let node else { return nil }
    let fields = try node.mapping()
    let listen = try fields.required("listen")
    guard let (host, port) = Self.address(try listen.text) else { throw listen.wrong(wanted: "host:port, such as 0.0.0.0:8443") }
    let tokens = try fields.required("tokens").elements.map { try Self.token($0, environment) }
    for (index, token) in tokens.enumerated() {
      for other in tokens[..<index] where other.name == token.name || other.isSame(as: token) {
        throw CommandLineError.valueWrong(
          place: node.place, seen: "two tokens named \(other.name) and \(token.name), or of one secret",
          wanted: "each name and each secret once")
      }
    }
    return API(host: host, port: port, tls: try Self.tls(fields, environment), tokens: APITokens(tokens: tokens))
  }

  private static func address(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port)
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    return host.isEmpty ? nil : (host, port)
  }

  private static func tls(_ fields: ConfigurationNode.Fields, _ environment: [String: String]) throws -> NIOSSLContext {
    let certificate = try fields.required("certificate")
    let path = try certificate.absolutePath
    let keyNode: ConfigurationNode
    let keyPath: String
    let keyShown: String
    switch (fields.optional("private-key"), fields.optional("private-key-credential")) {
    case (let node?, nil):
      (keyNode, keyPath, keyShown) = (node, try node.absolutePath, try Credentials.shown(node))
    case (nil, let node?):
      let path = try Credentials.path(ofCredential: try node.text, place: node.place, environment: environment)
      (keyNode, keyPath, keyShown) = (node, path, path)
    case (nil, nil): throw CommandLineError.keyMissing(place: fields.of.place, key: "private-key")
    default:
      throw CommandLineError.valueWrong(
        place: fields.of.place, seen: "private-key and private-key-credential", wanted: "only one of them")
    }
    // What the library says may quote the file.
    guard let chain = try? NIOSSLCertificate.fromPEMFile(path), !chain.isEmpty else {
      throw CommandLineError.credentials(place: certificate.place, seen: "\(path) cannot be read as PEM certificates")
    }
    guard let key = try? NIOSSLPrivateKey(file: keyPath, format: .pem) else {
      throw CommandLineError.credentials(place: keyNode.place, seen: "\(keyShown) cannot be read as a PEM key")
    }
    var tls = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    tls.minimumTLSVersion = .tlsv12
    tls.applicationProtocols = ["http/1.1"]
    guard let context = try? NIOSSLContext(configuration: tls) else {
      throw CommandLineError.credentials(place: certificate.place, seen: "the certificate does not belong to the key")
    }
    return context
  }

  private static func token(_ node: ConfigurationNode, _ environment: [String: String]) throws -> APITokens.Token {
    let fields = try node.mapping()
    let nameNode = try fields.required("name")
    let name = try nameNode.text
    guard name.utf8.count <= 100, name == name.trimmingCharacters(in: .whitespacesAndNewlines) else {
      throw nameNode.wrong(wanted: "a name of at most 100 bytes, without blanks around it")
    }
    let role = try fields.required("role").choice(ControlRole.self)
    let vendor = try fields.optional("vendor")?.text
    switch (role, vendor) {
    case (.vendor, nil): throw CommandLineError.keyMissing(place: node.place, key: "vendor")
    case (.vendor, _), (_, nil): break
    default: throw try fields.required("vendor").wrong(wanted: "no vendor with the role \(role.rawValue)")
    }
    let expiryNode = try fields.required("expires")
    guard let day = LocalDate(text: try expiryNode.text) else {
      throw expiryNode.wrong(wanted: "the last day on which it counts, such as 2027-01-31")
    }
    guard let secret = try Credentials.secret("token", in: fields, environment: environment) else {
      throw CommandLineError.keyMissing(place: node.place, key: "token-file")
    }
    guard secret.withPlainText({ $0.utf8.count >= APITokens.shortestSecret }) else {
      throw CommandLineError.credentials(
        place: node.place,
        seen: "the secret is shorter than \(APITokens.shortestSecret) characters; openssl rand -hex 32 makes a good one")
    }
    // Through the end of that day.
    let expires = OsloTime.instant(day, .endOfDay)
    return APITokens.Token(name: name, role: role, vendor: vendor, expires: expires, secret: secret)
  }
}
