// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// Logs both directions' frames at level trace. Stands between TLS and all that is ours; changes nothing.
final class FrameTraceHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Direction: String {
    case incoming = "in"
    case outgoing = "out"
  }

  private let logger: Logger
  private let endpoint: String
  /// Nil once a direction could not be read: what follows is no frame of ours to tell.
  private var incoming: AMQPFrameParser? = AMQPFrameParser()
  private var outgoing: AMQPFrameParser? = AMQPFrameParser()

  init(_ logger: Logger, endpoint: String) {
    self.logger = logger
    self.endpoint = endpoint
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.log(self.unwrapInboundIn(data), .incoming, &self.incoming)
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    self.log(self.unwrapOutboundIn(data), .outgoing, &self.outgoing)
    context.write(data, promise: promise)
  }

  private func log(_ bytes: ByteBuffer, _ direction: Direction, _ parser: inout AMQPFrameParser?) {
    guard parser != nil else { return }
    parser?.append(bytes.readableBytesView)
    do {
      while let frame = try parser?.next() { self.log(FrameTrace(frame), direction) }
    } catch {
      parser = nil
      self.logger.trace("no frame", metadata: self.metadata(direction, [.error: "\(error)"]))
    }
  }

  private func log(_ frame: FrameTrace, _ direction: Direction) {
    var metadata: [LogKey: String] = [.performative: frame.performative]
    if let channel = frame.channel { metadata[.channel] = "\(channel)" }
    if !frame.fields.isEmpty { metadata[.fields] = frame.fields }
    if frame.payloadBytes > 0 { metadata[.payloadBytes] = "\(frame.payloadBytes)" }
    self.logger.trace("frame", metadata: self.metadata(direction, metadata))
  }

  private func metadata(_ direction: Direction, _ pairs: [LogKey: String]) -> Logger.Metadata {
    var metadata: Logger.Metadata = [
      LogKey.endpoint.rawValue: "\(self.endpoint)", LogKey.direction.rawValue: "\(direction.rawValue)",
    ]
    for (key, value) in pairs { metadata[key.rawValue] = "\(value)" }
    return metadata
  }
}
