// SPDX-License-Identifier: Apache-2.0

@testable import AMQP

/// Addresses, attach, errors.
enum AddressRows {
  static let all: [Row] =
    forms + [
      Row("target null, and to in the message") { play in
        try await play.declare()
        let line = try await play.enter()
        try await line.attach(.sender, target: .init())
        guard play.bus != .rabbitMQ310 else { return try await line.readSilence() }
        let to = play.bus.address(play.queue)
        try await line.send(Payload.durable + Payload.ids(to: to) + Payload.data("x"), as: "to \(to)")
        if play.bus.isRabbitMQ {
          let missing = play.bus.address("missing-\(play.queue)")
          try await line.send(Payload.durable + Payload.ids(to: missing) + Payload.data("x"), as: "to \(missing)")
        }
        try await play.noteDepth()
      },
      Row("dynamic node", on: .rabbitMQ) { play in
        let line = try await play.enter()
        try await line.attach(.receiver, source: .init(isDynamic: true))
      },
      Row("transactions", on: .rabbitMQ) { play in
        let line = try await play.enter()
        try await line.attach(.sender, target: .init(isCoordinator: true))
      },
      Row("rcv-settle-mode second", on: .rabbitMQ) { play in
        try await play.declare()
        let line = try await play.enter()
        try await line.attach(.receiver, source: .at(play.bus.address(play.queue)), receiverSettles: 1)
      },
      Row("more links than a session may have", on: .rabbitMQ4) { play in
        try await play.declare()
        let line = try await play.enter()
        try await line.quietly {
          for handle in UInt32(0)..<256 where !line.isOver { try await line.attachReceiver(handle: handle) }
        }
        try await line.attachReceiver(handle: 256)
      },
      Row("more sessions than a connection may have", on: .rabbitMQ4) { play in
        let line = try await play.enter()
        play.did("begin 63 more")
        try await line.quietly {
          for channel in UInt16(1)..<64 {
            line.begin(channel: channel)
            try await line.read(until: AMQPFrame.Code.begin)
          }
        }
        play.did("begin one more")
        line.begin(channel: 64)
        try await line.read(until: AMQPFrame.Code.begin)
      },
      Row("receiver: no such queue") { play in
        let line = try await play.enter()
        play.willDeclare()
        try await line.attachReceiver()
        try await line.readSilence()
      },
      Row("receiver: no such queue, credit sent at once") { play in
        let line = try await play.enter()
        play.willDeclare()
        line.startAttach(.receiver, source: .at(play.bus.address(play.queue)))
        line.grant(10)
        try await line.readAttach(.receiver)
        try await line.readSilence()
      },
      Row("sender: no such queue") { play in
        let line = try await play.enter()
        play.willDeclare()
        try await line.attachSender()
        guard play.bus == .rabbitMQ310 || play.bus == .activeMQ else { return }
        try await line.send(Payload.plain)
      },
      Row("sender: unroutable", on: .rabbitMQ) { play in
        try await play.declareExchange()
        let line = try await play.enter()
        try await line.attachSender(play.bus.exchange(play.exchange, key: "nowhere"))
        try await line.send(Payload.plain)
      },
      Row("sender: no such exchange", on: .rabbitMQ) { play in
        let line = try await play.enter()
        try await line.attachSender(play.bus.exchange(play.exchange, key: "nowhere"))
        guard play.bus == .rabbitMQ310 else { return }
        try await line.send(Payload.plain)
      },
      Row("receiver: no permission") { play in
        try await play.declare()
        let line = try await play.enter(as: "limited")
        try await line.attachReceiver()
        try await line.readSilence()
      },
      Row("sender: no permission") { play in
        try await play.declare()
        let line = try await play.enter(as: "limited")
        try await line.attachSender()
        guard play.bus == .rabbitMQ310 else { return try await line.readSilence() }
        try await line.send(Payload.plain)
      },
      Row("sender: no permission for the exchange", on: .rabbitMQ) { play in
        try await play.declareExchange()
        let line = try await play.enter(as: "limited")
        try await line.attachSender(play.bus.exchange(play.exchange, key: "k"))
        guard play.bus == .rabbitMQ310 else { return }
        try await line.send(Payload.plain)
      },
      full(.classic), full(.quorum),
      Row("queue deleted under a receiver", on: .rabbitMQ) { play in
        try await play.declare()
        let line = try await play.enter()
        try await line.attachReceiver()
        line.grant(10)
        play.did("the queue is deleted")
        try await play.stage.delete(queue: play.queue)
        // RabbitMQ 3 says nothing; its session does not survive it, and TCP ends 3 s later.
        try await line.readSilence()
      },
      Row("queue deleted under a sender", on: .rabbitMQ) { play in
        try await play.declare()
        let line = try await play.enter()
        try await line.attachSender()
        try await line.send(Payload.plain)
        play.did("the queue is deleted")
        try await play.stage.delete(queue: play.queue)
        try await line.readSilence()
        guard play.bus == .rabbitMQ310 else { return }
        try await line.send(Payload.plain)
      },
      Row("message of 17 MiB", on: .rabbitMQ) { play in
        try await play.declare()
        let line = try await play.enter()
        try await line.attachSender()
        try await line.send(
          Payload.durable + Payload.section(0x75, .binary([UInt8](repeating: 120, count: 17 << 20))), as: "17 MiB")
      },
      userID("the login's own", as: "app", user: "app"), userID("another user's", as: "app", user: "somebody"),
      userID("another user's, from an impersonator", as: "migrator", user: "somebody"),
      Row("memory alarm", .alone, on: .rabbitMQ) { play in
        try await play.declare()
        let line = try await play.enter()
        try await line.attachSender()
        try await line.quietly { try await line.send(Payload.plain) }
        play.did("the alarm goes on")
        try await play.stage.setAlarm(true)
        line.transfer(Payload.plain)
        line.transfer(Payload.plain)
        try await line.readSilence()
        let other = try await play.enter()
        try await other.attachReceiver()
        other.grant(1)
        try await other.read(until: AMQPFrame.Code.transfer)
        other.dispose(other.lastDelivery, Outcome.accepted, as: "accepted")
        try await other.readRest()
        play.did("the alarm goes off")
        try await play.stage.setAlarm(false)
        try await line.readRest()
      },
      Row("detach by the client") { play in
        try await play.declare()
        play.willDeclare()
        let line = try await play.enter()
        try await line.attachReceiver()
        line.detach()
        try await line.readSilence()
      },
      Row("end and close by the client") { play in
        let line = try await play.enter()
        line.endSession()
        try await line.read(until: AMQPFrame.Code.end)
        play.did("close")
        line.write(AMQPFrame.Code.close, [])
        try await line.readRest()
      },
    ]

  /// Each form of address, both ways, with a queue that is there.
  private static let forms: [Row] = {
    let queueForms: [(String, @Sendable (Exchange) -> String)] = [
      ("/amq/queue/Q", { "/amq/queue/\($0.queue)" }), ("/queue/Q", { "/queue/\($0.queue)" }), ("Q", { $0.queue }),
      ("/queues/Q", { "/queues/\($0.queue)" }), ("/queues/%51", { "/queues/%65\($0.queue.dropFirst())" }),
      ("/topic/Q", { "/topic/\($0.queue)" }), ("/queues/Q/more", { "/queues/\($0.queue)/more" }),
      ("/queues/%zz", { _ in "/queues/%zz" }),
    ]
    let received = queueForms.map { form, address in
      Row("receiver from \(form)", on: .rabbitMQ) { play in
        try await play.declare(.quorum)
        let line = try await play.enter()
        try await line.attachReceiver(address(play))
      }
    }
    let sent = queueForms.map { form, address in
      Row("sender to \(form)", on: .rabbitMQ) { play in
        try await play.declare(.quorum)
        let line = try await play.enter()
        try await line.attachSender(address(play))
        if play.lines.last == "< flow credit=170" || play.lines.last == "< flow credit=65536" {
          try await line.send(Payload.plain)
        }
      }
    }
    let declaring = queueForms.prefix(3).flatMap { form, address in
      [
        Row("receiver from \(form), no such queue", on: .rabbitMQ) { play in
          play.willDeclare()
          let line = try await play.enter()
          try await line.attachReceiver(address(play))
          try await play.noteDepth()
        },
        Row("sender to \(form), no such queue", on: .rabbitMQ) { play in
          play.willDeclare()
          let line = try await play.enter()
          try await line.attachSender(address(play))
          try await play.noteDepth()
        },
      ]
    }
    let exchanges = ["/exchange/X/K", "/exchanges/X/K", "/exchange/X", "/exchanges/X"].map { form in
      Row("sender to \(form)", on: .rabbitMQ) { play in
        try await play.declareExchange()
        let line = try await play.enter()
        try await line.attachSender(form.replacing("X", with: play.exchange))
      }
    }
    return received + sent + declaring + exchanges
  }()

  private static func full(_ kind: StageQueue.Kind) -> Row {
    Row("queue full, reject-publish, \(kind.rawValue)", on: .rabbitMQ) { play in
      try await play.declare(kind, maximumLength: 1)
      let line = try await play.enter()
      try await line.attachSender()
      try await line.send(Payload.plain)
      // A quorum queue begins to refuse some messages late.
      let most = kind == .classic ? 1 : 20
      try await line.quietly {
        for _ in 0..<most where !line.isOver && line.lastOutcome?.hasPrefix("accepted") != false {
          line.transfer(Payload.plain)
          // RabbitMQ 3 gives no outcome, and breaks some seconds later.
          _ = try await play.stage.wait(for: line.client, candidates: [4])
          guard try await line.read(until: AMQPFrame.Code.disposition) != nil else { break }
        }
      }
      play.note("  one of the next: \(line.isOver ? "tcp ends" : line.lastOutcome ?? "no outcome")")
    }
  }

  private static func userID(_ whose: String, as login: String, user: String) -> Row {
    Row("user-id: \(whose)", on: login == "app" ? Bus.allCases : .rabbitMQ) { play in
      play.willDeclare()
      try await play.declare()
      let line = try await play.enter(as: login)
      try await line.attachSender()
      try await line.send(Payload.durable + Payload.ids(user: user) + Payload.data("x"), as: "user-id \(user)")
    }
  }
}
