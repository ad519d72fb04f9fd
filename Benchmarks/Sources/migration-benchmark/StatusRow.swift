// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationEngine
import MigrationStore

/// What `status` answers for one pulje: by the daemon, which has the state, and from the database where no daemon answers.
enum StatusRow {
  static func measure(_ history: HistoryFile) async throws {
    let loaded = try await SQLiteEventReader.open(path: history.path).load()
    guard let pulje = Self.pulje(loaded.state) else { throw Fault.wrong("no pulje") }
    let parties = pulje.plan.herIDs.count
    var (texts, forms): ([Double], [Double]) = ([], [])
    var spent: [Double] = []
    var (size, formSize) = (0, 0)
    for _ in 0..<9 {
      let before = MigrationBenchmark.processorSeconds
      texts.append(
        await MigrationBenchmark.time {
          size = Data(StatusText.text(Self.status(loaded, pulje.name)).utf8).count
        }.seconds)
      spent.append(MigrationBenchmark.processorSeconds - before)
    }
    for _ in 0..<3 {
      forms.append(
        try await MigrationBenchmark.time {
          let encoder = JSONEncoder()
          encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
          formSize = try encoder.encode(Self.status(loaded, pulje.name)).count
        }.seconds)
    }
    MigrationBenchmark.report(
      "status of a pulje of \(parties) by the daemon, \(size >> 10) KB of text",
      "\(MigrationBenchmark.text(MigrationBenchmark.median(texts))); \(MigrationBenchmark.spread(texts)); of a processor "
        + MigrationBenchmark.text(MigrationBenchmark.median(spent)), aim: "100 ms",
      met: MigrationBenchmark.median(texts) < 0.1)
    MigrationBenchmark.note(
      "the same as JSON with everything that is known of each group, \(formSize >> 20) MB: "
        + MigrationBenchmark.text(MigrationBenchmark.median(forms)))
    let rounds = try (0..<3).map { _ in try FreshProcess.ask("read", history.path) }
    MigrationBenchmark.note(
      "status from the database without a daemon, whole process: "
        + "\(MigrationBenchmark.text(MigrationBenchmark.median(rounds.map { $0[4] }))), of a processor "
        + "\(MigrationBenchmark.text(MigrationBenchmark.median(rounds.map { $0[2] }))), \(Int(rounds.map { $0[1] }.max() ?? 0)) MB"
    )
  }

  /// A whole one: the last of the register may have few parties.
  static func pulje(_ state: MigrationState) -> PuljeState? { state.ordered.dropLast().last ?? state.ordered.last }

  private static func status(_ loaded: LoadedHistory, _ name: PuljeName) -> MigrationStatus {
    MigrationStatus(
      loaded.state, head: loaded.head, now: SystemMigrationClock().now,
      daemon: MigrationStatus.Daemon(
        processID: 1, version: "benchmark", startedAt: SystemMigrationClock().now, database: "benchmark",
        starts: loaded.state.starts), pulje: name)
  }
}
