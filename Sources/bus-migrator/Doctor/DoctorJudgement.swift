// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationStore

/// What is made of what was seen. Pure.
enum DoctorJudgement {
  static let leastRoom: Int64 = 1 << 30
  /// The unit makes one every six hours; a night's failure shows before the next is due.
  static let oldestBackup = TimeSpan.hours(13)
  static let expiryWarning = TimeSpan.hours(30 * 24)

  /// - Parameters:
  ///   - free: bytes.
  ///   - history: bytes of the database. A back-up and a restore need as much once more, beside what grows.
  static func disk(free: Int64, history: Int64) -> DoctorFinding {
    let seen = "\(Self.size(free)) free, the history is \(Self.size(history))"
    guard free < max(Self.leastRoom, 2 * history) else { return .fine(.disk, seen) }
    return .wrong(
      .disk, seen, next: "Make room: on a full disk no intent can be kept, so nothing is written to the register either.",
      owner: .host)
  }

  static func backup(_ newest: HistoryBackup?, environment: String, head: Int64?, now: Instant, folder: String) -> DoctorFinding {
    let timer = "systemctl enable --now bus-migrator-backup.timer"
    guard let newest else {
      if head == nil { return .fine(.backups, "none in \(folder), and no history yet either") }
      return .wrong(.backups, "none in \(folder)", next: "bus-migrator backup --to \(folder); then \(timer)", owner: .host)
    }
    if let theirs = newest.environment, theirs != environment {
      return .wrong(
        .backups, "the newest in \(folder) is of the environment \(theirs)",
        next: "Keep each environment's in a folder of its own.",
        owner: .caller)
    }
    let seen = "the newest was made \(newest.madeAt), with \(newest.head.sequence) events"
    guard now <= newest.madeAt + Self.oldestBackup else {
      return .wrong(.backups, seen, next: "systemctl status bus-migrator-backup.service; \(timer)", owner: .host)
    }
    return .fine(.backups, seen)
  }

  /// - Parameters:
  ///   - last: the last head that was kept outside.
  ///   - head: the history's.
  static func heads(last: ChainHead?, head: ChainHead, file: String) -> DoctorFinding {
    guard let last else {
      return .notice(.heads, "none in \(file)", next: "The daemon writes the first when it starts.")
    }
    guard last.sequence <= head.sequence, last.sequence < head.sequence || last.hash == head.hash else {
      return .wrong(
        .heads, "the last kept is of event \(last.sequence), and the history ends at \(head.sequence) otherwise",
        next: "Start nothing. bus-migrator audit verify --head \(file); then docs/disaster.en.md.", owner: .host)
    }
    return .fine(.heads, "the last kept is of event \(last.sequence) of \(head.sequence); audit verify --head looks at all")
  }

  /// - Parameter what: whose end it is, such as a token's name.
  static func expiry(_ what: String, at end: Instant, now: Instant) -> DoctorFinding {
    if end <= now {
      return .wrong(.interface, "\(what) ran out \(end)", next: "Give a new one; a reload takes it up.", owner: .caller)
    }
    guard end <= now + Self.expiryWarning else { return .fine(.interface, "\(what) counts until \(end)") }
    return .notice(.interface, "\(what) runs out \(end)", next: "Give a new one in time; a reload takes it up.")
  }

  /// - Parameters:
  ///   - ended: when the last pulje ended; nil while one is open, or there was none.
  ///   - kept: `retention.history`.
  static func retention(ended: Instant?, kept: TimeSpan?, now: Instant) -> DoctorFinding {
    guard let kept else {
      return .notice(
        .retention, "nobody has said how long the history is kept",
        next: "retention.history in the configuration (docs/privacy.md).")
    }
    guard let ended, ended + kept <= now else {
      return .fine(.retention, "the history is kept until \(kept) after the last pulje's end")
    }
    return .notice(
      .retention, "the last pulje ended \(ended), and the history was to be kept for \(kept)",
      next: "Erase history, reports, heads and back-ups, on other machines too: docs/privacy.md, Erasing.")
  }

  /// - Parameter word: what `timedatectl` says of NTPSynchronized.
  static func clock(_ word: String) -> DoctorFinding {
    switch word {
    case "yes": .fine(.clock, "it is")
    case "no":
      .wrong(.clock, "it is not", next: "timedatectl set-ntp true: windows, watches and certificates go by it.", owner: .host)
    default: .skipped(.clock, "timedatectl says: \(word)")
    }
  }

  /// - Parameters:
  ///   - active: what `systemctl is-active` says.
  ///   - enabled: what `systemctl is-enabled` says.
  static func unit(_ name: String, active: String, enabled: String) -> DoctorFinding {
    if active.hasPrefix("not known") { return .skipped(.units, active, about: name) }
    if active == "active", enabled.hasPrefix("enabled") || enabled == "static" {
      return .fine(.units, "active, \(enabled)", about: name)
    }
    let seen = "\(active), \(enabled)"
    if active == "failed" {
      return .wrong(.units, seen, next: "journalctl -u \(name) tells why", owner: .host, about: name)
    }
    return .wrong(.units, seen, next: "systemctl enable --now \(name)", owner: .host, about: name)
  }

  /// - Parameters:
  ///   - others: paths that more than their owner may read, with their mode.
  ///   - unseen: files that are not there, or lie where this user may not look.
  static func secrets(looked: Int, others: [(path: String, mode: Int)], unseen: [String]) -> DoctorFinding {
    guard others.isEmpty else {
      let list = others.map { "\($0.path) (mode \(String($0.mode, radix: 8)))" }.joined(separator: ", ")
      return .wrong(
        .secrets, list,
        next: "chmod 600 \(others.map(\.path).joined(separator: " ")); whoever may have read them: give new ones.",
        owner: .host)
    }
    guard unseen.isEmpty else {
      return .skipped(
        .secrets, "\(looked) are; not to be seen by this user, or not there: \(unseen.joined(separator: ", "))",
        next: "Run it as root.")
    }
    return .fine(.secrets, looked == 0 ? "none is named as a file; credentials are systemd's" : "\(looked) looked at")
  }

  static func size(_ bytes: Int64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
    return unit == 0 ? "\(bytes) B" : String(format: "%.1f %@", value, units[unit])
  }
}
