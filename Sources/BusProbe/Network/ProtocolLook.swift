// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// What a port speaks that is not AMQP 1.0 with a login: says the first eight bytes of AMQP, and looks at what comes. No login is sent.
enum ProtocolLook {
  enum Spoken: Sendable, Hashable {
    /// AMQP 1.0 with a login: all is as it should be.
    case amqpWithLogin
    /// AMQP 1.0 that wants no login.
    case amqpWithoutLogin
    /// Another AMQP, such as 0-9-1.
    case otherAMQP(String)
    /// The first line of an HTTP answer.
    case http(String)
    /// A record of TLS.
    case tls
    /// Something else: its first bytes, as hexadecimal.
    case other(String)
    /// The peer closed without a byte.
    case closed
    /// Nothing came in time.
    case silent
    /// There was no connection.
    case unreachable(String)

    /// As it is put into the sentence of a finding.
    var name: String {
      switch self {
      case .amqpWithLogin: "AMQP 1.0 (SASL)"
      case .amqpWithoutLogin: "AMQP 1.0"
      case .otherAMQP(let version): "AMQP \(version)"
      case .http(let line): "HTTP (\(line))"
      case .tls: "TLS"
      case .other(let bytes): "0x\(bytes)"
      case .closed: "EOF"
      case .silent: "0 byte"
      case .unreachable(let words): words
      }
    }
  }

  /// AMQP with SASL, version 1.0.0 (spec 5.3.1).
  private static let header: [UInt8] = [0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]

  /// Judges the first bytes of an answer; nil while more are needed. Pure.
  static func judge(_ bytes: [UInt8], isWhole: Bool) -> Spoken? {
    if bytes.isEmpty { return isWhole ? .closed : nil }
    if bytes.starts(with: Array("AMQP".utf8)) {
      guard bytes.count >= 8 else { return isWhole ? Self.other(bytes) : nil }
      switch (bytes[4], bytes[5]) {
      case (3, 1): return .amqpWithLogin
      case (0, 1): return .amqpWithoutLogin
      // 0-9-1 says protocol 0 and 0, 9, 1; 0-10 says 1, 1, 0, 10.
      case (0, 0): return .otherAMQP("\(bytes[5])-\(bytes[6])-\(bytes[7])")
      case (1, 1): return .otherAMQP("\(bytes[6])-\(bytes[7])")
      default: return .otherAMQP(bytes[4..<8].map(String.init).joined(separator: "."))
      }
    }
    if bytes.starts(with: Array("HTTP/".utf8)) {
      let line = bytes.prefix { $0 != 13 && $0 != 10 }
      guard isWhole || line.count < bytes.count || bytes.count >= 200 else { return nil }
      return .http(Self.printable(line.prefix(60)))
    }
    // A handshake or an alert, version 3.x.
    if bytes.count >= 2, bytes[0] == 21 || bytes[0] == 22, bytes[1] == 3 { return .tls }
    return bytes.count >= 8 || isWhole ? Self.other(bytes) : nil
  }

  private static func other(_ bytes: [UInt8]) -> Spoken {
    let digits = Array("0123456789abcdef")
    return .other(String(bytes.prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }))
  }

  private static func printable(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
  }

  /// Asks over plain TCP.
  static func look(
    host: String, port: Int, within timeout: Duration, on group: any EventLoopGroup = NIOSingletons.posixEventLoopGroup
  ) async -> Spoken {
    let loop = group.any()
    let done = loop.makePromise(of: Spoken.self)
    let channel: any Channel
    do {
      channel = try await ClientBootstrap(group: loop).connectTimeout(TimeAmount(timeout)).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(FirstBytesHandler(done)) }
      }.connect(host: host, port: port).get()
    } catch {
      done.succeed(.silent)
      return .unreachable(String(describing: error))
    }
    let late = loop.scheduleTask(in: TimeAmount(timeout)) { done.succeed(.silent) }
    // Something that waits for a line of text never answers these eight bytes: a line end more has HTTP complain.
    let lineEnd = loop.scheduleTask(in: TimeAmount(timeout / 3)) {
      channel.writeAndFlush(ByteBuffer(string: "\r\n\r\n"), promise: nil)
    }
    defer {
      lineEnd.cancel()
      late.cancel()
      channel.close(promise: nil)
    }
    channel.writeAndFlush(ByteBuffer(bytes: Self.header), promise: nil)
    return (try? await done.futureResult.get()) ?? .silent
  }
}

/// Collects bytes until they can be judged.
private final class FirstBytesHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private var bytes: [UInt8] = []
  private let done: EventLoopPromise<ProtocolLook.Spoken>

  init(_ done: EventLoopPromise<ProtocolLook.Spoken>) { self.done = done }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard self.bytes.count < 4_096 else { return }
    self.bytes += self.unwrapInboundIn(data).readableBytesView
    if let spoken = ProtocolLook.judge(self.bytes, isWhole: false) { self.done.succeed(spoken) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.done.succeed(ProtocolLook.judge(self.bytes, isWhole: true) ?? .closed)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.done.succeed(ProtocolLook.judge(self.bytes, isWhole: true) ?? .closed)
    context.close(promise: nil)
  }
}
