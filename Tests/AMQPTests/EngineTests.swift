// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import AMQP

/// Two engines back to back: no socket, and the time is what the test says.
final class EnginePair {
  let client: ProtonEngine
  let server: ProtonEngine
  private(set) var clientEvents: [EngineEvent] = []
  private(set) var serverEvents: [EngineEvent] = []
  /// What each side wrote.
  private(set) var clientFrames: [AMQPFrame] = []
  private(set) var serverFrames: [AMQPFrame] = []
  private var clientParser = AMQPFrameParser()
  private var serverParser = AMQPFrameParser()
  /// Bytes of the client that the server shall not get any more.
  var isCut = false

  init(_ change: (inout ProtonEngine.Settings, inout ProtonEngine.Settings) -> Void = { _, _ in }) {
    var client = ProtonEngine.Settings(containerID: "client")
    client.hostname = "here"
    var server = ProtonEngine.Settings(containerID: "server")
    server.isServer = true
    change(&client, &server)
    self.client = ProtonEngine(client)
    self.server = ProtonEngine(server)
    self.client.openConnection()
  }

  /// Carries bytes both ways until there are none; the server accepts what comes.
  func run() {
    var moved = true
    while moved {
      moved = false
      while let event = self.client.nextEvent() { self.clientEvents.append(event) }
      while let event = self.server.nextEvent() {
        self.serverEvents.append(event)
        self.answer(event)
      }
      moved = self.move(self.client, self.server) || moved
      moved = self.move(self.server, self.client) || moved
    }
  }

  private func move(_ from: ProtonEngine, _ to: ProtonEngine) -> Bool {
    var buffer = ByteBuffer()
    from.takeOutput(into: &buffer)
    guard buffer.readableBytes > 0 else { return false }
    if from === self.client {
      self.clientParser.append(buffer.readableBytesView)
      while let frame = try? self.clientParser.next() { self.clientFrames.append(frame) }
    } else {
      self.serverParser.append(buffer.readableBytesView)
      while let frame = try? self.serverParser.next() { self.serverFrames.append(frame) }
    }
    if !self.isCut { to.receive(&buffer) }
    return true
  }

  private func answer(_ event: EngineEvent) {
    switch event {
    case .remoteOpened: self.server.openConnection()
    case .sessionBegunByPeer(let session): self.server.acceptSession(session)
    case .linkAttachedByPeer(let link, _, let role, _):
      self.server.acceptLink(link)
      if role == .receiver { self.server.grant(10, on: link) }
    default: break
    }
  }

  var serverLink: LinkID? {
    for case .linkAttachedByPeer(let link, _, _, _) in self.serverEvents { return link }
    return nil
  }

  var lastServerLink: LinkID? {
    for case .linkAttachedByPeer(let link, _, _, _) in self.serverEvents.reversed() { return link }
    return nil
  }
}

@Suite("Proton's engine, two back to back")
struct EngineTests {
  @Test("open, begin, attach, credit, transfer, accepted, settled")
  func send() throws {
    let pair = EnginePair()
    let session = pair.client.beginSession()
    let link = try #require(pair.client.attach(.sender, session: session, name: "l", source: "s", target: "q"))
    pair.run()
    #expect(pair.client.credit(of: link) == 10)
    let sent = try #require(pair.client.transfer([1, 2, 3], on: link))
    pair.run()
    guard case .delivered(_, let transfer)? = pair.serverEvents.last else {
      Issue.record("nothing was delivered: \(pair.serverEvents)")
      return
    }
    #expect(transfer.payload == [1, 2, 3])
    pair.server.settle(transfer.delivery, .accepted)
    pair.run()
    #expect(pair.clientEvents.last == .dispositionReceived(link, sent, .accepted, settled: true))
  }

  @Test("a message of many frames arrives whole")
  func manyFrames() throws {
    let pair = EnginePair { client, server in
      client.maxFrameSize = 512
      server.maxFrameSize = 512
    }
    let session = pair.client.beginSession()
    let link = try #require(pair.client.attach(.sender, session: session, name: "l", source: nil, target: "q"))
    pair.run()
    let payload = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 31) }
    _ = pair.client.transfer(payload, on: link)
    pair.run()
    guard case .delivered(_, let transfer)? = pair.serverEvents.last else {
      Issue.record("nothing was delivered")
      return
    }
    #expect(transfer.payload == payload)
  }

  @Test("a message over the limit is rejected, and the next one is read")
  func oversized() throws {
    let pair = EnginePair { client, server in
      client.maxFrameSize = 1_024
      server.maxFrameSize = 1_024
      server.maxMessageSize = 5_000
    }
    let session = pair.client.beginSession()
    let link = try #require(pair.client.attach(.sender, session: session, name: "l", source: nil, target: "q"))
    pair.run()
    let large = try #require(pair.client.transfer([UInt8](repeating: 1, count: 20_000), on: link))
    pair.run()
    let expected = AMQPOutcome.rejected(AMQPCondition(AMQPCondition.messageSizeExceeded))
    #expect(pair.clientEvents.contains(.dispositionReceived(link, large, expected, settled: true)))
    _ = pair.client.transfer([9], on: link)
    pair.run()
    guard case .delivered(_, let transfer)? = pair.serverEvents.last else {
      Issue.record("the next message was not delivered")
      return
    }
    #expect(transfer.payload == [9])
  }

  @Test(
    "each outcome is read as it was stated",
    arguments: [
      (AMQPDisposition.accepted, AMQPOutcome.accepted), (.released, .released),
      (
        .rejected(AMQPCondition("x:y", text: "no", info: ["k": .int(1)])),
        .rejected(AMQPCondition("x:y", text: "no", info: AMQPMap([.init(key: .symbol("k"), value: .int(1))])))
      ),
      (.modified(deliveryFailed: true, undeliverableHere: false), .modified(deliveryFailed: true, undeliverableHere: false)),
    ])
  func outcomes(_ stated: AMQPDisposition, _ read: AMQPOutcome) throws {
    let pair = EnginePair()
    let session = pair.client.beginSession()
    let link = try #require(pair.client.attach(.sender, session: session, name: "l", source: nil, target: "q"))
    pair.run()
    let sent = try #require(pair.client.transfer([1], on: link))
    pair.run()
    guard case .delivered(_, let transfer)? = pair.serverEvents.last else {
      Issue.record("nothing was delivered")
      return
    }
    pair.server.settle(transfer.delivery, stated)
    pair.run()
    #expect(pair.clientEvents.last == .dispositionReceived(link, sent, read, settled: true))
  }

  @Test("a refused attach: null terminus, then the reason")
  func refused() throws {
    let pair = EnginePair()
    let session = pair.client.beginSession()
    pair.run()
    let link = try #require(pair.client.attach(.receiver, session: session, name: "l", source: "missing", target: nil))
    var buffer = ByteBuffer()
    pair.client.takeOutput(into: &buffer)
    pair.server.receive(&buffer)
    while let event = pair.server.nextEvent() {
      if case .linkAttachedByPeer(let peerLink, _, let role, let attach) = event {
        #expect(role == .sender)
        #expect(attach.source == "missing")
        pair.server.refuseLink(peerLink, AMQPCondition(AMQPCondition.notFound, text: "no such queue"))
      }
    }
    pair.run()
    guard case .linkAttachAnswered(link, let answer)? = pair.clientEvents.dropLast().last else {
      Issue.record("no answer: \(pair.clientEvents)")
      return
    }
    #expect(answer.hasSource == false)
    #expect(
      pair.clientEvents.last
        == .linkDetachedByPeer(link, AMQPCondition(AMQPCondition.notFound, text: "no such queue"), closed: true))
  }

  @Test("an ended session takes its links with it, and late settlements find nothing")
  func sessionEnds() throws {
    let pair = EnginePair()
    let session = pair.client.beginSession()
    let link = try #require(pair.client.attach(.receiver, session: session, name: "l", source: "q", target: nil))
    pair.run()
    pair.client.grant(1, on: link)
    pair.run()
    let serverLink = try #require(pair.serverLink)
    _ = pair.server.transfer([1], on: serverLink)
    pair.run()
    guard case .delivered(_, let transfer)? = pair.clientEvents.last else {
      Issue.record("nothing was delivered")
      return
    }
    for case .sessionBegunByPeer(let peerSession) in pair.serverEvents {
      pair.server.endSession(peerSession, AMQPCondition(AMQPCondition.internalError))
    }
    pair.run()
    #expect(pair.clientEvents.last == .sessionEndedByPeer(session, AMQPCondition(AMQPCondition.internalError)))
    #expect(pair.client.settle(transfer.delivery, .accepted) == false)
    #expect(pair.client.credit(of: link) == 0)
  }

  @Test("a peer that falls silent is found out at the idle timeout, by the clock that is handed in")
  func silence() throws {
    let pair = EnginePair { client, server in
      client.idleTimeoutMilliseconds = 4_000
      server.idleTimeoutMilliseconds = 4_000
    }
    pair.run()
    _ = pair.client.tick(nowMilliseconds: 1_000)
    let due = try #require(pair.client.tick(nowMilliseconds: 1_001))
    #expect(due <= 5_001)
    pair.isCut = true
    _ = pair.client.tick(nowMilliseconds: 5_002)
    pair.run()
    let failures = pair.clientEvents.compactMap { if case .transportFailed(let condition) = $0 { condition } else { nil } }
    #expect(failures.first?.name == AMQPCondition.resourceLimitExceeded)
    #expect(failures.first?.text?.contains("idle-timeout") == true)
  }

  @Test("a frame larger than we take ends the connection before its body has come", arguments: [1_025, 1 << 30, Int(UInt32.max)])
  func largeFrame(_ size: Int) {
    let pair = EnginePair { client, _ in client.maxFrameSize = 1_024 }
    pair.run()
    #expect(!pair.clientEvents.contains { if case .transportFailed = $0 { true } else { false } })
    var header = ByteBuffer()
    header.writeInteger(UInt32(size))
    header.writeBytes([2, 0, 0, 0])
    pair.client.receive(&header)
    pair.run()
    let failures = pair.clientEvents.compactMap { if case .transportFailed(let condition) = $0 { condition } else { nil } }
    #expect(failures.map(\.name) == [AMQPCondition.framingError])
  }

  @Test("bytes that are no AMQP fail the transport")
  func garbage() {
    let pair = EnginePair()
    while pair.client.nextEvent() != nil {}
    var buffer = ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n")
    pair.client.receive(&buffer)
    pair.run()
    #expect(pair.clientEvents.contains { if case .transportFailed = $0 { true } else { false } })
  }
}
