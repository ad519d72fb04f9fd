// SPDX-License-Identifier: Apache-2.0

/// What is to become of a delivery, as its handler decides.
public enum AMQPVerdict: Sendable, Hashable {
  /// Processed: the bus may forget it.
  case accept
  /// It is given up: the bus keeps it with its dead letters, where it has any.
  case deadLetter(AMQPCondition)
  /// It is held for `after`, in its place in the window, and then handed back to the bus. `failed`: it was tried in vain, and the
  /// bus shall count that, where it can.
  case handBack(after: Duration, failed: Bool)
  /// The handler is run again at once, as often as the policy allows; then it is handed back after the policy's delay.
  case retryNow
  /// It is handed back, and nothing more is begun: `process` returns when the handlers at work have ended.
  case stop
}

/// How a delivery ended, told once for each that was read.
public enum AMQPProcessEnding: Sendable, Hashable {
  /// Its handler ended, and the bus has been told.
  case settled(AMQPVerdict)
  /// It was dead-lettered without its handler, since it was delivered too often.
  case poisonous
  /// Its handler was not begun, or was broken off as everything stopped: it comes again.
  case unbegun
  /// The bus took it back because it was not settled in time: it comes again. `begun`: its handler had begun, and was cancelled.
  case withdrawn(begun: Bool)
  /// Its handler ended, but the link was gone before the bus could be told: it comes again.
  case settlementLost(AMQPVerdict)
}
