// SPDX-License-Identifier: Apache-2.0

import BusModel
import Logging

extension ConfigurationKey {
  /// The whole file, as a section without a name.
  static let file = ConfigurationKey.section("", .needed, "bus-migrator's configuration.", all)

  /// What may stand at the top of the file.
  static let all: [ConfigurationKey] = [
    .value(
      "environment", .text, .needed,
      "Which world this is about: test, qa, production. Shown in every screen and report. The history and the register's cache are stamped with it, and those of another environment are refused: test HER-IDs and those of production have the same numbers."
    ),
    .entries(
      "buses", .needed,
      "The buses. A party's address in the register says by its host which one it is on; source and target are roles that the pulje file gives.",
      bus),
    .section("ping", .needed, "Pings: an own HER-ID that they come from, and what all systems have agreed on.", ping),
    .section("register", .needed, "The address register (AR).", register),
    .value(
      "state-directory", .path, .otherwise("database and socket are named one by one"),
      "Where the history (migration.sqlite) and the control socket (control.sock) are, unless named one by one."),
    .value("database", .path, .otherwise("migration.sqlite in state-directory"), "The history."),
    .value(
      "socket", .path, .otherwise("control.sock in state-directory"),
      "The control socket. With bus-migrator.socket it is systemd's, and has to be the one that it names."),
    .value(
      "echo-socket", .path, .otherwise("no such socket"),
      "A socket for pingers: it hands over answers to pings and takes no command. Every login that may pass its folder may use it."
    ),
    .section(
      "timings", .otherwise("every value as below"), "The daemon's own limits. What concerns one pulje stands in the pulje file.",
      timings),
    .section(
      "limits", .otherwise("no bound"), "How often the register and each bus may be asked, by daemon and plan alike.", limits),
    .section(
      "audit-heads", .otherwise("every value as below"),
      "The head of the history's chain, written outside the database: at the start, every so often, when the daemon stops.",
      auditHeads),
    .section(
      "reports", .usual("on"),
      "Reports are written when a pulje comes to its decision, and again at its end: HTML and JSON; PDF where weasyprint is installed. reports: off for none.",
      reports),
    .section(
      "retention", .otherwise("every value as below"),
      "How long is kept what may be thrown away (docs/privacy.md). Nothing is ever taken out of the history: its chain cannot lose a link.",
      retention),
    .entries(
      "hooks", .otherwise("none"),
      "Programs of your own that puljer may ask before each cut-over and at other steps (hooks in the pulje file). The question comes as JSON on standard input; exit code 0 assents, 1 vetoes, anything else is no answer.",
      hook),
    .section(
      "tell", .otherwise("nobody is told"),
      "Who is told when something is wrong, or waits for a person: once when it begins, once when it ends (docs/monitoring.md).",
      tell),
    .section(
      "api", .otherwise("nothing listens on TCP"),
      "The control interface over TCP, always with TLS, for programs on other machines; docs/operations.md says who may what.",
      api),
    .value(
      "log-level", .choice(Logger.Level.allCases.map(\.rawValue)), .usual("info"),
      "From which level on there is a line in the log."),
  ]

  private static let timings: [ConfigurationKey] = [
    .value("concurrent-groups", .count, .usual("16"), "Groups that are worked on at once."),
    .value("concurrent-writes", .count, .usual("4"), "Of these, register writes at once."),
    .value(
      "retry-base", .span, .usual("2s"),
      "After a failure the next try comes after this, doubled each time up to retry-cap, less a random part of up to half."),
    .value("retry-cap", .span, .usual("2m"), "The longest time between two tries."),
    .value(
      "handed-over-interval", .span, .usual("30s"), "A register entry that a person is to change by hand is looked at this often."
    ),
    .value("read-deadline", .span, .usual("40s"), "A read of the register that takes longer has failed."),
    .value("write-deadline", .span, .usual("60s"), "A write that takes longer has an unknown outcome, and is read back."),
    .value("probe-deadline", .span, .usual("2m"), "A look at a bus that takes longer has failed."),
    .value("hook-deadline", .span, .usual("30s"), "A hook that takes longer has given no answer."),
  ]

  private static let limits: [ConfigurationKey] = [
    .value("register", .rate, .otherwise("no bound"), "Calls to the register. A write counts as three."),
    .value("bus", .rate, .otherwise("no bound"), "Calls to each bus."),
  ]

  private static let auditHeads: [ConfigurationKey] = [
    .value(
      "file", .path, .otherwise("the database's path with .heads behind it"),
      "Best on another machine: bus-migrator audit verify --head FILE checks the history against it."),
    .value("every", .span, .usual("1h"), "A second or longer."),
  ]

  private static let reports: [ConfigurationKey] = [
    .value("folder", .path, .otherwise("the folder reports beside the database"), "Where they are written."),
    .list("languages", .choice(["nb", "en"]), .usual("nb, en"), "In which languages."),
  ]

  private static let retention: [ConfigurationKey] = [
    .value(
      "reports", .span, .otherwise("until a person removes them"),
      "The daemon removes what it wrote itself, so long after a pulje's end; at least 30d."),
    .value("told", .span, .usual("30d"), "What people were told of, once it is over; at least 3d, for which a message is tried."),
    .value(
      "history", .span, .otherwise("nobody is reminded"),
      "So long after the last pulje's end bus-migrator doctor says that history and back-ups are to be erased by a person, and how."
    ),
  ]

  private static let hook: [ConfigurationKey] = [
    .value("name", .text, .needed, "As pulje files name it."),
    .value("run", .path, .needed, "The program."),
    .list("arguments", .text, .otherwise("none"), "What it is started with."),
  ]
}
