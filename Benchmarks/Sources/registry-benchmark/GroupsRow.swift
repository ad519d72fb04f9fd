// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import TjenestebussTesting

/// Who moves with whom, for registers of three sizes.
enum GroupsRow {
  static func measure() {
    let times = [1_000, 10_000, 100_000].map { count in (count, Self.seconds(RegisterPopulation(count: count).records())) }
    let whole = times[2].1
    let each = times.map { $0.1 / Double($0.0) * 1e9 }
    RegistryBenchmark.report(
      "groups of all parties",
      times.map { "\($0.0): \(RegistryBenchmark.text($0.1))" }.joined(separator: ", ")
        + " (\(each.map { "\(Int($0))" }.joined(separator: ", ")) ns a party)",
      aim: "300 ms, linear", met: whole < 0.3 && each[2] < each[0] * 3)
  }

  private static func seconds(_ records: [PartyRecord]) -> Double {
    RegistryBenchmark.median(
      (0..<9).map { _ in
        RegistryBenchmark.processorTime {
          let survey = QueueSharing.survey(of: records)
          precondition(!survey.groups.isEmpty && survey.unreadable.isEmpty)
        }
      })
  }
}
