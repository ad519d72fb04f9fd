// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOSSL

/// How the rows over TLS enter.
enum TLSContexts {
  static func withoutCertificate(_ bus: Bus) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    return try NIOSSLContext(configuration: configuration)
  }

  /// With the client certificate, CN=app, that lies beside the broker's authority.
  static func withCertificate(_ bus: Bus) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    let folder = URL(fileURLWithPath: try authority(bus)).deletingLastPathComponent()
    configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(folder.appendingPathComponent("client.pem").path)
      .map { .certificate($0) }
    configuration.privateKey = .privateKey(
      try NIOSSLPrivateKey(file: folder.appendingPathComponent("client.key").path, format: .pem))
    return try NIOSSLContext(configuration: configuration)
  }

  /// The authority's certificate; the server's and the client's own lie beside it.
  static func authority(_ bus: Bus) throws -> String {
    guard let path = bus.variable("CA") ?? Bus.rabbitMQ40.variable("CA") else {
      throw RealStage.Trouble(description: "no authority in the environment: run the tests with `make test`")
    }
    return path
  }
}
