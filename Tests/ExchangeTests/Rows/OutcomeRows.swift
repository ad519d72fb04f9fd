// SPDX-License-Identifier: Apache-2.0

@testable import AMQP

/// Outcomes, dead-lettering, browsing, draining.
enum OutcomeRows {
  static let all: [Row] =
    [StageQueue.Kind.classic, .quorum].flatMap { kind in
      let buses: [Bus] = kind == .classic ? Bus.allCases : .rabbitMQ
      return [
        outcome("accepted", Outcome.accepted, kind, buses), outcome("released", Outcome.released, kind, buses),
        outcome("rejected", Outcome.rejected, kind, buses), outcome("modified, failed", Outcome.failed, kind, buses),
        outcome("modified, undeliverable here", Outcome.undeliverable, kind, buses),
        outcome("modified with an annotation", Outcome.annotated, kind, buses),
        outcome("settled without outcome", nil, kind, buses),
        Row("outcome without settling, \(kind)", on: buses) { play in
          let line = try await Self.receiving(play, kind)
          line.dispose(line.lastDelivery, Outcome.accepted, as: "accepted", settled: false)
          try await line.readSilence()
          if kind == .classic { try await play.noteDepth() }
        },
        limit("released", kind, buses) { play in
          try await Self.returning(play, kind, Outcome.released)
        },
        limit("modified, failed", kind, buses) { play in
          try await Self.returning(play, kind, Outcome.failed)
        },
        limit("the connection lost", kind, buses) { play in try await Self.losing(play, kind) },
        Row("link detached with a message unsettled, \(kind)", on: buses) { play in
          let line = try await Self.receiving(play, kind)
          line.detach()
          try await line.readSilence()
          try await Self.lookAgain(play)
        },
        Row("dead letter of a dead letter, \(kind)", on: buses) { play in
          let line = try await Self.receiving(play, kind, deadLetters: true)
          line.dispose(line.lastDelivery, Outcome.rejected, as: "rejected")
          try await line.quietly { try await line.attachReceiver(play.bus.address(play.deadLetterQueue), handle: 1) }
          line.grant(1, handle: 1)
          try await line.read(until: AMQPFrame.Code.transfer)
          line.dispose(line.lastDelivery, Outcome.released, as: "released")
          try await line.readRest()
        },
        Row("browsing, \(kind)", on: buses) { play in
          try await Self.fill(play, kind, count: 1)
          let line = try await play.enter()
          try await line.attachReceiver(mode: "copy")
          line.grant(1)
          try await line.read(until: AMQPFrame.Code.transfer)
          line.dispose(line.lastDelivery, Outcome.accepted, as: "accepted")
          try await line.readRest()
          if kind == .classic { try await play.noteDepth() }
        },
        Row("drain with fewer messages than credit, \(kind)", on: buses) { play in
          try await Self.fill(play, kind, count: 1)
          let line = try await play.enter()
          try await line.attachReceiver()
          line.grant(5, drain: true)
          try await line.readRest()
        },
        Row("drain of an empty queue, \(kind)", on: buses) { play in
          try await play.declare(kind)
          play.willDeclare()
          let line = try await play.enter()
          try await line.attachReceiver()
          line.grant(5, drain: true)
          try await line.readRest()
        },
        Row("receiver that takes settled messages, \(kind)", on: buses) { play in
          try await Self.fill(play, kind, count: 1)
          let line = try await play.enter()
          try await line.attachReceiver(settled: 1)
          line.grant(1)
          try await line.read(until: AMQPFrame.Code.transfer)
          if kind == .classic { try await play.noteDepth() }
        },
        Row("sender that sends settled messages, \(kind)", on: buses) { play in
          try await play.declare(kind)
          play.willDeclare()
          let line = try await play.enter()
          try await line.attachSender(settled: 1)
          line.transfer(Payload.plain, settled: true)
          try await line.readSilence()
          if kind == .classic { try await play.noteDepth() }
        },
      ]
    } + [
      Row("consumer timeout, quorum", .slow, on: [.rabbitMQ43]) { play in
        try await Self.fill(play, .quorum, count: 2, consumerTimeout: 5_000)
        let line = try await play.enter()
        try await line.attachReceiver()
        line.grant(10)
        try await line.read(until: AMQPFrame.Code.transfer)
        try await line.read(until: AMQPFrame.Code.transfer)
        try await line.readRest()
        try await line.readLate([5])
        let other = try await play.enter()
        try await other.attachReceiver()
        other.grant(1)
        try await other.read(until: AMQPFrame.Code.transfer)
        other.dispose(other.lastDelivery, Outcome.released, as: "released")
        try await line.readSilence()
        line.dispose(0, Outcome.accepted, as: "accepted, the first")
        line.dispose(1, Outcome.accepted, as: "accepted, the second")
        try await line.readRest()
      }
    ]

  // MARK: Parts

  static func fill(
    _ play: Exchange, _ kind: StageQueue.Kind, count: Int, deadLetters: Bool = false, consumerTimeout: Int? = nil
  ) async throws {
    try await play.declare(kind, deadLetters: deadLetters, consumerTimeout: consumerTimeout)
    play.did("\(kind) queue with \(count) messages")
    let line = try await play.enter()
    try await line.quietly {
      try await line.attachSender()
      for number in 0..<count {
        try await line.send(Payload.durable + Payload.ids("m\(number)", subject: "s") + Payload.data("x"))
      }
    }
    await line.client.close()
  }

  /// One message, with a receiver that has it.
  private static func receiving(_ play: Exchange, _ kind: StageQueue.Kind, deadLetters: Bool = false) async throws -> ExchangeLine
  {
    try await Self.fill(play, kind, count: 1, deadLetters: deadLetters)
    let line = try await play.enter()
    try await line.quietly { try await line.attachReceiver() }
    line.grant(1)
    try await line.read(until: AMQPFrame.Code.transfer)
    return line
  }

  /// What the next receiver sees, in the queue or among its dead letters.
  private static func lookAgain(_ play: Exchange) async throws {
    let line = try await play.enter()
    try await line.quietly {
      try await line.attachReceiver()
      if play.hasDeadLetterQueue {
        try await line.attachReceiver(play.bus.address(play.deadLetterQueue), handle: 1)
      }
    }
    line.grant(1)
    try await line.readRest()
    guard play.hasDeadLetterQueue else { return }
    play.did("looks at the dead letters")
    line.grant(1, handle: 1)
    try await line.readRest()
  }

  private static func outcome(_ name: String, _ outcome: AMQPValue?, _ kind: StageQueue.Kind, _ buses: [Bus]) -> Row {
    Row("\(name), \(kind)", on: buses) { play in
      let line = try await Self.receiving(play, kind, deadLetters: true)
      line.dispose(line.lastDelivery, outcome, as: name)
      try await line.readRest()
      if line.isOver { play.note("  the connection is over") }
      await line.client.close()
      try await Self.lookAgain(play)
    }
  }

  private static func limit(
    _ name: String, _ kind: StageQueue.Kind, _ buses: [Bus], _ play: @escaping @Sendable (Exchange) async throws -> Int
  ) -> Row {
    let limiting = buses.filter { $0.isRabbitMQ && ($0 != .rabbitMQ310 || name != "modified, failed") }
    return Row("delivery limit, \(name), \(kind)", on: limiting) { exchange in
      guard exchange.bus != .rabbitMQ310 || name != "modified, failed" else { return }
      let count = try await play(exchange)
      exchange.note("  delivered \(count) times")
    }
  }

  private static let most = 40

  /// How often the message comes when it is given back over and over, at most ``most`` times.
  private static func returning(_ play: Exchange, _ kind: StageQueue.Kind, _ outcome: AMQPValue) async throws -> Int {
    try await Self.fill(play, kind, count: 1)
    let line = try await play.enter()
    var count = 0
    try await line.quietly {
      try await line.attachReceiver()
      var isThere = true
      while isThere, count < Self.most {
        line.grant(1)
        isThere = try await line.read(until: AMQPFrame.Code.transfer, within: play.stage.patience + .seconds(2)) != nil
        guard isThere else { return }
        count += 1
        line.dispose(line.lastDelivery, outcome, as: "given back")
      }
    }
    return count
  }

  private static func losing(_ play: Exchange, _ kind: StageQueue.Kind) async throws -> Int {
    try await Self.fill(play, kind, count: 1)
    var count = 0
    while count < Self.most {
      let line = try await play.connect()
      var isThere = false
      try await line.quietly {
        line.write(.header(protocolID: 3, version: [1, 0, 0]))
        line.login("app", "app")
        try await line.read(until: AMQPFrame.Code.saslOutcome)
        line.write(.header(protocolID: 0, version: [1, 0, 0]))
        line.open()
        line.begin()
        try await line.read(until: AMQPFrame.Code.begin)
        try await line.attachReceiver()
        line.grant(1)
        isThere = try await line.read(until: AMQPFrame.Code.transfer, within: play.stage.patience + .seconds(2)) != nil
      }
      await line.client.close()
      guard isThere else { break }
      count += 1
    }
    return count
  }
}
