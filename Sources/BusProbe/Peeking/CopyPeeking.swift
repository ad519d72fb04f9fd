// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import TjenestebussClient

/// ActiveMQ's way to look: a receiver of copies (distribution mode copy), which leaves the queue as it was.
///
/// ActiveMQ makes a queue that is attached to and not there: so a queue is never told to be missing by this, and an empty one may be
/// left behind. Only for buses that heed the mode: RabbitMQ 3 and 4.0 repeat it and hand messages out for good.
public struct CopyPeeking: QueuePeeking {
  public let way = DialectCapabilities.Counting.browse
  private let connection: @Sendable () async throws -> AMQPConnection
  private let timeout: Duration

  /// - Parameters:
  ///   - timeout: for the attach, and for all copies together.
  ///   - connection: gives an open connection to the bus; it must be an ActiveMQ.
  public init(timeout: Duration = .seconds(10), connection: @Sendable @escaping () async throws -> AMQPConnection) {
    self.timeout = timeout
    self.connection = connection
  }

  /// - Parameter sequenceNumber: ActiveMQ numbers nothing: always from the beginning.
  public func look(at queue: String, from sequenceNumber: Int64?, atMost bound: Int) async -> SightingReading {
    var reading = SightingReading(queue: queue, way: self.way, readAt: SystemRegistryClock().now, value: .seen([]))
    do {
      // One more than is wanted tells whether there is more.
      let credit = max(0, bound) + 1
      let receiver = try await self.connection().openReceiver(from: queue, credit: credit, browses: true, within: self.timeout)
      do {
        let seen = try await self.copies(receiver, credit)
        reading.value = .seen(Array(seen.prefix(bound)))
        reading.hasMore = seen.count > bound
      } catch {
        reading.value = .unreadable(.countingLinkFailed(.init(error)))
      }
      await receiver.close()
    } catch {
      reading.value = .unreadable(.countingLinkFailed(.init(error)))
    }
    return reading
  }

  private func copies(_ receiver: AMQPReceiver, _ credit: Int) async throws -> [MessageSighting] {
    // All credit is used, or what could not be used comes back: then every copy has come.
    let given = try await receiver.drain(within: self.timeout).creditGivenBack
    var seen: [MessageSighting] = []
    while seen.count < credit - given, let batch = try await receiver.nextBatch() {
      for delivery in batch {
        guard let message = try? AMQPMessage(decodingBeforeBody: delivery.payload) else {
          // Somebody's malformed message lies there all the same.
          seen.append(MessageSighting(state: .active))
          continue
        }
        seen.append(MessageSighting(reading: message))
      }
    }
    return seen
  }
}
