// SPDX-License-Identifier: Apache-2.0

import BusModel

/// `drain --bus` for people. Pure.
public enum BusDrainText {
  public static func text(_ drain: BusDrain) -> String {
    var lines = ["bus \(drain.bus) (\(drain.dialect.rawValue)), looked at \(drain.lookedAt)"]
    if let countedAt = drain.countedAt {
      let late = drain.lateBy.map { $0 > 0 ? "; the bus's counters may be \($0 / 1_000) s late" : "" } ?? ""
      lines.append("counted for this answer, at \(countedAt)\(late)")
    }
    if let all = drain.queuesInAll {
      lines.append("\(all) queues, \(drain.queues.count) with anything in them or anyone on them")
    } else {
      lines.append("its queues could not be listed")
    }
    if !drain.queues.isEmpty {
      var table = TextTable([
        ("QUEUE", .left), ("MESSAGES", .right), ("DEAD", .right), ("LISTEN", .right), ("WHOSE", .left), ("VENDOR", .left),
        ("STANDS", .left),
      ])
      for queue in drain.queues { table.add(Self.cells(queue)) }
      lines += [""] + table.lines
    }
    let closing = drain.closing
    lines += ["", closing.text]
    if drain.obstacles.isEmpty {
      lines += ["", "nothing stands between now and switching it off (bus-migrator close-bus \(drain.bus))"]
    } else {
      lines += ["", "stands between now and switching it off:"] + drain.obstacles.map { "  - \($0)" }
    }
    return lines.joined(separator: "\n")
  }

  private static func cells(_ queue: BusDrain.Queue) -> [String] {
    let owner = queue.owners.first
    var whose = owner.map { "HER-ID \($0.herID)\($0.name.map { " \($0)" } ?? "")" } ?? "nobody known"
    if owner?.by == .name { whose += " (by its name only)" }
    if queue.owners.count > 1 { whose += " and \(queue.owners.count - 1) more" }
    let stands = [owner?.phase?.rawValue, queue.isStranded ? "NOBODY FETCHES" : nil, queue.seen].compactMap { $0 }
    return [
      queue.name, queue.messages.map(String.init) ?? "?", "\(queue.deadLettered)", queue.consumers.map(String.init) ?? "?", whose,
      owner?.vendor ?? "", stands.joined(separator: ", "),
    ]
  }
}
