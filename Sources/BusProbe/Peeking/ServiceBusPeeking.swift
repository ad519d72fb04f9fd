// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel
import TjenestebussClient

/// Azure Service Bus's own way to look: `com.microsoft:peek-message` at `QUEUE/$management`, page after page. Shows what is active,
/// locked (as active), deferred and scheduled; nothing is locked or taken by it.
///
/// Source: Microsoft, "AMQP 1.0 in Azure Service Bus: request-response-based operations", peek message. Service Bus for Windows
/// Server is not known to answer it.
public struct ServiceBusPeeking: QueuePeeking {
  public let way = DialectCapabilities.Counting.peek
  private let connection: @Sendable () async throws -> AMQPConnection
  private let timeout: Duration
  private let pageSize: Int

  /// - Parameters:
  ///   - timeout: for each page's answer.
  ///   - pageSize: the most messages asked for at once; an answer brings their bodies too, which are dropped unread.
  ///   - connection: gives an open connection to the bus.
  public init(
    timeout: Duration = .seconds(10), pageSize: Int = 100, connection: @Sendable @escaping () async throws -> AMQPConnection
  ) {
    self.timeout = timeout
    self.pageSize = max(1, pageSize)
    self.connection = connection
  }

  public func look(at queue: String, from sequenceNumber: Int64?, atMost bound: Int) async -> SightingReading {
    let now = SystemRegistryClock().now
    var reading = SightingReading(queue: queue, way: self.way, readAt: now, value: .seen([]))
    do {
      let (seen, next) = try await self.connection().withRequestReply(
        to: "\(queue)/$management", replyTo: "looking-\(UniqueID.random())", within: self.timeout
      ) { node in try await self.pages(node, queue, from: sequenceNumber ?? 1, atMost: bound) }
      reading.value = .seen(seen)
      reading.hasMore = next != nil
      reading.next = next
    } catch let error as ProbeError {
      reading.value = .unreadable(error)
    } catch let error as AMQPError where error.code == .notFound {
      reading.value = .missing
    } catch {
      reading.value = .unreadable(.countingLinkFailed(.init(error)))
    }
    return reading
  }

  private func pages(
    _ node: AMQPRequestReply, _ queue: String, from first: Int64, atMost bound: Int
  ) async throws -> (seen: [MessageSighting], next: Int64?) {
    let isDeadLetter = Self.isDeadLetterQueue(queue)
    var seen: [MessageSighting] = []
    var from = first
    while true {
      // One more than is wanted tells whether there is more.
      let wanted = min(self.pageSize, bound - seen.count + 1)
      let answer = try await node.request(Self.request(from: from, count: wanted), within: self.timeout)
      let page = try Self.page(of: answer, isDeadLetter: isDeadLetter)
      // Fewer than asked for is not the end: only an empty page is.
      if page.isEmpty { return (seen, nil) }
      for sighting in page {
        guard let number = sighting.sequenceNumber, number >= from else {
          throw ProbeError.countingUnreadable(way: .peek, seen: "a message without a sequence number, or out of order")
        }
        if seen.count == bound { return (seen, number) }
        seen.append(sighting)
        from = number + 1
      }
    }
  }

  static func isDeadLetterQueue(_ queue: String) -> Bool { queue.lowercased().hasSuffix("/$deadletterqueue") }

  static func request(from: Int64, count: Int) -> AMQPMessage {
    AMQPMessage(
      header: nil, applicationProperties: ["operation": "com.microsoft:peek-message"],
      body: .value(.map(["from-sequence-number": .long(from), "message-count": .int(Int32(clamping: count))])))
  }

  /// - Throws: `countingUnreadable` for anything but a page.
  static func page(of answer: AMQPMessage, isDeadLetter: Bool) throws(ProbeError) -> [MessageSighting] {
    let status = answer.applicationProperties["statusCode"]?.integer ?? 0
    if status == 204 { return [] }
    guard status == 200, case .value(.map(let body)) = answer.body, case .list(let entries)? = body["messages"] else {
      let condition = answer.applicationProperties["errorCondition"]?.text ?? "no condition"
      throw .countingUnreadable(way: .peek, seen: "status \(status), \(condition.prefix(60))")
    }
    var page: [MessageSighting] = []
    for entry in entries {
      guard case .map(let map) = entry, case .binary(let bytes)? = map["message"],
        let message = try? AMQPMessage(decodingBeforeBody: bytes)
      else { throw .countingUnreadable(way: .peek, seen: "a message that cannot be read") }
      page.append(MessageSighting(reading: message, isDeadLetter: isDeadLetter))
    }
    return page
  }
}
