// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Testing

@testable import AMQP

@Suite("The server role and a client that closes")
struct ServerCloseTests {
  private static func frame(_ code: UInt64, _ fields: [AMQPValue?]) -> [UInt8] {
    var encoder = AMQPEncoder()
    encoder.descriptor(code)
    encoder.fields(fields)
    return withUnsafeBytes(of: UInt32(encoder.bytes.count + 8).bigEndian) { Array($0) } + [2, 0, 0, 0] + encoder.bytes
  }

  @Test("a Close is answered by a Close before the connection is closed, also when the client has shut its side")
  func closeIsAnswered() async throws {
    try await LoopbackServer.run { configuration in
      let channel = try await ClientBootstrap(group: NIOSingletons.posixEventLoopGroup)
        .channelOption(.allowRemoteHalfClosure, value: true)
        .connect(host: configuration.host, port: configuration.port) { channel in
          channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
              wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
          }
        }
      var codes: [UInt64] = []
      try await channel.executeThenClose { inbound, outbound in
        let open = Self.frame(AMQPFrame.Code.open, [.string("raw"), nil, .uint(65_536)])
        let close = Self.frame(AMQPFrame.Code.close, [])
        try await outbound.write(ByteBuffer(bytes: AMQPFrame.amqpHeader + open + close))
        outbound.finish()
        var parser = AMQPFrameParser()
        for try await bytes in inbound { parser.append(bytes.readableBytesView) }
        while let frame = try parser.next() {
          if case .performative(_, _, let code, _, _) = frame { codes.append(code) }
        }
      }
      #expect(codes == [AMQPFrame.Code.open, AMQPFrame.Code.close])
    }
  }
}
