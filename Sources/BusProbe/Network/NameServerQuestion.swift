// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix

/// A question to a name server (RFC 1035): has a name an address? Asked only after the system's own look-up found nothing, to say why.
enum NameServerQuestion {
  enum Reply: Sendable, Equatable {
    case hasAddress
    /// NXDOMAIN.
    case noSuchName
    /// The name is known, with no address.
    case noAddress
    /// The server's own code: SERVFAIL, REFUSED...
    case failed(String)
    case silent
  }

  /// The name servers of `/etc/resolv.conf`, at most three, as the system's resolver has it.
  static func configuredServers(path: String = "/etc/resolv.conf") -> [SocketAddress] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return Self.servers(text)
  }

  /// Pure.
  static func servers(_ text: String) -> [SocketAddress] {
    let lines = text.split(whereSeparator: \.isNewline)
    let names = lines.compactMap { line -> String? in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count >= 2, words[0] == "nameserver" else { return nil }
      return String(words[1])
    }
    return names.prefix(3).compactMap { try? SocketAddress(ipAddress: $0, port: 53) }
  }

  /// `127.0.0.1:53`.
  static func server(_ text: String) -> SocketAddress? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else { return nil }
    return try? SocketAddress(ipAddress: String(text[..<colon]), port: port)
  }

  /// Asks each server at once, for an IPv4 address and then, where there is none, for an IPv6 one.
  static func ask(
    _ servers: [SocketAddress], for name: String, within timeout: Duration,
    on group: any EventLoopGroup = NIOSingletons.posixEventLoopGroup
  ) async -> [(server: String, reply: Reply)] {
    await withTaskGroup(of: (Int, Reply).self) { tasks in
      for (index, server) in servers.enumerated() {
        tasks.addTask {
          let first = await Self.ask(server, name, type: 1, timeout, group)
          guard first == .noAddress else { return (index, first) }
          let second = await Self.ask(server, name, type: 28, timeout, group)
          return (index, second == .silent ? first : second)
        }
      }
      var replies = [Reply](repeating: .silent, count: servers.count)
      for await (index, reply) in tasks { replies[index] = reply }
      return zip(servers, replies).map { (server: $0.ipAddress ?? $0.description, reply: $1) }
    }
  }

  private static func ask(
    _ server: SocketAddress, _ name: String, type: UInt16, _ timeout: Duration, _ group: any EventLoopGroup
  ) async -> Reply {
    let id = UInt16.random(in: .min ... .max)
    guard let question = Self.encoded(id: id, name: name, type: type) else { return .noSuchName }
    let loop = group.any()
    let done = loop.makePromise(of: Reply.self)
    let channel: any Channel
    do {
      channel = try await DatagramBootstrap(group: loop).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ReplyHandler(id, done)) }
      }.connect(to: server).get()
    } catch {
      done.succeed(.silent)
      return .silent
    }
    let late = loop.scheduleTask(in: TimeAmount(timeout)) { done.succeed(.silent) }
    defer {
      late.cancel()
      channel.close(promise: nil)
    }
    channel.writeAndFlush(ByteBuffer(bytes: question), promise: nil)
    return (try? await done.futureResult.get()) ?? .silent
  }

  /// Nil for what can be no name. Pure.
  static func encoded(id: UInt16, name: String, type: UInt16) -> [UInt8]? {
    // One question, recursion wished for.
    var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 255), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    let labels = name.split(separator: ".", omittingEmptySubsequences: true)
    guard !labels.isEmpty, name.utf8.count <= 253 else { return nil }
    for label in labels {
      guard label.utf8.count <= 63 else { return nil }
      bytes.append(UInt8(label.utf8.count))
      bytes += Array(label.utf8)
    }
    return bytes + [0, UInt8(type >> 8), UInt8(type & 255), 0, 1]
  }

  /// Nil for what is no answer to the question. Pure.
  static func read(_ bytes: [UInt8], id: UInt16) -> Reply? {
    guard bytes.count >= 12, UInt16(bytes[0]) << 8 | UInt16(bytes[1]) == id, bytes[2] & 0x80 != 0 else { return nil }
    switch bytes[3] & 15 {
    case 0:
      // A chain of aliases that ends nowhere has answers too, but no name with only aliases is worth telling apart here.
      return bytes[6] == 0 && bytes[7] == 0 ? .noAddress : .hasAddress
    case 1: return .failed("FORMERR")
    case 2: return .failed("SERVFAIL")
    case 3: return .noSuchName
    case 4: return .failed("NOTIMP")
    case 5: return .failed("REFUSED")
    case let other: return .failed("RCODE \(other)")
    }
  }
}

private final class ReplyHandler: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  private let id: UInt16
  private let done: EventLoopPromise<NameServerQuestion.Reply>

  init(_ id: UInt16, _ done: EventLoopPromise<NameServerQuestion.Reply>) {
    self.id = id
    self.done = done
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = Array(self.unwrapInboundIn(data).data.readableBytesView)
    if let reply = NameServerQuestion.read(bytes, id: self.id) { self.done.succeed(reply) }
  }

  /// A closed port answers by ICMP: nobody serves names there.
  func errorCaught(context: ChannelHandlerContext, error: any Error) { self.done.succeed(.silent) }

  func channelInactive(context: ChannelHandlerContext) {
    self.done.succeed(.silent)
    context.fireChannelInactive()
  }
}
