// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel

@testable import BusProbe

/// Looks that tests of the writers share.
enum ReportFixture {
  /// 1 January 2026, noon UTC.
  static let at = RegistryInstant(millisecondsSinceEpoch: 1_767_268_800_000)

  static func look(
    _ target: String = "200", failing: ProbeFinding? = nil, warning: ProbeFinding? = nil, settle: Double = 7.25,
    total: Double = 41.2, secondsLater: Int64 = 0
  ) -> ProbeLook {
    var steps = [
      ProbeStep(.inputGood, [.herID: .text(target)]),
      ProbeStep(.namesFound, [.host: "h", .addresses: "127.0.0.1"], milliseconds: 12.34),
      ProbeStep(.attached, [.address: "/queues/200_async"], milliseconds: 1.5),
      ProbeStep(.accepted, [.message: "m-1"], milliseconds: settle),
      ProbeStep(.arrivalRead, [.depth: 3, .consumers: 2], milliseconds: 2),
    ]
    for finding in [failing, warning].compactMap(\.self) {
      steps.removeAll { $0.code == finding.code || (finding == failing && $0.code > finding.code) }
      steps.append(ProbeStep(finding, [.depth: 3, .consumers: 0]))
    }
    return ProbeLook(
      ProbeReport(target: target, kind: .asynchronous, bus: "tjenestebuss", steps: steps),
      at: at.advanced(by: .seconds(secondsLater)), totalMilliseconds: total)
  }
}
