// SPDX-License-Identifier: Apache-2.0

/// What has to hold before a group may be cut over.
public enum PreflightCheck: String, Sendable, Hashable, Codable, CaseIterable {
  /// The source bus answers and our credential works there: the way back needs it (I-10).
  case sourceBus = "source-bus"
  case targetBus = "target-bus"
  /// The queues stand ready on the target bus.
  case targetQueues = "target-queues"
  /// Somebody listens on the target bus already.
  case targetConsumer = "target-consumer"
  /// A send to a name that cannot exist is not accepted: without this, `accepted` proves nothing.
  case negativeControl = "negative-control"
  /// The queues on the source bus still stand: the way back leads there.
  case sourceQueues = "source-queues"
}

/// The pre-flight of one group, with the counters of the source queues as they were before the cut.
public struct PreflightReport: Sendable, Hashable, Codable {
  public var findings: [Finding<PreflightCheck>]
  /// The source queues before the cut: dead letters are judged against it.
  public var baseline: [QueueReading]

  public init(findings: [Finding<PreflightCheck>], baseline: [QueueReading]) {
    self.findings = findings
    self.baseline = baseline
  }

  /// What of the way back does not stand, in words; nil when it does. Nothing seen is not standing.
  public var wayBackObstacle: String? {
    for check in [PreflightCheck.sourceBus, .sourceQueues] where self.findings.result(of: check) != .passed {
      return "\(check.rawValue): \(self.findings.seen(of: check))"
    }
    return nil
  }

  /// The first check that keeps the rest of a group from the target bus when some of its entries are there already. Whether somebody
  /// listens there was asked before the first write, and is by the pings after the last: mail for the same queues goes there already.
  var restObstacle: (check: PreflightCheck, seen: String)? {
    for check in PreflightCheck.allCases {
      let result = self.findings.result(of: check)
      let stands: Bool =
        switch check {
        case .targetBus, .targetQueues: result == .passed
        case .negativeControl: result != nil
        case .sourceBus, .sourceQueues, .targetConsumer: true
        }
      if !stands { return (check, self.findings.seen(of: check)) }
    }
    return nil
  }

  /// The first check that stands in the way, in fixed order; nil when the group may go on.
  ///
  /// A negative control or a consumer that the dialect cannot show may be `impossible`; the rest must pass.
  /// A dialect that fails the negative control is let through here, since the ping then demands other evidence.
  public func obstacle(startConfirmed: Bool, policy: Policy) -> (check: PreflightCheck, seen: String)? {
    for check in PreflightCheck.allCases {
      let result = self.findings.result(of: check)
      let stands: Bool =
        switch check {
        case .sourceBus, .targetBus, .targetQueues, .sourceQueues: result == .passed
        case .negativeControl: result != nil
        case .targetConsumer:
          result == .passed || (result != nil && (startConfirmed || !policy.consumerBeforeCutover))
        }
      if !stands { return (check, self.findings.seen(of: check)) }
    }
    return nil
  }
}
