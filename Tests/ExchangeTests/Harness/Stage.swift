// SPDX-License-Identifier: Apache-2.0

/// A queue that a row wants to find.
struct StageQueue: Sendable {
  enum Kind: String, Sendable { case classic, quorum }

  var name: String
  var kind = Kind.classic
  var maximumLength: Int?
  /// The queue that gets its dead letters.
  var deadLetterQueue: String?
  /// Milliseconds.
  var consumerTimeout: Int?
}

/// Where a row is played: a real broker or the embedded one.
protocol Stage: Sendable {
  var bus: Bus { get }
  var host: String { get }
  var port: Int { get }
  var securePort: Int { get }
  func declare(_ queue: StageQueue) async throws
  func delete(queue: String) async throws
  func declareExchange(_ name: String) async throws
  func delete(exchange: String) async throws
  /// All messages that lie in the queue.
  func depth(of queue: String) async throws -> Int
  /// Closes the connection that comes from this port, as an operator does.
  func closeByForce(clientPort: Int, reason: String) async throws
  func setAlarm(_ isOn: Bool) async throws
  func stopBroker() async throws
  func killBroker() async throws
  /// After ``stopBroker()`` or ``killBroker()``.
  func startBroker() async throws
  /// Waits until something has come, or that much time has passed for the broker.
  ///
  /// - Returns: the seconds after which it came; nil for at once.
  func wait(for client: ExchangeClient, candidates: [Int]) async throws -> Int?
  /// How long to wait for what should not come.
  var patience: Duration { get }
  /// How long to wait for what should come.
  var longest: Duration { get }
  func end() async
}
