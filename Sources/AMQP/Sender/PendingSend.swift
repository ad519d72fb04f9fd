// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A message on its way from a task to the wire, and the task that waits for its outcome.
struct PendingSend: Sendable {
  typealias Machine = SendMachine<DeliveryID>

  let id: Machine.SendID
  /// The whole message; or what stands before its body, when ``body`` brings that.
  let payload: [UInt8]
  let body: OutgoingBody?
  let settled: Bool
  /// When it was asked for.
  let since: NIODeadline
  let deadline: NIODeadline
  let continuation: CheckedContinuation<Result<AMQPOutcome, AMQPError>, Never>
}
