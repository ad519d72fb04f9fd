// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Migration
import Testing

@testable import MigrationStore

/// A checkpoint of an earlier program is taken over only while histories fold to what they did then: this is what notices when they do
/// not.
@Suite("The version of the fold")
struct FoldVersionTests {
  /// What the histories of earlier versions fold to, by ``MigrationState/foldVersion``. When it comes out otherwise, or the records have
  /// another form, raise the version and put the new value beside the old ones, which stay.
  static let digests = [
    1: "e1d90d68d6ba6b7229e69689bf527f377d96511d0c430fabdae85cfb23550921",
    2: "ebf93b030328272f93891212063db3236eab2a135008a7946a29fa17b1aa35b9",
    3: "f5efa4a40f567db7a1a798ff6f8e88e5cb69129b2d089a7c13b5691498fcd207",
  ]

  private struct Digest: StateRecordWriting {
    var hash = SHA256()
    mutating func write(_ record: some Encodable) throws { self.hash.update(data: try CanonicalJSON.encode(record)) }
  }

  @Test("histories in every state fold to what the version says")
  func digest() throws {
    var digest = Digest()
    for form in [1, 3] {
      for phase in UpgradeTests.phases {
        var state = MigrationState()
        for row in try UpgradeTests.rows(phase.rawValue, form: form) {
          let event = try JSONDecoder().decode(MigrationEvent.self, from: Data(row.body.utf8))
          let isKnown = state.apply(event, at: Instant(milliseconds: row.at))
          #expect(isKnown)
        }
        try state.write(to: &digest)
      }
    }
    #expect(Self.digests[MigrationState.foldVersion] == CanonicalJSON.hex(digest.hash.finalize()))
  }
}
