// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import ForeignPrograms
import TjenestebussTesting

extension SeededFault {
  /// Step 22.
  static let ofCertificates: [SeededFault] = [
    .init(22, .nhn, .certificateExpired, "the certificate has expired", on: "TLS broker in memory", sees: "2020-01-02") {
      try await Self.certificate("expired")
    },
    .init(22, .us, .certificateNotYetValid, "the certificate is not valid yet", on: "TLS broker in memory", sees: "2049-01-01") {
      try await Self.certificate("early")
    },
    .init(
      22, .us, .certificateWrongName, "the certificate is for another name", on: "TLS broker in memory",
      sees: "bus.elsewhere.example"
    ) {
      try await Self.certificate("elsewhere")
    },
    .init(22, .us, .certificateSelfSigned, "the certificate has signed itself", on: "TLS broker in memory", sees: "itself") {
      try await Self.certificate("itself")
    },
    .init(22, .us, .certificateUnknownAuthority, "an authority that is not trusted", on: "TLS broker in memory", sees: "stranger")
    {
      try await Self.certificate("strange")
    },
    .init(22, .nhn, .certificateEndsSoon, "the certificate ends in ten days", on: "TLS broker in memory", sees: "går ut om") {
      try await Self.certificate("soon")
    },
    .init(
      22, .us, .certificateUnknownAuthority, "the broker's authority is not configured", on: RealBroker.rabbitMQ4,
      sees: "utstedt av"
    ) {
      broker in
      let configuration = try broker.secureConfiguration(trusting: false)
      return try await FaultStage.climb(
        FaultStage.endpoint(
          host: configuration.host, port: configuration.port, dialect: broker.dialect, encrypted: true, user: "app",
          password: "app", path: ""))
    },
    .init(22, .nhn, .versionRefused, "TLS 1.1 is the newest that the server speaks", on: "OpenSSL server", sees: "AMQP-115") {
      try await Self.server(["--newest", "1.1"])
    },
    .init(22, .nhn, .noCommonCipher, "no cipher in common", on: "OpenSSL server", sees: "AMQP-104") {
      try await Self.server(["--newest", "1.2", "--ciphers", "DHE-RSA-AES128-GCM-SHA256"])
    },
    .init(22, .us, .clientCertificateWanted, "a client certificate is wanted, TLS 1.2", on: "OpenSSL server", sees: "AMQP-104") {
      try await Self.server(["--newest", "1.2"], wantsClient: true)
    },
    .init(22, .us, .clientCertificateWanted, "a client certificate is wanted, TLS 1.3", on: "OpenSSL server", sees: "AMQP-113") {
      try await Self.server([], wantsClient: true)
    },
    .init(22, .nhn, .handshakeSilent, "nobody answers the handshake", on: "OpenSSL server that is silent", sees: "3 s") {
      try await Self.server(["--silent"])
    },
    .init(
      22, .network, .handshakeCut, "the connection is cut in the handshake", on: "OpenSSL server that hangs up", sees: "AMQP-1"
    ) {
      try await Self.server(["--cut"])
    },
    .init(22, .us, .notTLS, "amqps:// on the port for plain AMQP", on: RealBroker.rabbitMQ4, sees: "AMQP 1.0 (SASL)") { broker in
      try await FaultStage.climb(try FaultStage.real(broker) { $0.connection.encrypted = true })
    },
    .init(22, .us, .notTLS, "amqps:// on the port of the management", on: RealBroker.rabbitMQ4, sees: "HTTP") { broker in
      try await FaultStage.climb(
        try FaultStage.real(broker) {
          $0.connection.encrypted = true
          $0.connection.port = Self.managementPort(broker)
        })
    },
  ]

  static func managementPort(_ broker: RealBroker) -> Int {
    (try? broker.variable("MANAGEMENT_URL"))?.split(separator: ":").last.flatMap { Int($0) } ?? 1
  }

  private static func certificate(_ name: String) async throws -> ProbeReport {
    let made = try await FaultCertificates.shared.value
    return try await FaultStage.memory(
      .serviceBusWindowsServer, configure: { $0.tls = made.tls(name) },
      climb: { _, endpoint in
        var endpoint = endpoint
        endpoint.authorities = [made.file("authority.pem")]
        return try await FaultStage.climb(endpoint, change: { $0.sending = .no })
      })
  }

  static func server(_ arguments: [String], wantsClient: Bool = false) async throws -> ProbeReport {
    let made = try await FaultCertificates.shared.value
    let tls = made.tls("good")
    let client = wantsClient ? ["--client-ca", made.file("stranger.pem")] : []
    return try await ForeignServer.withPython("tls_server.py", [tls.certificateChain, tls.privateKey] + arguments + client) {
      try await FaultStage.climb(
        FaultStage.endpoint(host: "localhost", port: $0.port, encrypted: true, authorities: [made.file("authority.pem")]),
        settings: { $0.timeout = .seconds(3) })
    }
  }
}
