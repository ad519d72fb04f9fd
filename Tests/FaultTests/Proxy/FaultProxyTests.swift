// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import Testing
import TjenestebussTesting

@Suite("The fault proxy, with plain bytes", .timeLimit(.minutes(5)))
struct FaultProxyTests {
  private static let bytes = (0..<200).map { UInt8($0) }

  private func withEcho(_ body: (FaultProxy, PlainClient) async throws -> Void) async throws {
    try await EchoServer.withServer { server in
      try await FaultProxy.withProxy(to: "127.0.0.1", port: server.port) { proxy in
        let client = try await PlainClient.connect(proxy.port)
        try await client.send([0])
        try await client.wait(for: 1)
        try await body(proxy, client)
        await client.close()
      }
    }
  }

  @Test("without a fault all passes, both ways, and is counted")
  func sound() async throws {
    try await self.withEcho { proxy, client in
      try await client.send(Self.bytes)
      try await client.wait(for: 201)
      #expect(client.bytes == [0] + Self.bytes)
      try await proxy.waitUntil { $0.bytesToServer == 201 && $0.bytesToClient == 201 }
      #expect(try await proxy.statistics().openConnections == 1)
      await client.close()
      try await proxy.waitUntil { $0.openConnections == 0 }
    }
  }

  @Test(
    "latency and slicing change nothing but the time",
    arguments: [
      NetworkFault.latency(.milliseconds(5), jitter: .milliseconds(20)), .slicing(bytes: 3),
      .slicing(bytes: 50, pause: .milliseconds(5)),
    ])
  func slow(_ fault: NetworkFault) async throws {
    try await self.withEcho { proxy, client in
      try await proxy.inject(fault)
      for piece in 0..<4 { try await client.send(Array(Self.bytes[piece * 50..<(piece + 1) * 50])) }
      try await client.wait(for: 201)
      #expect(client.bytes == [0] + Self.bytes)
      try await proxy.clear()
      try await client.send(Self.bytes)
      try await client.wait(for: 401)
    }
  }

  @Test("cut and reset: both ends closed, by a FIN or by an RST", arguments: [NetworkFault.cut, .reset])
  func closed(_ fault: NetworkFault) async throws {
    try await self.withEcho { proxy, client in
      try await proxy.inject(fault)
      try await client.waitUntilClosed()
      try await proxy.waitUntil { $0.openConnections == 0 }
      #expect((client.failure.withLockedValue { $0?.errnoCode } == ECONNRESET) == (fault == .reset))
      let next = try await PlainClient.connect(proxy.port)
      try await next.send(Self.bytes)
      try await next.wait(for: 200)
      await next.close()
    }
  }

  @Test("half-open: nothing passes and nothing is told, for the connection that stood; the next one is sound")
  func halfOpen() async throws {
    try await self.withEcho { proxy, client in
      try await proxy.inject(.halfOpen)
      try await client.send(Self.bytes)
      let next = try await PlainClient.connect(proxy.port)
      try await next.send(Self.bytes)
      try await next.wait(for: 200)
      try await proxy.clear()
      try await next.send([1])
      try await next.wait(for: 201)
      #expect(client.bytes == [0])
      #expect(client.isOpen)
      #expect(try await proxy.statistics().openConnections == 2)
      await next.close()
    }
  }

  @Test("half-open in one direction")
  func halfOpenOneWay() async throws {
    try await self.withEcho { proxy, client in
      try await proxy.inject(.halfOpen, .toClient)
      try await client.send(Self.bytes)
      try await proxy.waitUntil { $0.bytesToServer == 201 }
      #expect(client.bytes == [0])
    }
  }

  @Test("timeout: connections are accepted and nothing passes, until it is over; then all of it")
  func timeout() async throws {
    try await self.withEcho { proxy, client in
      try await proxy.inject(.timeout)
      try await client.send(Self.bytes)
      let next = try await PlainClient.connect(proxy.port)
      try await next.send(Self.bytes)
      try await proxy.waitUntil { $0.connectionCount == 2 }
      let before = try await proxy.statistics()
      #expect(before.bytesToServer == 1 && before.bytesToClient == 1)
      try await proxy.clear()
      try await client.wait(for: 201)
      try await next.wait(for: 200)
      #expect(client.bytes == [0] + Self.bytes)
      await next.close()
    }
  }

  @Test("slow close: the server's end at once, the client's later")
  func slowClose() async throws {
    try await self.withEcho { proxy, client in
      try await proxy.inject(.slowClose(.milliseconds(100)))
      try? await client.send(Self.bytes)
      try await client.waitUntilClosed()
      #expect(client.bytes == [0])
      try await proxy.waitUntil { $0.openConnections == 0 }
    }
  }

  @Test("byte limit: so many pass, and then the connection is closed; the next one is sound", arguments: [0, 1, 70])
  func byteLimit(_ count: Int) async throws {
    try await self.withEcho { proxy, client in
      try await proxy.inject(.byteLimit(count), .toServer)
      if count > 0 { try? await client.send(Self.bytes) }
      try await client.waitUntilClosed()
      let statistics = try await proxy.statistics()
      #expect(statistics.bytesToServer == 1 + count)
      #expect(statistics.limitsStruck == 1)
      let next = try await PlainClient.connect(proxy.port)
      try await next.send(Self.bytes)
      try await next.wait(for: 200)
      await next.close()
    }
  }

  @Test("a great deal at once: the proxy makes the sender wait, and nothing is lost")
  func much() async throws {
    try await self.withEcho { proxy, client in
      try await proxy.inject(.timeout, .toClient)
      let much = [UInt8](repeating: 7, count: 8 << 20)
      async let sent: Void = client.send(much)
      try await proxy.waitUntil { $0.bytesToServer > 1 << 20 }
      try await proxy.clear()
      try await sent
      try await client.wait(for: 1 + much.count)
    }
  }

  @Test("a server that is not there: the client is closed, and the proxy lives on")
  func noServer() async throws {
    let proxy = try await FaultProxy.start(to: "127.0.0.1", port: 1)
    let client = try await PlainClient.connect(proxy.port)
    try await client.waitUntilClosed()
    try await proxy.waitUntil { $0.connectionCount == 1 && $0.openConnections == 0 }
    await proxy.stop()
  }

  @Test(
    "stopped in the middle of any fault, it leaves no descriptor",
    arguments: [NetworkFault.halfOpen, .timeout, .slowClose(.seconds(30)), .latency(.seconds(30)), .cut])
  func noDescriptor(_ fault: NetworkFault) async throws {
    try await EchoServer.withServer { server in
      let proxy = try await FaultProxy.start(to: "127.0.0.1", port: server.port)
      let client = try await PlainClient.connect(proxy.port)
      try await client.send([0])
      try await client.wait(for: 1)
      #expect(try descriptors(ofPort: proxy.port) >= 2)
      try await proxy.inject(fault)
      try? await client.send(Self.bytes)
      await proxy.stop()
      await proxy.stop()
      await client.close()
      #expect(try descriptors(ofPort: proxy.port) == 0)
    }
  }
}
