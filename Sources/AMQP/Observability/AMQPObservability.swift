// SPDX-License-Identifier: Apache-2.0

import Metrics
import Tracing

/// What a connection tells of itself beyond logs: metrics, spans, frames. Nothing of it by default, which costs nothing.
///
/// Make one and give it to all connections of a client: counters then go on when a connection is made anew.
public struct AMQPObservability: Sendable {
  /// Nil: nothing is counted.
  public let metrics: AMQPMetrics?
  /// How often gauges are reported. Default 10 s.
  public let gaugeInterval: Duration
  /// Nil: no spans.
  public let tracing: AMQPTracing?
  /// Whether every frame is logged at level trace, without content and secrets. It takes effect when the logger's level is
  /// trace as the connection opens.
  public let logsFrames: Bool

  /// Nothing.
  public static let none = AMQPObservability()

  /// - Parameters:
  ///   - metrics: where metrics go; `MetricsSystem.factory` for the process's own.
  ///   - destinationLabel: what of an address stands in metrics; nil counts all destinations together. The default names
  ///     each, up to 500: an address has a queue's name in it, and with it a HER-ID, which is an organisation's number.
  ///   - gaugeInterval: how often gauges are reported.
  ///   - tracing: how spans are made; not for connections that move other people's messages, see ``AMQPTracing``.
  ///   - logsFrames: for finding out what a bus and a client say to each other.
  public init(
    metrics factory: (any MetricsFactory)? = nil,
    destinationLabel: @escaping @Sendable (String) -> String? = { $0 }, gaugeInterval: Duration = .seconds(10),
    tracing: AMQPTracing? = nil, logsFrames: Bool = false
  ) {
    self.metrics = factory.map { AMQPMetrics($0, destinationLabel: destinationLabel) }
    self.gaugeInterval = gaugeInterval
    self.tracing = tracing
    self.logsFrames = logsFrames
  }

  /// Runs the application's work on one message: within a span that continues its sender's trace, and timed.
  ///
  /// - Parameters:
  ///   - message: as it arrived; its trace context is read from it.
  ///   - address: where it came from.
  public func processing<Result>(
    _ message: AMQPMessage, from address: String, at peer: AMQPConnectionConfiguration? = nil,
    _ body: () async throws -> Result
  ) async throws -> Result {
    guard self.metrics != nil || self.tracing != nil else { return try await body() }
    let begun = ContinuousClock.now
    func ended(_ error: (any Error)?) {
      self.metrics?.processed(address, for: ContinuousClock.now - begun, failure: error.map(AMQPObservability.code))
    }
    do {
      let result: Result
      if let tracing = self.tracing {
        result = try await tracing.processing(message, from: address, at: peer, body)
      } else {
        result = try await body()
      }
      ended(nil)
      return result
    } catch {
      ended(error)
      throw error
    }
  }

  /// What of an error may stand in a metric or span: its stable code, or its type. Never its words.
  static func code(_ error: any Error) -> String {
    if let error = error as? AMQPError { return error.stableCode }
    return error is CancellationError ? "cancelled" : String(describing: type(of: error))
  }
}
