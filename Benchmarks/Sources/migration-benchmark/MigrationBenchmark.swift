// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The migration's figures: how long `plan`, `status` and a start take with tens of thousands of parties and millions of events, and what
/// bounds a cut-over. Prints one line a figure: what was measured, the aim, whether it is met.
///
/// Arguments: rows (plan, history, start, status, cutover, limited; all but limited by default) and, as NAME=VALUE, `events` (10,000,000),
/// `folder` (where the history is made and kept; it is made once), `parties` of a pulje (5,000) and `rate`, calls of the register a second
/// (100).
@main
struct MigrationBenchmark {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.first == "fresh", arguments.count == 3 { return try await FreshProcess.run(arguments[1], path: arguments[2]) }
    var values: [String: String] = [:]
    for argument in arguments {
      let parts = argument.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
    }
    let named = arguments.filter { !$0.contains("=") }
    let rows = named.isEmpty ? ["plan", "history", "start", "status", "cutover"] : named
    let folder = URL(fileURLWithPath: values["folder"] ?? NSTemporaryDirectory() + "migration-benchmark")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let parties = values["parties"].flatMap(Int.init) ?? 5_000
    let history = HistoryFile(
      path: folder.appendingPathComponent("history.sqlite").path, events: values["events"].flatMap(Int64.init) ?? 10_000_000,
      parties: parties)
    if rows.contains("plan") { try await PlanRow.measure(folder: folder) }
    if rows.contains("history") { try await history.make() }
    if rows.contains("start") { try await StartRow.measure(history) }
    if rows.contains("status") { try await StatusRow.measure(history) }
    if rows.contains("cutover") { try await CutoverRow.measure(parties: parties, rate: nil, folder: folder) }
    if rows.contains("limited") {
      try await CutoverRow.measure(parties: parties, rate: values["rate"].flatMap(Int64.init) ?? 100, folder: folder)
    }
  }

  static func time<Result>(_ body: () async throws -> Result) async rethrows -> (seconds: Double, result: Result) {
    let start = ContinuousClock.now
    let result = try await body()
    return ((ContinuousClock.now - start) / .seconds(1), result)
  }

  /// What the whole process got of the cores so far, in seconds.
  static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The most that was ever resident of this process, in MB: everything, the program's own pages too.
  static var peakMegabytes: Double {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Double($0) } ?? 0) / 1_024
  }

  static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  static func text(_ seconds: Double) -> String {
    String(format: seconds < 1 ? "%.1f ms" : "%.2f s", seconds < 1 ? seconds * 1_000 : seconds)
  }

  static func spread(_ values: [Double]) -> String { "rounds " + values.sorted().map(Self.text).joined(separator: ", ") }

  static func report(_ what: String, _ seen: String, aim: String, met: Bool) {
    print("\(met ? "met " : "MISS") \(what): \(seen) (aim \(aim))")
  }

  static func note(_ text: String) {
    print("     \(text)")
    fflush(nil)
  }
}
