// SPDX-License-Identifier: Apache-2.0

import BusModel
import Logging

extension TjenestebussClient {
  /// Whether the sender may be sent one more error message; it counts when it may.
  func mayReportError(to sender: HerID) -> Bool {
    let now = self.clock.now - self.start
    return self.errorLimit.withLockedValue { $0.maySend(to: sender, at: now) }
  }

  /// A line for whoever looks into the log only; never the reporter's own words.
  func log(_ report: ErrorReport) {
    self.logger.warning(
      "a receiver could not take a message of ours",
      metadata: [
        LogKey.bus.rawValue: "\(report.bus)", LogKey.queue.rawValue: "\(report.queue)",
        LogKey.error.rawValue: "\(report.condition?.rawValue ?? (report.soapFault == nil ? "unknown" : "soap-fault"))",
        LogKey.messageID.rawValue: "\(report.originalMessageID?.prefix(100) ?? "-")",
      ])
  }
}

extension SendResult {
  enum Certainty { case taken, never, perhapsLater }

  /// Whether trying again can help, when the message is one of ours that nobody waits for.
  var certainty: Certainty {
    switch self.outcome {
    case .accepted: .taken
    case .rejected, .released, .modified: .never
    // Should it have arrived after all, an error message more is better than none.
    case .unknown: .perhapsLater
    case .notSent(let error):
      switch error {
      case .routeNotFound(_, _, let cause): cause.isOfTheRegistersContent ? .never : .perhapsLater
      case .notSent(_, let cause): ["AMQP-301", "AMQP-302", "AMQP-402"].contains(cause.code) ? .never : .perhapsLater
      case .messageUnsendable, .busUnknown: .never
      default: .perhapsLater
      }
    }
  }
}

extension TjenestebussError.Cause {
  /// The register has answered, and its answer leads nowhere: no such party, no such queue, an address that is none or on no bus.
  var isOfTheRegistersContent: Bool {
    ["AR-201", "AR-202", "AR-203", "AR-204", "AR-205", "AR-206", "AR-207", "AR-208"].contains(self.code)
  }
}
