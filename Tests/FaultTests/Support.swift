// SPDX-License-Identifier: Apache-2.0

import AMQP
import Testing
import TjenestebussTesting

extension AMQPMessage {
  /// A durable message with an id, and a content of so many bytes.
  static func test(_ id: String, size: Int = 10) -> AMQPMessage {
    AMQPMessage(properties: AMQPProperties(messageID: .string(id)), body: .data([UInt8](repeating: 0x2a, count: size)))
  }
}

extension AMQPDelivery {
  func id() throws -> String {
    guard case .string(let id)? = try self.message().properties.messageID else { throw WithoutID() }
    return id
  }

  private struct WithoutID: Error {}
}

extension AMQPReceiver {
  /// The next `count` deliveries.
  func first(_ count: Int) async throws -> [AMQPDelivery] {
    var deliveries: [AMQPDelivery] = []
    while deliveries.count < count, let batch = try await self.nextBatch() { deliveries += batch }
    return deliveries
  }
}

/// The kinds that a script lets a client send when it sees fit, where closing is not the subject.
let unasked: Set<PeerFrame.Kind> = [.begin, .flow, .detach, .end, .disposition]

/// A connection of our client to a peer with this script.
func withConnection(
  _ script: [PeerStep], ignoring: Set<PeerFrame.Kind> = unasked,
  change: (inout AMQPConnectionConfiguration) -> Void = { _ in },
  _ body: (ScriptedPeer, AMQPConnection) async throws -> Void
) async throws {
  try await ScriptedPeer.withPeer(script, ignoring: ignoring) { peer in
    var configuration = peer.clientConfiguration()
    change(&configuration)
    try await AMQPConnection.withConnection(configuration) { connection in try await body(peer, connection) }
  }
}

/// The error that `body` throws.
func failure(of body: () async throws -> Void) async -> AMQPError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? AMQPError
  }
}
