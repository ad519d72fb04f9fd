// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL

/// Does the login before the engine's handler sees bytes, looks at the Open, then lets all through.
final class ServerLoginHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What decides. The refusal's delay is the decider's business: it calls back when it is over.
  struct Decider {
    let login: (ServerCredentials, @escaping (Bool) -> Void) -> Void
    let open: (ServerOpen) -> ServerOpenVerdict
  }

  private enum Stage {
    case login
    /// What came of the Open so far.
    case open(AMQPFrameParser)
    case through
    case ignored
  }

  private var machine: ServerLoginMachine
  private let decider: Decider
  private var stage = Stage.login
  private var context: ChannelHandlerContext?

  init(mechanisms: [String], decider: Decider) {
    self.machine = ServerLoginMachine(mechanisms: mechanisms)
    self.decider = decider
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.stage {
    case .login: self.carryOut(self.machine.receive(Array(self.unwrapInboundIn(data).readableBytesView)), context)
    case .open: self.lookForOpen(Array(self.unwrapInboundIn(data).readableBytesView), context)
    case .through: context.fireChannelRead(data)
    case .ignored: break
    }
  }

  private func carryOut(_ actions: [ServerLoginMachine.Action], _ context: ChannelHandlerContext) {
    for action in actions {
      switch action {
      case .write(let bytes): context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
      case .decide(let credentials):
        self.decider.login(self.completed(credentials, context)) { [weak self] mayEnter in
          // The client may have gone while it waited.
          guard let self, let context = self.context else { return }
          self.carryOut(self.machine.decided(mayEnter), context)
        }
      case .done(let remaining):
        self.stage = .open(AMQPFrameParser())
        if !remaining.isEmpty { self.lookForOpen(remaining, context) }
      case .close: context.close(promise: nil)
      }
    }
  }

  /// EXTERNAL says who the client is by its certificate.
  private func completed(_ credentials: ServerCredentials, _ context: ChannelHandlerContext) -> ServerCredentials {
    guard case .external = credentials else { return credentials }
    let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
    return .external(user: handler?.peerCertificate.flatMap { try? $0.toDERBytes() }.flatMap(CertificateName.commonName))
  }

  private func lookForOpen(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
    guard case .open(var parser) = self.stage else { return }
    parser.append(bytes)
    do throws(AMQPDecodingError) {
      while let frame = try parser.next() {
        guard case .performative(_, _, AMQPFrame.Code.open, let fields, _) = frame else { continue }
        self.stage = self.decider.open(ServerOpen(fields)) == .ignored ? .ignored : .through
        break
      }
    } catch {
      // The engine says what is wrong with it.
      self.stage = .through
    }
    if case .open = self.stage { self.stage = .open(parser) }
    if case .ignored = self.stage { return }
    context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: bytes)))
  }
}

/// Finds the subject's common name in a certificate.
enum CertificateName {
  /// - Parameter der: the certificate; its subject stands after its issuer.
  static func commonName(_ der: [UInt8]) -> String? {
    let objectID: [UInt8] = [0x06, 0x03, 0x55, 0x04, 0x03]
    var found: String?
    var index = 0
    while index + 7 < der.count {
      if der[index..<index + 5].elementsEqual(objectID) {
        let length = Int(der[index + 6])
        let start = index + 7
        if length < 128, start + length <= der.count { found = String(decoding: der[start..<start + length], as: UTF8.self) }
      }
      index += 1
    }
    return found
  }
}
