// SPDX-License-Identifier: Apache-2.0

/// Renews the locks of Azure Service Bus by asking the queue's management node (`com.microsoft:renew-lock`).
///
/// ```swift
/// let policy = AMQPProcessPolicy(lockRenewal: AMQPServiceBusLockRenewal(client))
/// try await client.process(from: "orders", maxConcurrent: 5, policy: policy) { delivery in ... }
/// ```
///
/// A lock's end comes as a time of day of the bus's clock, and ours may differ from it. So a lock is never counted on for longer
/// than ``longestTrust``, whatever the bus says. Service Bus for Windows Server has no such node, and its locks cannot be renewed.
///
/// Source: Microsoft, "AMQP 1.0 in Azure Service Bus: request-response-based operations", message renew lock.
public struct AMQPServiceBusLockRenewal: AMQPLockRenewing {
  private let client: AMQPClient
  /// How long a lock is counted on at most. Default 30 s, the shortest that a queue has unless configured otherwise.
  public let longestTrust: Duration
  /// How long a renewal may take. Default 10 s.
  public let timeout: Duration
  /// The time of day in milliseconds since 1970.
  private let now: @Sendable () -> Int64

  public init(_ client: AMQPClient, longestTrust: Duration = .seconds(30), timeout: Duration = .seconds(10)) {
    self.init(client, longestTrust: longestTrust, timeout: timeout) { CertificateTime.now() * 1_000 }
  }

  init(_ client: AMQPClient, longestTrust: Duration, timeout: Duration, now: @escaping @Sendable () -> Int64) {
    self.client = client
    self.longestTrust = longestTrust
    self.timeout = timeout
    self.now = now
  }

  /// Nil for a delivery without `x-opt-locked-until`: it is not locked for a time.
  public func lockDuration(of delivery: AMQPDelivery) -> Duration? {
    guard let message = try? AMQPMessage(decodingBeforeBody: delivery.payload),
      case .timestamp(let end)? = message.messageAnnotations["x-opt-locked-until"]
    else { return nil }
    return self.trusted(until: end)
  }

  /// - Throws: ``AMQPError``: `requestRefused` with the bus's condition when the lock is lost (`com.microsoft:message-lock-lost`);
  ///   anything else when it is not known.
  public func renew(_ delivery: AMQPDelivery) async throws -> Duration {
    guard let token = AMQPUUID(serviceBusToken: delivery.tag) else {
      throw AMQPError(
        .requestRefused, .delivery, .local, tried: "renew the lock on a message of \(delivery.address)",
        seen: "its delivery tag has \(delivery.tag.count) bytes and is no lock token")
    }
    let node = "\(delivery.address)/$management"
    let request = AMQPMessage(
      header: nil, applicationProperties: ["operation": "com.microsoft:renew-lock"],
      body: .value(.map(["lock-tokens": .array([.uuid(token)])])))
    let answer = try await self.client.request(request, to: node, replyTo: .ownLink, timeout: self.timeout)
    let status = answer.applicationProperties["statusCode"]?.integer ?? 0
    guard status == 200, case .value(.map(let body)) = answer.body, case .array(let ends)? = body["expirations"],
      case .timestamp(let end)? = ends.first
    else {
      // Its description may quote the message; the condition is a word.
      throw AMQPError(
        .requestRefused, .delivery, .remote,
        condition: answer.applicationProperties["errorCondition"]?.text.map { AMQPCondition($0) },
        tried: "renew the lock on a message of \(delivery.address)", seen: "status \(status)")
    }
    return self.trusted(until: end)
  }

  private func trusted(until end: Int64) -> Duration {
    // Not nothing, even where our clock is ahead: the bus would be asked without end.
    min(self.longestTrust, max(.milliseconds(end - self.now()), .seconds(3)))
  }
}

extension AMQPUUID {
  /// A lock token as Service Bus writes it into the delivery tag: the first three fields with their lowest byte first.
  init?(serviceBusToken tag: AMQPDeliveryTag) {
    let bytes = tag.bytes
    guard bytes.count == 16 else { return nil }
    let inOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map { bytes[$0] }
    self.init(
      high: inOrder[..<8].reduce(0) { $0 << 8 | UInt64($1) }, low: inOrder[8...].reduce(0) { $0 << 8 | UInt64($1) })
  }
}
