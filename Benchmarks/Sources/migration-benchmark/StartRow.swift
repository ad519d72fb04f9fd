// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationEngine
import MigrationStore

/// A start after a crash, in a new process: from its beginning until the engine takes commands, and what it takes of memory.
enum StartRow {
  static func measure(_ history: HistoryFile) async throws {
    let rounds = try (0..<5).map { _ in try FreshProcess.ask("start", history.path) }
    let (times, peaks) = (rounds.map { $0[0] }, rounds.map { $0[1] })
    let (spent, events, whole) = (rounds.map { $0[2] }, Int(rounds[0][3]), rounds.map { $0[4] })
    MigrationBenchmark.report(
      "start after a crash, \(events) events, in a new process until commands are taken",
      "\(MigrationBenchmark.text(MigrationBenchmark.median(whole))); \(MigrationBenchmark.spread(whole)); of which the engine's "
        + "\(MigrationBenchmark.text(MigrationBenchmark.median(times))); of a processor "
        + "\(MigrationBenchmark.text(MigrationBenchmark.median(spent)))",
      aim: "5 s", met: MigrationBenchmark.median(whole) < 5)
    let peak = peaks.max() ?? .infinity
    MigrationBenchmark.report(
      "memory of that process, the most that was ever resident", "\(Int(peak)) MB", aim: "200 MB", met: peak < 200)
  }
}

/// What has to be measured in a process that has done nothing before.
enum FreshProcess {
  static func run(_ what: String, path: String) async throws {
    switch what {
    case "start": try await Self.start(path)
    case "read": try await Self.read(path)
    default: exit(2)
    }
  }

  /// As the daemon does it, with a register and buses that nobody is at: they are not asked before commands are taken.
  private static func start(_ path: String) async throws {
    let began = ContinuousClock.now
    let clock = SystemMigrationClock()
    let store = try await SQLiteEventStore.open(path: path, at: clock.now)
    let world = MemoryWorld([])
    let engine = MigrationEngine(ports: MigrationEngine.Ports(store: store, register: world, buses: world, clock: clock))
    try await engine.run {
      let events = await engine.snapshot().head.sequence
      print(
        (ContinuousClock.now - began) / .seconds(1), MigrationBenchmark.peakMegabytes, MigrationBenchmark.processorSeconds, events
      )
      // As a crash does: what was done is undone by nobody, and the next start finds it so.
      exit(0)
    }
  }

  /// As `status` does it where no daemon answers.
  private static func read(_ path: String) async throws {
    let (seconds, text) = try await MigrationBenchmark.time {
      let history = try await SQLiteEventReader.open(path: path).load()
      let name = StatusRow.pulje(history.state)?.name
      return StatusText.text(
        MigrationStatus(history.state, head: history.head, now: SystemMigrationClock().now, daemon: nil, pulje: name))
    }
    print(seconds, MigrationBenchmark.peakMegabytes, MigrationBenchmark.processorSeconds, text.utf8.count)
  }

  /// - Returns: the numbers that the process printed, and how long it took from its beginning to its end.
  static func ask(_ what: String, _ path: String) throws -> [Double] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["fresh", what, path]
    let pipe = Pipe()
    process.standardOutput = pipe
    let began = ContinuousClock.now
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let values = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    guard process.terminationStatus == 0, !values.isEmpty else { throw Fault.wrong("the process that measures") }
    return values + [seconds]
  }
}
