// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// What lies on the party's queue of another bus, judged: step 33. Pure.
enum OtherBusJudgement {
  static func step(
    bus: BusName, queue: String, _ reading: Result<DepthReading, AMQPError>, milliseconds: Double?
  ) -> ProbeStep {
    var facts: [ProbeFact: ProbeValue] = [.bus: "\(bus)", .queue: .text(queue)]
    func step(_ finding: ProbeFinding) -> ProbeStep { ProbeStep(finding, facts, milliseconds: milliseconds) }
    switch reading {
    case .failure(let error):
      facts[.error] = .error(error)
      return step(.otherBusUnreadable)
    case .success(let reading):
      switch reading.value {
      case .missing: return step(.otherBusMissing)
      case .unreadable(let error):
        facts[.error] = .error(error)
        return step(.otherBusUnreadable)
      case .counted(let count):
        facts[.depth] = .number(count.messages)
        facts[.consumers] = count.consumers.map { .number($0) } ?? .term(.notTold)
        if (count.consumers ?? 0) > 0 { return step(.otherBusHeard) }
        return step(count.messages > 0 ? .otherBusMail : .otherBusQuiet)
      }
    }
  }
}
