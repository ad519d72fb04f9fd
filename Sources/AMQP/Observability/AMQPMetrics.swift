// SPDX-License-Identifier: Apache-2.0

import Metrics
import NIOConcurrencyHelpers

/// Counters, gauges and timers of a client, kept by name and dimensions so that counting is a look-up and an addition.
public final class AMQPMetrics: Sendable {
  private struct Key: Hashable {
    let name: AMQPMetricName
    let destination: String
    /// Operation, tier or role.
    let kind: String
    /// Outcome or error code.
    let result: String
  }

  private struct Kept {
    var destinations: Set<String> = []
    var counters: [Key: Counter] = [:]
    var timers: [Key: Timer] = [:]
    var meters: [Key: Meter] = [:]
  }

  /// More destinations are counted together: a client that sends to all of Norway must not fill the metrics system.
  static let destinationLimit = 500
  static let otherDestinations = "(others)"

  private let factory: any MetricsFactory
  private let label: @Sendable (String) -> String?
  private let kept = NIOLockedValueBox(Kept())

  init(_ factory: any MetricsFactory, destinationLabel: @escaping @Sendable (String) -> String?) {
    self.factory = factory
    self.label = destinationLabel
  }

  // MARK: What happened

  /// A message was handed over, or was certain not to leave.
  func sent(_ address: String, _ result: Result<AMQPOutcome, AMQPError>, after duration: Duration) {
    let key: (String) -> Key
    switch result {
    case .success(let outcome):
      key = { Key(name: .sentMessages, destination: $0, kind: "send", result: outcome.metricLabel) }
    case .failure(let error):
      key = { Key(name: .sentMessages, destination: $0, kind: "send", result: error.stableCode) }
    }
    let destination = self.destination(address)
    let counted = key(destination)
    self.counter(counted).increment()
    self.timer(Key(name: .operationDuration, destination: destination, kind: "send", result: counted.result)).record(duration)
  }

  /// Messages were given to the application.
  func consumed(_ count: Int, from address: String) {
    guard count > 0 else { return }
    self.counter(Key(name: .consumedMessages, destination: self.destination(address), kind: "receive", result: ""))
      .increment(by: count)
  }

  func processed(_ address: String, for duration: Duration, failure: String?) {
    self.timer(
      Key(name: .processDuration, destination: self.destination(address), kind: "process", result: failure ?? "")
    ).record(duration)
  }

  /// A link, session or connection was made anew after a loss.
  package func recovered(tier: String, address: String = "") {
    self.counter(Key(name: .recoveries, destination: self.destination(address), kind: tier, result: "")).increment()
  }

  /// The bus took deliveries back.
  package func withdrawn(_ count: Int = 1, from address: String) {
    self.counter(Key(name: .withdrawn, destination: self.destination(address), kind: "", result: "")).increment(by: count)
  }

  /// A link was given up because nothing moved.
  package func stalled(_ address: String, _ count: Int = 1) {
    self.counter(Key(name: .stalls, destination: self.destination(address), kind: "", result: "")).increment(by: count)
  }

  /// What a link looks like now. Nil for what it does not have.
  package func link(
    _ address: String, role: String, credit: Int, unsettled: Int? = nil, buffered: Int? = nil, waitingSends: Int? = nil
  ) {
    let destination = self.destination(address)
    let values: [(AMQPMetricName, Int?)] = [
      (.credit, credit), (.unsettled, unsettled), (.buffered, buffered), (.waitingSends, waitingSends),
    ]
    for case (let name, let value?) in values {
      self.meter(Key(name: name, destination: destination, kind: role, result: "")).set(value)
    }
  }

  package func lastFrame(age: Duration) {
    self.meter(Key(name: .lastFrameAge, destination: "", kind: "", result: "")).set(age / .seconds(1))
  }

  // MARK: Look-up

  private func destination(_ address: String) -> String {
    guard !address.isEmpty, let label = self.label(address) else { return "" }
    return self.kept.withLockedValue { kept in
      if kept.destinations.contains(label) { return label }
      guard kept.destinations.count < AMQPMetrics.destinationLimit else { return AMQPMetrics.otherDestinations }
      kept.destinations.insert(label)
      return label
    }
  }

  private func counter(_ key: Key) -> Counter {
    self.kept.withLockedValue { kept in
      if let counter = kept.counters[key] { return counter }
      let counter = Counter(label: key.name.rawValue, dimensions: self.dimensions(key), factory: self.factory)
      kept.counters[key] = counter
      return counter
    }
  }

  private func timer(_ key: Key) -> Timer {
    self.kept.withLockedValue { kept in
      if let timer = kept.timers[key] { return timer }
      let timer = Timer(label: key.name.rawValue, dimensions: self.dimensions(key), factory: self.factory)
      kept.timers[key] = timer
      return timer
    }
  }

  private func meter(_ key: Key) -> Meter {
    self.kept.withLockedValue { kept in
      if let meter = kept.meters[key] { return meter }
      let meter = Meter(label: key.name.rawValue, dimensions: self.dimensions(key), factory: self.factory)
      kept.meters[key] = meter
      return meter
    }
  }

  private func dimensions(_ key: Key) -> [(String, String)] {
    var dimensions: [(AMQPAttributeName, String)] = [(.system, "amqp")]
    if !key.destination.isEmpty { dimensions.append((.destination, key.destination)) }
    switch key.name {
    case .sentMessages, .consumedMessages, .operationDuration, .processDuration: dimensions.append((.operationName, key.kind))
    case .recoveries: dimensions.append((.tier, key.kind))
    case .credit, .unsettled, .buffered, .waitingSends: dimensions.append((.role, key.kind))
    case .lastFrameAge, .withdrawn, .stalls: break
    }
    if !key.result.isEmpty {
      let isOutcome = AMQPOutcome.metricLabels.contains(key.result)
      dimensions.append((isOutcome ? .outcome : .error, key.result))
    }
    return dimensions.map { ($0.rawValue, $1) }
  }
}

extension AMQPOutcome {
  static let metricLabels: Set<String> = ["accepted", "rejected", "released", "modified", "unknown"]

  var metricLabel: String {
    switch self {
    case .accepted: "accepted"
    case .rejected: "rejected"
    case .released: "released"
    case .modified: "modified"
    case .unknown: "unknown"
    }
  }
}

extension Timer {
  fileprivate func record(_ duration: Duration) {
    let parts = duration.components
    self.recordNanoseconds(parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
  }
}
