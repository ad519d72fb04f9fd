// SPDX-License-Identifier: Apache-2.0

import NIOSSL
import TjenestebussTesting

@testable import AMQP

/// One row while it is played: the transcript, and what was made for it at the broker.
final class Exchange {
  let stage: any Stage
  var bus: Bus { self.stage.bus }
  /// A queue name of this play's own; `Q` in the transcript.
  let queue: String
  /// An exchange name of this play's own; `X` in the transcript.
  let exchange: String
  /// Where the queue's dead letters go; `DLQ` in the transcript.
  let deadLetterQueue: String
  private(set) var lines: [String] = []
  var frameLines = FrameLines()
  private var clients: [ExchangeClient] = []
  private var declared: Set<String> = []
  private var exchanges: Set<String> = []
  private(set) var hasDeadLetterQueue = false

  init(_ stage: any Stage) {
    self.stage = stage
    // All of one length: sizes stand in transcripts.
    let number = String(Int.random(in: 60_466_176..<2_176_782_336), radix: 36)
    self.queue = "exchange-\(number)"
    self.exchange = "exchange-x-\(number)"
    self.deadLetterQueue = stage.bus == .activeMQ ? "DLQ.exchange-\(number)" : "exchange-dead-\(number)"
    self.frameLines.names = [
      (self.deadLetterQueue, "DLQ"), (self.queue, "Q"), (self.exchange, "X"), ("%65\(self.queue.dropFirst())", "%51"),
    ]
  }

  func note(_ line: String) { self.lines.append(line) }
  func did(_ line: String) { self.note("> \(self.frameLines.plain(line))") }
  func saw(_ line: String) { self.note("< \(line)") }

  // MARK: Setting up

  func declare(
    _ kind: StageQueue.Kind = .classic, maximumLength: Int? = nil, deadLetters: Bool = false, consumerTimeout: Int? = nil
  ) async throws {
    self.hasDeadLetterQueue = deadLetters
    if deadLetters { try await self.declare(StageQueue(name: self.deadLetterQueue)) }
    try await self.declare(
      StageQueue(
        name: self.queue, kind: kind, maximumLength: maximumLength, deadLetterQueue: deadLetters ? self.deadLetterQueue : nil,
        consumerTimeout: consumerTimeout))
  }

  private func declare(_ queue: StageQueue) async throws {
    self.declared.insert(queue.name)
    try await self.stage.declare(queue)
  }

  /// The row makes the queue by what it does: it is removed at the end.
  func willDeclare() { self.declared.insert(self.queue) }

  func declareExchange() async throws {
    self.exchanges.insert(self.exchange)
    try await self.stage.declareExchange(self.exchange)
  }

  func noteDepth(_ queue: String? = nil) async throws {
    let name = queue ?? self.queue
    self.note("  \(self.frameLines.plain(name)) holds \(try await self.stage.depth(of: name))")
  }

  // MARK: Connections

  func connect(tls: NIOSSLContext? = nil) async throws -> ExchangeLine {
    let port = tls == nil ? self.stage.port : self.stage.securePort
    let client = try await ExchangeClient.connect(host: self.stage.host, port: port, tls: tls)
    self.clients.append(client)
    return ExchangeLine(self, client)
  }

  /// Connects, logs in, opens, and begins a session on channel 0; told in one line when all goes as it should.
  func enter(as user: String = "app", host: String = "localhost") async throws -> ExchangeLine {
    let line = try await self.connect()
    self.did("enters as \(user)")
    try await line.quietly {
      line.write(.header(protocolID: 3, version: [1, 0, 0]))
      line.login(user, user)
      try await line.read(until: AMQPFrame.Code.saslOutcome)
      line.write(.header(protocolID: 0, version: [1, 0, 0]))
      line.open(host: host)
      try await line.read(until: AMQPFrame.Code.open)
      line.begin()
      try await line.read(until: AMQPFrame.Code.begin)
    }
    return line
  }

  func end() async {
    for client in self.clients { await client.close() }
    for name in self.declared { try? await self.stage.delete(queue: name) }
    for name in self.exchanges { try? await self.stage.delete(exchange: name) }
  }
}
