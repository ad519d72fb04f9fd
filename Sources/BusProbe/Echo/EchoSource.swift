// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Where the echoes of our pings come from: our own receiver on the reply queue, or one who reads it for many.
public protocol EchoSource: Sendable {
  /// The queue that the pings name in `reply-to`.
  var replyQueue: String { get }

  /// Announces a ping, has it sent, and waits for its echo: announced before it is sent, so that no echo is missed between. Ends by the
  /// echo, the time, or a cancellation.
  ///
  /// - Parameters:
  ///   - limit: for the sending at most.
  ///   - timeout: from when the ping was sent.
  ///   - sends: sends the ping, and tells whether the bus has it: else no echo can come, and none is waited for. Not called where the
  ///     announcement failed.
  func echo(
    of messageID: String, sentWithin limit: Duration, within timeout: Duration, sends: () async -> Bool
  ) async -> EchoArrival
}

/// What became of an echo that was waited for.
public enum EchoArrival: Sendable, Hashable {
  case came(PingEcho)
  case noneInTime
  /// The ping was not taken, so no echo can come.
  case notAwaited
  /// It could not be waited for, or not to the end: it may have come.
  case failed(EchoError)
}

/// One who reads reply queues for others.
public protocol EchoService: Sendable {
  /// - Parameter subject: of the pings that will be sent.
  func source(on bus: BusName, subject: String) async -> Result<any EchoSource, EchoError>
}

/// Who read the reply queue for a ping.
public enum EchoReader: Sendable, Hashable {
  case ourselves
  case daemon
  /// The daemon was asked first.
  case ourselvesInsteadOfDaemon(EchoError)
}
