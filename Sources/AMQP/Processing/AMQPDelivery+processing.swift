// SPDX-License-Identifier: Apache-2.0

extension AMQPDelivery {
  /// Runs the application's work on it within a span that continues its sender's trace, and times it, as the observability of
  /// its connection says. ``AMQPClient/process(from:maxConcurrent:orderedBy:policy:_:)`` does so by itself.
  public func processing<Result>(_ body: () async throws -> Result) async throws -> Result {
    let observability = self.connection.observability
    guard observability.metrics != nil || observability.tracing != nil else { return try await body() }
    // What cannot be read is for the body to find out; it is timed all the same.
    let message = (try? AMQPMessage(decodingBeforeBody: self.payload)) ?? AMQPMessage(body: .dataSections([]))
    return try await observability.processing(message, from: self.address, at: self.connection, body)
  }
}
