// SPDX-License-Identifier: Apache-2.0

import Migration

/// Figures in the text format that Prometheus reads (0.0.4). Names and labels are stable; docs/monitoring.md lists them.
struct MetricsPage {
  enum Kind: String { case gauge, counter }

  private(set) var text = ""

  /// - Parameter samples: labels in order, and the value.
  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]) {
    guard !samples.isEmpty else { return }
    self.text += "# HELP bus_migrator_\(name) \(help)\n# TYPE bus_migrator_\(name) \(kind.rawValue)\n"
    for sample in samples {
      let labels = sample.labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
      self.text += "bus_migrator_\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(Self.number(sample.value))\n"
    }
  }

  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) { self.add(name, kind, help, [([], value)]) }

  static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }
}

/// All that is shown of a running daemon.
struct MetricsPicture {
  struct Process {
    var startedAt: Instant
    var residentBytes: Int?
    var openDescriptors: Int?
    var processorSeconds: Double?
  }

  var now: Instant
  var version: String
  var environment: String?
  var isRecovered: Bool
  var sequence: Int64
  var starts: Int
  var isLineStopped: Bool
  var puljer: [PuljeFigures]
  var spent: SpendingTally
  var conditions: [StandingCondition]
  /// What is still to be told, by channel.
  var untold: [String: Int]
  var process: Process

  var page: String {
    var page = MetricsPage()
    page.add(
      "info", .gauge, "What runs here.", [([("version", self.version), ("environment", self.environment ?? "")], 1)])
    page.add("recovered", .gauge, "1 when the history is read and commands are taken.", self.isRecovered ? 1 : 0)
    page.add("history_events_total", .counter, "Events in the history.", Double(self.sequence))
    page.add("starts_total", .counter, "How often the daemon has started on this history.", Double(self.starts))
    page.add("line_stopped", .gauge, "1 while the line is stopped: nothing is written anywhere.", self.isLineStopped ? 1 : 0)
    self.addPuljer(to: &page)
    self.addConditions(to: &page)
    page.add(
      "process_start_time_seconds", .gauge, "When the daemon started, in seconds since 1970 UTC.",
      Self.seconds(self.process.startedAt))
    if let bytes = self.process.residentBytes {
      page.add("process_resident_memory_bytes", .gauge, "Memory of the daemon.", Double(bytes))
    }
    if let count = self.process.openDescriptors { page.add("process_open_fds", .gauge, "Open descriptors.", Double(count)) }
    if let seconds = self.process.processorSeconds {
      page.add("process_cpu_seconds_total", .counter, "Processor time of the daemon.", seconds)
    }
    return page.text
  }

  private static func seconds(_ at: Instant) -> Double { Double(at.milliseconds) / 1_000 }

  private func addPuljer(to page: inout MetricsPage) {
    func each(_ value: (PuljeFigures) -> Double?) -> [(labels: [(String, String)], value: Double)] {
      self.puljer.compactMap { pulje in value(pulje).map { ([("pulje", pulje.name.text)], $0) } }
    }
    func each<Key: Hashable>(
      _ values: KeyPath<PuljeFigures, [Key: Int]>, _ keys: [Key], _ label: (Key) -> (String, String)
    ) -> [(labels: [(String, String)], value: Double)] {
      self.puljer.flatMap { pulje in
        keys.compactMap { key in pulje[keyPath: values][key].map { ([("pulje", pulje.name.text), label(key)], Double($0)) } }
      }
    }
    page.add(
      "pulje_phase", .gauge, "1 for the phase that the pulje is in.",
      self.puljer.map { ([("pulje", $0.name.text), ("phase", $0.phase.rawValue)], 1) })
    page.add(
      "groups", .gauge, "Groups that stand in a phase.", each(\.groups, GroupPhase.allCases) { ("phase", $0.rawValue) })
    page.add(
      "parties", .gauge, "Parties (HER-IDs) that stand in a phase.",
      each(\.parties, GroupPhase.allCases) { ("phase", $0.rawValue) })
    page.add(
      "groups_waiting", .gauge, "Groups that wait, by what for.",
      self.puljer.flatMap { pulje in
        pulje.waits.sorted { $0.key.code.rawValue < $1.key.code.rawValue }.map { wait, count in
          ([("pulje", pulje.name.text), ("code", wait.code.rawValue), ("waits_for", wait.spending.rawValue)], Double(count))
        }
      })
    page.add(
      "group_seconds_total", .counter, "Group-seconds since the daemon's start: working, waiting for time, waiting for a person.",
      self.spent.seconds.sorted { $0.key < $1.key }.flatMap { pulje, spent in
        Spending.allCases.compactMap { spending in
          spent[spending].map { ([("pulje", pulje.text), ("spent", spending.rawValue)], $0) }
        }
      })
    page.add(
      "way_back", .gauge, "Groups by the light that says whether going back would work now.",
      each(\.lights, WayBack.Light.allCases) { ("light", $0.rawValue) })
    page.add(
      "way_back_ready", .gauge, "1 when no group's way back is closed.", each { ($0.lights[.red] ?? 0) == 0 ? 1 : 0 })
    page.add("leftover_messages", .gauge, "Messages on the queues being left, at the last looks.", each { Double($0.leftovers) })
    page.add(
      "oldest_leftover_seconds", .gauge, "Age of the oldest message seen on a queue being left.",
      each { pulje in pulje.oldestLeftover.map { Double(max(0, self.now.since($0).milliseconds)) / 1_000 } })
    page.add("new_dead_letters", .gauge, "Dead letters more than before the cut.", each { Double($0.newDeadLetters) })
    page.add(
      "late_arrivals", .gauge, "How often something came to the queues being left after a quiet start.",
      each { Double($0.lateArrivals) })
    page.add(
      "unreadable_groups", .gauge, "Groups whose counters could not be read at the last look.", each { Double($0.unreadableNow) })
    page.add("ping_failures", .gauge, "Pings in a row that were not answered, over all groups.", each { Double($0.pingFailures) })
  }

  private func addConditions(to page: inout MetricsPage) {
    struct Kind: Hashable {
      var code: String
      var pulje: String
      var weight: String
    }
    let kinds = Dictionary(grouping: self.conditions) {
      Kind(code: $0.key.code, pulje: $0.key.pulje?.text ?? "", weight: $0.weight.rawValue)
    }.sorted { ($0.key.pulje, $0.key.code, $0.key.weight) < ($1.key.pulje, $1.key.code, $1.key.weight) }
    func labels(_ kind: Kind) -> [(String, String)] { [("pulje", kind.pulje), ("code", kind.code), ("weight", kind.weight)] }
    page.add(
      "conditions", .gauge, "What is wrong or waits for a person now.", kinds.map { (labels($0.key), Double($0.value.count)) })
    page.add(
      "condition_since_seconds", .gauge, "Since when the oldest of them stands, in seconds since 1970 UTC.",
      kinds.map { kind in (labels(kind.key), kind.value.map { Self.seconds($0.since) }.min() ?? 0) })
    page.add(
      "untold", .gauge, "Messages that are still to be told, by channel.",
      self.untold.sorted { $0.key < $1.key }.map { ([("channel", $0.key)], Double($0.value)) })
  }
}
