// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL

/// Carries a conversation with a mail server over a channel.
final class SMTPHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var conversation: SMTPConversation
  private var reader = SMTPReply.Reader()
  private var buffer = ByteBuffer()
  private let tls: NIOSSLContext?
  private let serverName: String?
  private var outcome: EventLoopPromise<Result<Void, TellingFailure>>?

  /// - Parameter serverName: whose certificate it has to be; nil where the server is named by its number.
  init(
    _ conversation: SMTPConversation, tls: NIOSSLContext?, serverName: String?,
    outcome: EventLoopPromise<Result<Void, TellingFailure>>
  ) {
    self.conversation = conversation
    self.tls = tls
    self.serverName = serverName
    self.outcome = outcome
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.buffer.writeImmutableBuffer(self.unwrapInboundIn(data))
    while self.outcome != nil, let end = self.buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
      let count = end - self.buffer.readerIndex + 1
      var line = self.buffer.readString(length: count) ?? ""
      line.removeAll { $0.isNewline }
      do throws(TellingFailure) {
        if let reply = try self.reader.take(line) { self.carryOut(self.conversation.take(reply), context) }
      } catch { self.end(.failure(error), context) }
    }
    self.buffer.discardReadBytes()
    if self.buffer.readableBytes > SMTPReply.Reader.longestLine {
      self.end(.failure(TellingFailure("the mail server does not speak SMTP")), context)
    }
  }

  private func carryOut(_ action: SMTPConversation.Action, _ context: ChannelHandlerContext) {
    switch action {
    case .send(let bytes): context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    case .secure(let bytes):
      // What came behind the answer came in clear, from whomever: it must not be taken for what is said over TLS.
      guard self.buffer.readableBytes == 0, let tls = self.tls else {
        return self.end(.failure(TellingFailure("the mail server said more than it was asked before TLS")), context)
      }
      do {
        let handler = try NIOSSLClientHandler(context: tls, serverHostname: self.serverName)
        try context.pipeline.syncOperations.addHandler(handler, position: .first)
      } catch { return self.end(.failure(TellingFailure("TLS could not be begun: \(type(of: error))")), context) }
      context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    case .accepted(let farewell):
      context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: farewell)), promise: nil)
      self.end(.success(()), context)
    case .failed(let failure): self.end(.failure(failure), context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    let words =
      self.conversation.mayHaveArrived
      ? "the mail server closed before it had answered: it may have the mail" : "the mail server closed the connection"
    self.end(.failure(TellingFailure(words)), context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let words =
      error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError ? "TLS failed: \(error)" : "\(type(of: error))"
    self.end(.failure(TellingFailure(words)), context)
  }

  private func end(_ result: Result<Void, TellingFailure>, _ context: ChannelHandlerContext) {
    guard let outcome else { return }
    self.outcome = nil
    outcome.succeed(result)
    context.close(promise: nil)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.outcome?.succeed(.failure(TellingFailure("the connection was closed")))
    self.outcome = nil
  }
}
