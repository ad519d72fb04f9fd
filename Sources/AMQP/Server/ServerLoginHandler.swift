// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Does the login before the engine's handler sees bytes, then lets all through.
final class ServerLoginHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var machine: ServerLoginMachine
  private let decide: (ServerCredentials) -> Bool
  private var isDone = false

  init(mechanisms: [String], decide: @escaping (ServerCredentials) -> Bool) {
    self.machine = ServerLoginMachine(mechanisms: mechanisms)
    self.decide = decide
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !self.isDone else { return context.fireChannelRead(data) }
    let buffer = self.unwrapInboundIn(data)
    self.carryOut(self.machine.receive(Array(buffer.readableBytesView)), context)
  }

  private func carryOut(_ actions: [ServerLoginMachine.Action], _ context: ChannelHandlerContext) {
    for action in actions {
      switch action {
      case .write(let bytes): context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
      case .decide(let credentials): self.carryOut(self.machine.decided(self.decide(credentials)), context)
      case .done(let remaining):
        self.isDone = true
        if !remaining.isEmpty { context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: remaining))) }
      case .close: context.close(promise: nil)
      }
    }
  }
}
