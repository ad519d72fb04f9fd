// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A TCP server that sends back what it gets, and a client that collects what comes.
final class EchoServer: Sendable {
  private final class Echo: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
  }

  let port: Int
  private let channel: any Channel

  private init(_ channel: any Channel) {
    self.channel = channel
    self.port = channel.localAddress?.port ?? 0
  }

  static func withServer(_ body: (EchoServer) async throws -> Void) async throws {
    let channel = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
      .childChannelInitializer { client in
        client.eventLoop.makeCompletedFuture { try client.pipeline.syncOperations.addHandler(Echo()) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let server = EchoServer(channel)
    do {
      try await body(server)
    } catch {
      try? await channel.close()
      throw error
    }
    try await channel.close()
  }
}

/// A TCP client that collects what comes.
final class PlainClient: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    /// Sizes of the reads.
    var reads: [Int] = []
    var waiters: [(count: Int, met: OneShot<Void>)] = []
  }

  private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let client: PlainClient
    init(_ client: PlainClient) { self.client = client }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      self.client.came(Array(self.unwrapInboundIn(data).readableBytesView))
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      self.client.failure.withLockedValue { $0 = error as? IOError }
      context.close(promise: nil)
    }
  }

  private let state = NIOLockedValueBox(State())
  let failure = NIOLockedValueBox<IOError?>(nil)
  private let channelBox = NIOLockedValueBox<(any Channel)?>(nil)

  static func connect(_ port: Int) async throws -> PlainClient {
    let client = PlainClient()
    let channel = try await ClientBootstrap(group: NIOSingletons.posixEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Collector(client)) }
      }
      .connect(host: "127.0.0.1", port: port).get()
    client.channelBox.withLockedValue { $0 = channel }
    return client
  }

  private func came(_ bytes: [UInt8]) {
    let met = self.state.withLockedValue { state in
      state.bytes += bytes
      state.reads.append(bytes.count)
      let count = state.bytes.count
      let met = state.waiters.filter { $0.count <= count }
      state.waiters.removeAll { $0.count <= count }
      return met.map(\.met)
    }
    for one in met { one.fulfil(()) }
  }

  var bytes: [UInt8] { self.state.withLockedValue { $0.bytes } }

  func send(_ bytes: [UInt8]) async throws {
    try await self.channelBox.withLockedValue { $0 }?.writeAndFlush(ByteBuffer(bytes: bytes))
  }

  /// Waits until so many bytes have come.
  func wait(for count: Int) async throws {
    let met = OneShot<Void>()
    let isMet = self.state.withLockedValue { state in
      if state.bytes.count >= count { return true }
      state.waiters.append((count, met))
      return false
    }
    if !isMet { try await met.wait() }
  }

  /// Waits until the other end, or an error, has closed it.
  func waitUntilClosed() async throws { try await self.channelBox.withLockedValue { $0 }?.closeFuture.get() }

  var isOpen: Bool { self.channelBox.withLockedValue { $0?.isActive ?? false } }

  func close() async { try? await self.channelBox.withLockedValue { $0 }?.close() }
}

/// Sockets of this process with this port at one of their ends.
func descriptors(ofPort port: Int) throws -> Int {
  let hex = String(port, radix: 16, uppercase: true)
  let padded = String(repeating: "0", count: 4 - hex.count) + hex
  // Its size is told as 0: it is read to its end.
  let table = try FileHandle(forReadingAtPath: "/proc/self/net/tcp")?.readToEnd() ?? Data()
  let sockets = Set(
    String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst().compactMap { line -> String? in
      let columns = line.split(separator: " ")
      guard columns.count > 9, columns[1].hasSuffix(":\(padded)") || columns[2].hasSuffix(":\(padded)") else { return nil }
      return "socket:[\(columns[9])]"
    })
  let directory = "/proc/self/fd"
  return try FileManager.default.contentsOfDirectory(atPath: directory)
    .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)") }
    .count { sockets.contains($0) }
}
