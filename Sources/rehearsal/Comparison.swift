// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The same rehearsal twice, the second time with a daemon that something happens to again and again: the end must be the same.
struct Comparison: Sendable {
  /// From this number on each point must have been struck, or the run shows less than it says.
  static let enoughForEveryPoint = 100

  let options: StageOptions
  let interruption: Interruption
  /// What happens to the daemon, in the plural.
  let noun: String

  /// - Returns: whether all is well.
  func hold() async throws -> Bool {
    let terminal = Terminal()
    var settings = self.options.settings
    settings.watch += self.interruption.count / 2
    let directory = settings.directory
    settings.directory = directory.appendingPathComponent("reference")
    terminal.say("the undisturbed rehearsal, for comparison")
    let reference = try await self.options.hold(settings, terminal: terminal)
    settings.directory = directory
    settings.interruption = self.interruption
    terminal.say("the rehearsal with \(self.interruption.count) \(self.noun), seed \(self.interruption.seed)")
    let disturbed = try await self.options.hold(settings, terminal: terminal)
    terminal.show(Verdict.table(disturbed))
    terminal.show(Verdict.points(disturbed.deaths))
    var faults = reference.faults.map { "undisturbed: \($0)" }
    if !reference.balance.isClean { faults.append("the undisturbed run's ledger is not clean") }
    faults += disturbed.end.differences(from: reference.end).map { "without and with \(self.noun): \($0)" }
    if disturbed.deaths.count < self.interruption.count {
      faults.append("\(disturbed.deaths.count) \(self.noun), not \(self.interruption.count)")
    }
    let struck = Set(disturbed.deaths.map(\.point))
    let missed = KillPlan.names.filter { !struck.contains($0) }
    if case .kill = self.interruption.kind, self.interruption.count >= Self.enoughForEveryPoint, !missed.isEmpty {
      faults.append("never struck: \(missed.joined(separator: ", "))")
    }
    for fault in faults { terminal.show("FAULT \(fault)") }
    let parties = disturbed.end.parties.count
    let entries = disturbed.end.entries.count
    terminal.show(
      "the end after \(disturbed.deaths.count) \(self.noun), seed \(self.interruption.seed): "
        + (faults.isEmpty ? "the same as without" : "see the faults")
        + "; compared: \(parties) parties' states, \(entries) entries by hash, how often each was changed; "
        + "after each of them the history was whole and held the intent of every change the register had seen")
    return disturbed.isGood && faults.isEmpty
  }
}
