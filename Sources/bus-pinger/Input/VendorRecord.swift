// SPDX-License-Identifier: Apache-2.0

import BusModel
import BusProbe
import Migration
import MigrationStore

/// What vendors have said of their parties, as it was signed with `bus-migrator sign-test`: own-ping and vendor-confirms, each of the
/// bus that the pulje moves to. From the daemon's database, which is read beside it and never changed.
enum VendorRecord {
  typealias Grounds = [HerID: [BusName: [ProbeEvidence: ProbeEvidence.State]]]

  /// - Throws: `StoreError` when the database cannot be read.
  static func grounds(database path: String) async throws -> Grounds {
    Self.grounds(try await SQLiteEventReader.open(path: path).load().state)
  }

  /// The last word on each counts: that of a later pulje, or a later signature in one.
  static func grounds(_ state: MigrationState) -> Grounds {
    var grounds: Grounds = [:]
    for pulje in state.ordered {
      for signature in pulje.groups.flatMap(\.tests) {
        let evidence: ProbeEvidence
        switch signature.item {
        case .ownPing: evidence = .selfPing
        case .vendorConfirms: evidence = .vendorConfirms
        default: continue
        }
        grounds[signature.herID, default: [:]][pulje.plan.target, default: [:]][evidence] = signature.passed ? .shows : .denies
      }
    }
    return grounds
  }
}
