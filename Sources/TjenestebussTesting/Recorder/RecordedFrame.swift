// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOCore

/// Which way bytes go through a ``FrameRecorder``.
package enum FrameDirection: String, Sendable, Hashable, CaseIterable {
  case toServer, toClient

  package var opposite: FrameDirection { self == .toServer ? .toClient : .toServer }
}

/// A frame that went through a ``FrameRecorder``, in the order in which frames were passed on.
///
/// Its description says what kind of frame it is and nothing of its content.
package struct RecordedFrame: Sendable, Equatable, CustomStringConvertible {
  /// In order of connecting, from 1.
  package var connection: Int
  package var direction: FrameDirection
  /// In bytes, with its header.
  package var size: Int
  package var frame: AMQPFrame

  package init(connection: Int = 1, direction: FrameDirection, size: Int = 0, frame: AMQPFrame) {
    self.connection = connection
    self.direction = direction
    self.size = size
    self.frame = frame
  }

  package var description: String { "connection \(self.connection) \(self.direction.rawValue): \(self.kind), \(self.size) bytes" }

  private var kind: String {
    switch self.frame {
    case .header(let protocolID, _): "protocol header \(protocolID)"
    case .empty: "heartbeat"
    case .performative(let channel, _, let code, _, _): "\(RecordedFrame.name(of: code)) on channel \(channel)"
    }
  }

  private static func name(of code: UInt64) -> String {
    switch code {
    case AMQPFrame.Code.open: "OPEN"
    case AMQPFrame.Code.begin: "BEGIN"
    case AMQPFrame.Code.attach: "ATTACH"
    case AMQPFrame.Code.flow: "FLOW"
    case AMQPFrame.Code.transfer: "TRANSFER"
    case AMQPFrame.Code.disposition: "DISPOSITION"
    case AMQPFrame.Code.detach: "DETACH"
    case AMQPFrame.Code.end: "END"
    case AMQPFrame.Code.close: "CLOSE"
    case AMQPFrame.Code.saslMechanisms...AMQPFrame.Code.saslOutcome: "SASL \(code)"
    default: "performative \(code)"
    }
  }
}

/// Cuts one direction of a stream into frames and keeps count of where each one ends.
package struct FrameCutter {
  package struct Cut: Equatable, Sendable {
    package let frame: AMQPFrame
    package let size: Int
    /// The place in the stream just after it.
    package let end: Int
  }

  private var buffer = ByteBuffer()
  private var position = 0

  package init() {}

  package mutating func append(_ bytes: ByteBuffer) { self.buffer.writeImmutableBuffer(bytes) }

  /// Whether every frame that has begun has been given out.
  package var isBetweenFrames: Bool { self.buffer.readableBytes == 0 }

  /// The next whole frame; nil when more bytes are needed.
  ///
  /// - Throws: ``AMQPDecodingError`` when the stream is no AMQP 1.0, TLS for one.
  package mutating func next() throws(AMQPDecodingError) -> Cut? {
    guard self.buffer.readableBytes >= 8, let size: UInt32 = self.buffer.getInteger(at: self.buffer.readerIndex) else {
      return nil
    }
    // A protocol header begins with "AMQP" where a frame has its size.
    let length = size == 0x414d_5150 ? 8 : Int(size)
    guard length >= 8 else { throw .unexpected("a frame of \(length) bytes") }
    guard let bytes = self.buffer.readBytes(length: length) else { return nil }
    // Not after each frame: that would move the rest each time.
    if self.buffer.readerIndex > 1 << 20 || self.buffer.readableBytes == 0 { self.buffer.discardReadBytes() }
    self.position += length
    var parser = AMQPFrameParser(maximumFrameSize: .max)
    parser.append(bytes)
    guard let frame = try parser.next() else { throw .truncated }
    return Cut(frame: frame, size: length, end: self.position)
  }
}
