// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import BusProbe
import TjenestebussTesting

extension SeededFault {
  /// Steps 23 to 25.
  static let ofLogin: [SeededFault] = Self.ofPasswords + Self.ofProtocols + Self.ofOpening

  private static let ofPasswords: [SeededFault] = [RealBroker.rabbitMQ3, RealBroker.rabbitMQ4, RealBroker.rabbitMQ43].map {
    broker in
    SeededFault(23, .us, .loginRefused, "a wrong password", on: broker, sees: "avviste app med PLAIN; den tilbyr") { broker in
      try await FaultStage.climb(try FaultStage.real(broker, password: "wrong"))
    }
  }

  private static let ofProtocols: [SeededFault] = [
    .init(
      23, .nhn, .mechanismNotOffered, "the bus offers other mechanisms only", on: "scripted peer",
      sees: "EXTERNAL, ANONYMOUS, ikke PLAIN"
    ) {
      try await FaultStage.scripted([
        .expect(header: .sasl), .respond(header: .sasl), .respond(.saslMechanisms(["EXTERNAL", "ANONYMOUS"])), .expectEnd(),
      ])
    },
    .init(23, .nhn, .loginUnavailable, "the bus cannot check logins just now", on: "scripted peer", sees: "AMQP-119") {
      try await FaultStage.scripted([.login(outcome: 2)])
    },
    .init(23, .nhn, .otherAMQP, "AMQP 0-9-1 is spoken on the port", on: "scripted peer", sees: "AMQP 0-9-1") {
      let answer: [PeerStep] = [.expect(header: .sasl), .respond(header: .amqp091), .drop()]
      return try await FaultStage.scripted(answer, then: [answer])
    },
    .init(23, .us, .notAMQP, "the management's HTTP is on the port", on: RealBroker.rabbitMQ4, sees: "HTTP/1.1 400") { broker in
      try await FaultStage.climb(try FaultStage.real(broker) { $0.connection.port = Self.managementPort(broker) })
    },
    .init(23, .nhn, .otherAMQP, "AMQP 0-9-1 is spoken behind TLS", on: "OpenSSL server", sees: "AMQP 0-9-1") {
      try await Self.server(["--says", "amqp-0-9-1"])
    },
    .init(23, .us, .notAMQP, "HTTPS is spoken on the port", on: "OpenSSL server", sees: "HTTP/1.1 400") {
      try await Self.server(["--says", "http"])
    },
    .init(23, .us, .wantsTLS, "amqp:// on the port for TLS", on: RealBroker.rabbitMQ4, sees: "TLS") { broker in
      let secure = try broker.secureConfiguration(trusting: true)
      return try await FaultStage.climb(try FaultStage.real(broker) { $0.connection.port = secure.port })
    },
    .init(23, .nhn, .loginSilent, "nobody answers the AMQP header", on: "scripted peer", sees: "0 byte") {
      try await FaultStage.scripted([.expect(header: .sasl), .silence()], then: [[.expect(header: .sasl), .silence()]])
    },
    .init(23, .nhn, .loginCut, "the bus hangs up during the login", on: "scripted peer", sees: "AMQP-107") {
      try await FaultStage.scripted([
        .expect(header: .sasl), .respond(header: .sasl), .respond(.saslMechanisms(["PLAIN"])), .expect(.saslInit()), .drop(),
      ])
    },
  ]

  private static let ofOpening: [SeededFault] = [
    .init(
      24, .nhn, .virtualHostRefused, "a virtual host that is not there", on: RealBroker.rabbitMQ3,
      sees: "amqp:unauthorized-access"
    ) {
      broker in try await FaultStage.climb(try FaultStage.real(broker, virtualHost: "not-there"))
    },
    .init(
      24, .us, .openCutByVirtualHost, "a virtual host that is not there", on: RealBroker.rabbitMQ4,
      sees: "uten virtuell vert, og den slapp inn"
    ) {
      broker in try await FaultStage.climb(try FaultStage.real(broker, virtualHost: "not-there"))
    },
    .init(
      24, .us, .openCutByVirtualHost, "a virtual host that is not there", on: RealBroker.rabbitMQ43,
      sees: "uten virtuell vert, og den slapp inn"
    ) {
      broker in try await FaultStage.climb(try FaultStage.real(broker, virtualHost: "not-there"))
    },
    .init(24, .nhn, .openCutSilently, "a user without any right", on: RealBroker.rabbitMQ4, sees: "ikke noe mer") { broker in
      try await FaultStage.climb(try FaultStage.real(broker, user: "novhost"))
    },
    .init(
      24, .us, .connectionLimit, "as many connections as there may be", on: "scripted peer", sees: "amqp:resource-limit-exceeded"
    ) {
      try await FaultStage.scripted([
        .opening(), .close(AMQPCondition(AMQPCondition.resourceLimitExceeded, text: "connection limit reached")),
      ])
    },
    .init(24, .nhn, .openSilent, "the bus does not answer Open", on: "scripted peer", sees: "3 s") {
      try await FaultStage.scripted([.login(), .expect(header: .amqp), .respond(header: .amqp), .expect(.open()), .silence()])
    },
    .init(25, .us, .sessionLimit, "no session is left", on: "scripted peer", sees: "session limit") {
      try await FaultStage.scripted([
        .opening(), .expect(.begin), .respond(.begin()),
        .respond(.end(AMQPCondition(AMQPCondition.resourceLimitExceeded, text: "session limit 0 reached"))),
      ])
    },
    .init(25, .nhn, .sessionRefused, "the bus ends the session", on: "scripted peer", sees: "amqp:internal-error") {
      try await FaultStage.scripted([
        .opening(), .expect(.begin), .respond(.begin()),
        .respond(.end(AMQPCondition(AMQPCondition.internalError, text: "shutdown"))),
      ])
    },
  ]
}
