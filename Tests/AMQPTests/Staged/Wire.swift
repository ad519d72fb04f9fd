// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One end of a wire between two channels of one testing loop: what is written here is read at the other end, in a turn of the loop
/// of its own. Never finished, never lossy, unless the test says so.
final class WireEnd: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer

  weak var other: WireEnd?
  private var context: ChannelHandlerContext?
  private var written: [ByteBuffer] = []
  /// Bytes that have been carried from here.
  private(set) var carried = 0
  /// Whether nothing of what is written here arrives.
  var isCut = false
  /// How many bytes may still be carried before the wire is full and the channel takes no more; nil for any number.
  var room: Int?
  private var isFull = false

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    self.written.append(self.unwrapOutboundIn(data))
    promise?.succeed()
  }

  func flush(context: ChannelHandlerContext) { self.carry() }

  /// Lets so many more bytes through.
  func allow(_ bytes: Int) {
    self.room = (self.room ?? 0) + bytes
    self.carry()
  }

  private func carry() {
    guard let context = self.context else { return }
    while var bytes = self.written.first, self.room != 0 {
      let count = min(bytes.readableBytes, self.room ?? .max)
      guard let part = bytes.readSlice(length: count) else { return }
      if bytes.readableBytes == 0 { self.written.removeFirst() } else { self.written[0] = bytes }
      if let room { self.room = room - count }
      self.carried += count
      guard !self.isCut, let other = self.other else { continue }
      context.eventLoop.assumeIsolated().execute { other.arrived(part) }
    }
    self.setFull(!self.written.isEmpty, context)
  }

  private func setFull(_ isFull: Bool, _ context: ChannelHandlerContext) {
    guard isFull != self.isFull, let channel = context.channel as? any WritabilitySettable else { return }
    self.isFull = isFull
    channel.isWritable = !isFull
    context.fireChannelWritabilityChanged()
  }

  private func arrived(_ bytes: ByteBuffer) {
    guard let context = self.context else { return }
    context.fireChannelRead(self.wrapInboundOut(bytes))
    context.fireChannelReadComplete()
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    if !self.isCut, let other = self.other {
      context.eventLoop.assumeIsolated().execute { other.context?.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }
    context.close(mode: mode, promise: promise)
  }
}

/// A testing channel, whose writability is the test's to say.
protocol WritabilitySettable: AnyObject {
  var isWritable: Bool { get set }
}
