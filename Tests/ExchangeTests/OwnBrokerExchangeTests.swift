// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Rows that stop the broker or raise its alarm. Nobody else may use the brokers meanwhile, nor any other test of this process:
/// `make prove` plays them one after the other, beside brokers started for them.
@Suite("Exchanges with real brokers that nobody else uses", .serialized)
struct OwnBrokerExchangeTests {
  private static let cases = Case.every.filter { $0.row.speed == .alone && Bus.here.contains($0.bus) }

  @Test("a real broker does as recorded, or is recorded")
  func asRecorded() async throws {
    guard Wanted.ownBrokers else { return }
    var kept: [String: [String]] = [:]
    for one in Self.cases where Wanted.recording == nil || Wanted.recording == one.bus {
      let stage = try RealStage(one.bus)
      var seen: [String] = []
      let expected = Recordings.transcript(one.row.name, at: one.bus)
      // As elsewhere: a machine that was late once is looked at again.
      for _ in 1...3 {
        seen = try await one.play(on: stage)
        try await stage.revive()
        if Wanted.recording != nil || seen == expected { break }
      }
      kept[one.row.name] = seen
      guard Wanted.recording == nil else { continue }
      print("own broker | \(one.testDescription)")
      if seen != expected {
        Issue.record(
          "\(one.testDescription)\nrecorded:\n\((expected ?? ["nothing"]).joined(separator: "\n"))\nnow:\n\(seen.joined(separator: "\n"))")
      }
    }
    if let bus = Wanted.recording { try Recordings.keep(kept, at: bus) }
  }
}
