// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import AMQP

@Suite("An engine whose peer is gone in mid-stream")
struct EngineEndTests {
  @Test("the transport ends, whatever the last bytes were", arguments: [0, 1, 7, 30, 40_000, 70_000])
  func ends(_ size: Int) throws {
    var settings = ProtonEngine.Settings(containerID: "server")
    settings.isServer = true
    settings.maxFrameSize = 131_072
    let server = ProtonEngine(settings)
    let client = ProtonEngine(ProtonEngine.Settings(containerID: "client"))
    client.openConnection()
    var events: [EngineEvent] = []
    func exchange() {
      for _ in 0..<4 {
        for (from, to) in [(client, server), (server, client)] {
          while from.nextEvent() != nil {}
          var bytes = ByteBuffer()
          from.takeOutput(into: &bytes)
          if bytes.readableBytes > 0 { to.receive(&bytes) }
        }
      }
    }
    server.openConnection()
    exchange()
    // The beginning of a frame of 100,000 bytes.
    let beginning: [UInt8] = [0, 1, 0x86, 0xa0, 2, 0, 0, 0]
    var part = ByteBuffer(bytes: (beginning + [UInt8](repeating: 0, count: max(0, size - 8))).prefix(size))
    server.receive(&part)
    while let event = server.nextEvent() { events.append(event) }
    server.readClosed()
    for _ in 0..<3 {
      while let event = server.nextEvent() { events.append(event) }
      var bytes = ByteBuffer()
      server.takeOutput(into: &bytes)
    }
    #expect(events.contains(.transportClosed), "\(events)")
    #expect(server.isWriteClosed)
  }
}
