// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import AMQP

/// What the two engines write to each other in a conversation that has everything in it: the stuff that mutations are made of.
private func recordedConversation() -> (toClient: [[UInt8]], toServer: [[UInt8]]) {
  var settings = ProtonEngine.Settings(containerID: "server")
  settings.isServer = true
  settings.maxFrameSize = 1_024
  let server = ProtonEngine(settings)
  let client = ProtonEngine(ProtonEngine.Settings(containerID: "client"))
  var toClient: [[UInt8]] = []
  var toServer: [[UInt8]] = []
  var serverLinks: [LinkID] = []
  func run() {
    var moved = true
    while moved {
      moved = false
      while client.nextEvent() != nil {}
      while let event = server.nextEvent() {
        switch event {
        case .remoteOpened: server.openConnection()
        case .sessionBegunByPeer(let session): server.acceptSession(session)
        case .linkAttachedByPeer(let link, _, let role, _):
          serverLinks.append(link)
          server.acceptLink(link)
          if role == .receiver { server.grant(10, on: link) }
        case .delivered(_, let transfer): server.settle(transfer.delivery, .rejected(AMQPCondition("x:y", text: "no")))
        case .remoteClosed: server.closeConnection(AMQPCondition(AMQPCondition.connectionForced, text: "bye"))
        default: break
        }
      }
      for (from, to, isToServer) in [(client, server, true), (server, client, false)] {
        var bytes = ByteBuffer()
        from.takeOutput(into: &bytes)
        guard bytes.readableBytes > 0 else { continue }
        moved = true
        if isToServer { toServer.append(Array(bytes.readableBytesView)) } else { toClient.append(Array(bytes.readableBytesView)) }
        to.receive(&bytes)
      }
    }
  }
  client.openConnection()
  run()
  let session = client.beginSession()
  let sender = client.attach(.sender, session: session, name: "s", source: "a", target: "q", properties: ["k": "v"])
  let receiver = client.attach(.receiver, session: session, name: "r", source: "q", target: nil)
  run()
  if let receiver { client.grant(5, on: receiver) }
  let message = AMQPMessage(properties: AMQPProperties(messageID: "m"), body: .data([UInt8](repeating: 7, count: 3_000)))
  if let sender { _ = client.transfer(message.encoded(), on: sender) }
  run()
  for link in serverLinks { _ = server.transfer(message.encoded(), on: link) }
  run()
  if let receiver { client.drain(receiver) }
  run()
  if let sender { client.detach(sender) }
  client.endSession(session)
  run()
  client.closeConnection()
  run()
  return (toClient, toServer)
}

@Suite("An engine fed with broken bytes")
struct EngineFuzzTests {
  private static let conversation = recordedConversation()

  /// Feeds an engine piece by piece, letting it answer in between, and then tells it that no more comes.
  private func feed(_ pieces: [[UInt8]], isServer: Bool) -> [EngineEvent] {
    var settings = ProtonEngine.Settings(containerID: "fuzzed")
    settings.isServer = isServer
    settings.maxMessageSize = 10_000
    let engine = ProtonEngine(settings)
    var events: [EngineEvent] = []
    engine.openConnection()
    func pump() {
      var moved = true
      while moved {
        moved = false
        while let event = engine.nextEvent() {
          moved = true
          events.append(event)
          switch event {
          case .sessionBegunByPeer(let session): engine.acceptSession(session)
          case .sessionEndedByPeer(let session, _): engine.endSession(session)
          case .linkAttachedByPeer(let link, _, let role, _):
            engine.acceptLink(link)
            if role == .receiver { engine.grant(10, on: link) }
          case .delivered(_, let transfer): engine.settle(transfer.delivery, .accepted)
          case .remoteClosed: engine.closeConnection()
          default: break
          }
        }
        var output = ByteBuffer()
        engine.takeOutput(into: &output)
        if output.readableBytes > 0 { moved = true }
      }
    }
    pump()
    if !isServer {
      let session = engine.beginSession()
      _ = engine.attach(.sender, session: session, name: "s", source: "a", target: "q")
      if let receiver = engine.attach(.receiver, session: session, name: "r", source: "q", target: nil) {
        engine.grant(5, on: receiver)
      }
      pump()
    }
    for bytes in pieces {
      var piece = ByteBuffer(bytes: bytes)
      engine.receive(&piece)
      #expect(piece.readableBytes == 0)
      pump()
    }
    engine.readClosed()
    engine.writeClosed()
    pump()
    return events
  }

  private func isEnd(_ event: EngineEvent) -> Bool {
    switch event {
    case .transportFailed, .transportClosed, .remoteClosed: true
    default: false
    }
  }

  @Test("the conversation as it was runs to its orderly end, so that what is mutated means something")
  func asRecorded() {
    let atServer = self.feed(Self.conversation.toServer, isServer: true)
    #expect(atServer.contains { if case .delivered = $0 { true } else { false } })
    #expect(atServer.contains(.remoteClosed(nil)))
    #expect(!atServer.contains { if case .transportFailed = $0 { true } else { false } })
    let atClient = self.feed(Self.conversation.toClient, isServer: false)
    #expect(atClient.contains { if case .remoteClosed = $0 { true } else { false } })
  }

  @Test("mutated, cut, repeated or mixed up: no crash, no endless loop, and always an end with a reason", arguments: 0..<40)
  func mutated(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    for isServer in [true, false] {
      for _ in 0..<6 {
        var pieces = isServer ? Self.conversation.toServer : Self.conversation.toClient
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: pieces.shuffle(using: &generator)
        case 1: if let piece = pieces.randomElement(using: &generator) { pieces.append(piece) }
        case 2: if pieces.count > 1 { pieces.remove(at: Int.random(in: 0..<pieces.count, using: &generator)) }
        default: break
        }
        var bytes = Array(pieces.joined())
        for _ in 0..<Int.random(in: 0...12, using: &generator) where !bytes.isEmpty {
          let index = Int.random(in: 0..<bytes.count, using: &generator)
          switch Int.random(in: 0..<5, using: &generator) {
          case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
          case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
          case 2: bytes.remove(at: index)
          case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
          default: bytes.removeLast(min(bytes.count, Int.random(in: 0..<200, using: &generator)))
          }
        }
        var cut: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
          let count = min(rest.count, Int.random(in: 1...2_000, using: &generator))
          cut.append(Array(rest.prefix(count)))
          rest = rest.dropFirst(count)
        }
        let events = self.feed(cut, isServer: isServer)
        #expect(events.contains(where: self.isEnd), "seed \(seed): \(events.suffix(3))")
        for case .transportFailed(let condition) in events { #expect(!condition.name.isEmpty) }
      }
    }
  }
}
