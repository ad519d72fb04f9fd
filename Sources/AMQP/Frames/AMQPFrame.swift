// SPDX-License-Identifier: Apache-2.0

/// A frame as it stands on the wire (spec 2.3), or a protocol header. For recorders, tests and the server's login.
package enum AMQPFrame: Equatable, Sendable {
  /// "AMQP", protocol id (0 AMQP, 2 TLS, 3 SASL), major, minor, revision.
  case header(protocolID: UInt8, version: [UInt8])
  /// Without a performative: a heartbeat.
  case empty(channel: UInt16)
  case performative(channel: UInt16, isSASL: Bool, code: UInt64, fields: [AMQPValue], payload: [UInt8])

  /// The descriptors of the performatives (spec 2.7, 5.3.3).
  package enum Code {
    package static let open: UInt64 = 0x10
    package static let begin: UInt64 = 0x11
    package static let attach: UInt64 = 0x12
    package static let flow: UInt64 = 0x13
    package static let transfer: UInt64 = 0x14
    package static let disposition: UInt64 = 0x15
    package static let detach: UInt64 = 0x16
    package static let end: UInt64 = 0x17
    package static let close: UInt64 = 0x18
    package static let saslMechanisms: UInt64 = 0x40
    package static let saslInit: UInt64 = 0x41
    package static let saslOutcome: UInt64 = 0x44
  }

  /// A SASL frame with one composite.
  static func encodedSASL(_ code: UInt64, _ fields: [AMQPValue?]) -> [UInt8] {
    AMQPFrame.performative(channel: 0, isSASL: true, code: code, fields: fields.map { $0 ?? .null }, payload: []).encoded()
  }

  static let saslHeader: [UInt8] = Array("AMQP".utf8) + [3, 1, 0, 0]
  static let amqpHeader: [UInt8] = Array("AMQP".utf8) + [0, 1, 0, 0]
}

/// Cuts one direction of a byte stream into frames.
package struct AMQPFrameParser: Sendable {
  private var bytes: [UInt8] = []
  private let maximumFrameSize: Int

  package init(maximumFrameSize: Int = 16 << 20) { self.maximumFrameSize = maximumFrameSize }

  /// What has not made a frame yet.
  package var rest: [UInt8] { self.bytes }

  package mutating func append(_ more: some Collection<UInt8>) { self.bytes += more }

  /// The next whole frame; nil when more bytes are needed.
  ///
  /// - Throws: ``AMQPDecodingError`` when the stream is no AMQP 1.0.
  package mutating func next() throws(AMQPDecodingError) -> AMQPFrame? {
    guard self.bytes.count >= 8 else { return nil }
    if self.bytes.starts(with: "AMQP".utf8) {
      defer { self.bytes.removeFirst(8) }
      return .header(protocolID: self.bytes[4], version: Array(self.bytes[5..<8]))
    }
    let size = self.bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    let start = Int(self.bytes[4]) * 4
    guard size >= 8, start >= 8, start <= size, size <= self.maximumFrameSize else {
      throw .unexpected("a frame header of size \(size), offset \(start)")
    }
    guard self.bytes.count >= size else { return nil }
    let isSASL = self.bytes[5] == 1
    let channel = UInt16(self.bytes[6]) << 8 | UInt16(self.bytes[7])
    let body = Array(self.bytes[start..<size])
    self.bytes.removeFirst(size)
    guard !body.isEmpty else { return .empty(channel: channel) }
    var decoder = AMQPDecoder(body)
    guard case .described(.ulong(let code), .list(let fields)) = try decoder.value() else {
      throw .unexpected("a frame without a performative")
    }
    return .performative(
      channel: channel, isSASL: isSASL, code: code, fields: fields, payload: Array(body[decoder.position...]))
  }
}
