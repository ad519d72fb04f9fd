// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Ends connections on which nothing gets on: who sends a request byte by byte, who sends no end of it, who asks nothing, who does not read the
/// answer. An answer that takes its time while the daemon works or waits is no such thing.
final class RequestPatience: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  struct Limits: Sendable, Hashable {
    /// From the connection's begin (a TLS handshake included) until the first request's head is there.
    var firstHead = TimeAmount.seconds(10)
    /// From an answer's end until the next request's head is there.
    var idle = TimeAmount.seconds(60)
    /// From a request's head until its end.
    var body = TimeAmount.seconds(60)
    /// While more of an answer waits than the socket takes.
    var reading = TimeAmount.seconds(30)
  }

  private let limits: Limits
  private var asking: Scheduled<Void>?
  private var reading: Scheduled<Void>?
  private var isInBody = false
  private var unanswered = 0

  init(_ limits: Limits) { self.limits = limits }

  func handlerAdded(context: ChannelHandlerContext) { self.await(self.limits.firstHead, context) }

  func handlerRemoved(context: ChannelHandlerContext) { self.cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    self.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.unwrapInboundIn(data) {
    case .head:
      self.isInBody = true
      self.unanswered += 1
      self.await(self.limits.body, context)
    case .body: break
    case .end:
      self.isInBody = false
      self.asking?.cancel()
      self.asking = nil
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = self.unwrapOutboundIn(data) {
      self.unanswered = max(0, self.unanswered - 1)
      if self.unanswered == 0, !self.isInBody { self.await(self.limits.idle, context) }
    }
    context.write(data, promise: promise)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    self.reading?.cancel()
    self.reading = context.channel.isWritable ? nil : Self.closing(context, in: self.limits.reading)
    context.fireChannelWritabilityChanged()
  }

  private func await(_ time: TimeAmount, _ context: ChannelHandlerContext) {
    self.asking?.cancel()
    self.asking = Self.closing(context, in: time)
  }

  private func cancel() {
    self.asking?.cancel()
    self.reading?.cancel()
    self.asking = nil
    self.reading = nil
  }

  private static func closing(_ context: ChannelHandlerContext, in time: TimeAmount) -> Scheduled<Void> {
    let channel = context.channel
    return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }
}
