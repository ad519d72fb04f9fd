// SPDX-License-Identifier: Apache-2.0

@testable import AMQP

/// Login and connection.
enum LoginRows {
  static let all: [Row] = [
    Row("login: mechanisms, in order") { play in
      let line = try await play.connect()
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      try await line.read(until: AMQPFrame.Code.saslMechanisms)
    },
    Row("login: ANONYMOUS") { play in
      let line = try await play.connect()
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      try await line.quietly { try await line.read(until: AMQPFrame.Code.saslMechanisms) }
      line.login(mechanism: "ANONYMOUS")
      try await line.read(until: AMQPFrame.Code.saslOutcome)
      try await Self.open(line)
      line.begin()
      try await line.read(until: AMQPFrame.Code.begin)
    },
    Row("login: ANONYMOUS is user guest", on: .rabbitMQ) { play in
      try await play.declare()
      let line = try await play.connect()
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      try await line.quietly {
        line.login(mechanism: "ANONYMOUS")
        try await line.read(until: AMQPFrame.Code.saslOutcome)
        try await Self.open(line)
        line.begin()
        try await line.read(until: AMQPFrame.Code.begin)
        try await line.attachSender()
      }
      try await line.send(Payload.durable + Payload.ids(user: "guest") + Payload.data("x"), as: "user-id guest")
    },
    Row("login: no SASL layer") { play in
      let line = try await play.connect()
      play.did("header AMQP")
      line.write(.header(protocolID: 0, version: [1, 0, 0]))
      try await line.readHeader()
      line.open()
      try await line.read(until: AMQPFrame.Code.open)
    },
    Row("login: wrong password") { play in try await Self.refused(play, "app", "wrong") },
    Row("login: unknown user") { play in try await Self.refused(play, "nobody", "app") },
    Row("login: AMQPLAIN", on: .rabbitMQ) { play in
      let line = try await play.connect()
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      try await line.quietly { try await line.read(until: AMQPFrame.Code.saslMechanisms) }
      line.loginByTable("app", "app")
      try await line.read(until: AMQPFrame.Code.saslOutcome)
      try await line.quietly { try await Self.open(line) }
    },
    Row("login: AMQPLAIN, wrong password", on: .rabbitMQ) { play in
      let line = try await play.connect()
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      try await line.quietly { try await line.read(until: AMQPFrame.Code.saslMechanisms) }
      line.loginByTable("app", "wrong")
      try await line.readLate([3])
    },
    Row("login: TLS and EXTERNAL with a client certificate", on: .rabbitMQ) { play in
      let line = try await play.connect(tls: TLSContexts.withCertificate(play.bus))
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      try await line.read(until: AMQPFrame.Code.saslMechanisms)
      line.login(mechanism: "EXTERNAL")
      try await line.read(until: AMQPFrame.Code.saslOutcome)
      try await line.quietly { try await Self.open(line) }
    },
    Row("login: TLS and EXTERNAL without a certificate", on: .rabbitMQ) { play in
      let line = try await play.connect(tls: TLSContexts.withoutCertificate(play.bus))
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      try await line.quietly { try await line.read(until: AMQPFrame.Code.saslMechanisms) }
      line.login(mechanism: "EXTERNAL")
      try await line.readLate([3])
    },
    Row("vhost: named in hostname", on: .rabbitMQ) { play in
      let line = try await play.enter(as: "guest", host: "vhost:other")
      try await line.attachReceiver()
    },
    Row("vhost: a hostname without prefix is ignored") { play in
      _ = try await play.enter(host: "somewhere")
    },
    Row("vhost: no permission", on: .rabbitMQ) { play in try await Self.opened(play, as: "novhost", begins: true) { $0.open() } },
    Row("vhost: no such vhost", on: .rabbitMQ) { play in
      try await Self.opened(play, as: "app", begins: true) { $0.open(host: "vhost:missing") }
    },
    Row("open: what the broker says of itself") { play in try await Self.opened(play, as: "app") { $0.open() } },
    Row("open: idle-time-out 999", on: .rabbitMQ) { play in
      try await Self.opened(play, as: "app") { $0.open(idleTimeout: 999) }
    },
    Row("open: max-frame-size 511", on: .rabbitMQ) { play in
      try await Self.opened(play, as: "app") { $0.open(maximumFrameSize: 511) }
    },
    Row("open: none after login", .slow, on: .rabbitMQ) { play in
      let line = try await play.connect()
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      line.login("app", "app")
      try await line.quietly { try await line.read(until: AMQPFrame.Code.saslOutcome) }
      line.write(.header(protocolID: 0, version: [1, 0, 0]))
      try await line.quietly { try await line.readHeader() }
      try await line.readLate([10])
    },
    Row("heartbeats: one within half the client's idle-time-out", on: .rabbitMQ) { play in
      try await Self.opened(play, as: "app", rest: false) { $0.open(idleTimeout: 2_000) }.readHeartbeat()
    },
    Row("client silent for ever", .slow, on: .rabbitMQ) { play in
      let line = try await play.enter()
      try await line.readLate([60, 180, 360])
    },
    Row("frame over max-frame-size", on: .rabbitMQ) { play in
      try await play.declare()
      let line = try await play.enter()
      try await line.quietly { try await line.attachSender() }
      play.did("transfer in one frame of 200,000 bytes")
      line.write(
        AMQPFrame.Code.transfer, [.uint(0), .uint(0), .binary([1]), .uint(0), .boolean(false), .boolean(false)],
        payload: Payload.durable + Payload.data(String(repeating: "x", count: 200_000)))
      try await line.read(until: AMQPFrame.Code.disposition)
    },
    Row("closed by an operator", on: .rabbitMQ) { play in
      let line = try await play.enter()
      play.did("the operator closes it: maintenance")
      try await play.stage.closeByForce(clientPort: line.client.localPort, reason: "maintenance")
      try await line.read(until: AMQPFrame.Code.close)
      line.begin(channel: 1)
      try await line.readSilence()
    },
    Row("broker stops in order", .alone) { play in
      let line = try await play.enter()
      play.did("the broker is stopped")
      try await play.stage.stopBroker()
      try await line.readLate([3])
      try await line.readLate([3])
    },
    Row("broker is killed", .alone) { play in
      let line = try await play.enter()
      play.did("the broker is killed")
      try await play.stage.killBroker()
      try await line.readRest()
    },
  ]

  private static func open(_ line: ExchangeLine) async throws {
    line.write(.header(protocolID: 0, version: [1, 0, 0]))
    line.open()
    try await line.read(until: AMQPFrame.Code.open)
  }

  private static func refused(_ play: Exchange, _ user: String, _ password: String) async throws {
    let line = try await play.connect()
    line.write(.header(protocolID: 3, version: [1, 0, 0]))
    try await line.quietly { try await line.read(until: AMQPFrame.Code.saslMechanisms) }
    line.login(user, password)
    try await line.readLate([3])
  }

  @discardableResult
  private static func opened(
    _ play: Exchange, as user: String, rest: Bool = true, begins: Bool = false, _ open: (ExchangeLine) -> Void
  ) async throws -> ExchangeLine {
    let line = try await play.connect()
    line.write(.header(protocolID: 3, version: [1, 0, 0]))
    line.login(user, user)
    try await line.quietly { try await line.read(until: AMQPFrame.Code.saslOutcome) }
    line.write(.header(protocolID: 0, version: [1, 0, 0]))
    try await line.quietly { try await line.readHeader() }
    open(line)
    if begins { line.begin() }
    if rest { try await line.readLate([3]) }
    return line
  }
}
