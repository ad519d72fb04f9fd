// SPDX-License-Identifier: Apache-2.0

extension AMQPFrame {
  /// The frame as it goes over the wire. Nothing is judged: a test may write what no peer should.
  ///
  /// Trailing null fields of a performative are left out, as the spec allows (1.4).
  package func encoded() -> [UInt8] {
    switch self {
    case .header(let protocolID, let version): return Array("AMQP".utf8) + [protocolID] + version
    case .empty(let channel): return AMQPFrame.framed([], channel: channel, type: 0)
    case .performative(let channel, let isSASL, let code, let fields, let payload):
      var encoder = AMQPEncoder()
      encoder.descriptor(code)
      encoder.fields(fields.map { $0 == .null ? nil : $0 })
      return AMQPFrame.framed(encoder.bytes + payload, channel: channel, type: isSASL ? 1 : 0)
    }
  }

  /// A performative of AMQP's own layer.
  package static func amqp(_ code: UInt64, channel: UInt16 = 0, _ fields: [AMQPValue?] = [], payload: [UInt8] = []) -> AMQPFrame {
    .performative(channel: channel, isSASL: false, code: code, fields: fields.map { $0 ?? .null }, payload: payload)
  }

  private static func framed(_ body: [UInt8], channel: UInt16, type: UInt8) -> [UInt8] {
    let size = UInt32(body.count + 8)
    return withUnsafeBytes(of: size.bigEndian) { Array($0) } + [2, type, UInt8(channel >> 8), UInt8(channel & 0xff)] + body
  }
}

extension AMQPValue {
  /// Reads one value; bytes after it are not looked at.
  package init(decoding bytes: [UInt8]) throws(AMQPDecodingError) {
    var decoder = AMQPDecoder(bytes)
    self = try decoder.value()
  }

  /// The value in its most compact encoding.
  package func encoded() -> [UInt8] {
    var encoder = AMQPEncoder()
    encoder.encode(self)
    return encoder.bytes
  }
}
