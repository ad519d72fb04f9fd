// SPDX-License-Identifier: Apache-2.0

/// A key with all that is to be said of it, for people who write configurations.
struct ConfigurationKeyEntry: Encodable {
  /// With its sections before it; NAME stands for the name of an entry.
  var key: String
  /// What it holds, with its unit.
  var holds: String
  /// What holds without it, as it would be written; nil where these are words, or nothing does.
  var usual: String?
  /// What holds without it, in words.
  var without: String
  var isNeeded: Bool
  /// The environment variable that gives it; nil where the file alone does.
  var variable: String?
  /// Whether a reload takes it up; everything else needs a restart.
  var isReloadable: Bool
  var meaning: String

  static func all() -> [ConfigurationKeyEntry] { ConfigurationKey.file.below.flatMap { Self.below("", $0) } }

  private static func below(_ before: String, _ key: ConfigurationKey) -> [ConfigurationKeyEntry] {
    let name = before.isEmpty ? key.name : "\(before).\(key.name)"
    let isReloadable = MigratorConfiguration.reloadable.contains(String(name.prefix { $0 != "." }))
    let variable = ([ConfigurationSource.prefix] + name.split(separator: ".").map { SettablePlace.encoded(String($0)) })
      .joined(separator: "_")
    let isSettable = key.isSettable && !name.contains("#")
    let entry = ConfigurationKeyEntry(
      key: name, holds: key.content.words, usual: key.absence.usual, without: key.absence.words, isNeeded: key.absence == .needed,
      variable: isSettable ? variable : nil, isReloadable: isReloadable, meaning: key.meaning)
    let step =
      switch key.content {
      case .entries: "\(name).NAME"
      // By their place; the file alone gives them.
      case .sequence: "\(name).#"
      default: name
      }
    return [entry] + key.below.flatMap { Self.below(step, $0) }
  }

  var text: String {
    let variable = self.variable.map { "\n  environment: \($0)" } ?? ""
    return """
      \(self.key)
        \(self.meaning)
        holds: \(self.holds)
        without it: \(self.without)\(variable)
      """
  }

  /// The page docs/configuration.md: a table for each key at the top.
  static func markdown(_ entries: [ConfigurationKeyEntry]) -> String {
    var lines = Self.head.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var section = ""
    for entry in entries {
      let top = String(entry.key.prefix { $0 != "." })
      let heading = entries.contains { $0.key.hasPrefix(top + ".") } ? top : "At the top"
      if heading != section {
        section = heading
        lines += [
          "", heading == top ? "## `\(top)`" : "## \(heading)", "", "| key | holds | without it | what it means |",
          "| --- | --- | --- | --- |",
        ]
      }
      func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
      let usual = entry.usual.map { "`\($0)`" } ?? entry.without
      lines.append("| `\(entry.key)` | \(cell(entry.holds)) | \(cell(usual)) | \(cell(entry.meaning)) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let head = """
    # The configuration of bus-migrator

    Made by `bus-migrator config keys --markdown`. What holds comes from three places, the later over the earlier:

    1. **The file**: `--config FILE`, else `BUS_MIGRATOR_CONFIG`, else `/etc/bus-migrator/bus-migrator.yaml`. `config/bus-migrator.example.yaml` is one with comments.
    2. **The environment**: `BUS_MIGRATOR_SET_` and the key in capitals, with `_` for everything that is no letter or digit: `BUS_MIGRATOR_SET_PING_TIMEOUT=20s` is `ping.timeout`.
    3. **The command line**: `--set ping.timeout=20s`, as often as needed.

    The last two give single values. An entry of a list goes by its name, which the file gives: `--set buses.tjenestebuss.path=NHN`. Lists are separated by commas. Paths in them are
    meant from where the program was started. **Secrets come from the file alone**, best by `-file` or `-credential`: other people see a command line, and every program that is
    started sees the environment.

    A key, variable or setting that is not known is an error (CLI-003, CLI-029) that names the one that was probably meant. `bus-migrator config check` reads all as the daemon does
    and tells what is wrong with file and line; `bus-migrator config show --all` shows every value with where it comes from, without secrets.

    `systemctl reload bus-migrator` takes up \(Self.reloadable); everything else needs a restart, which the log then says.
    """

  private static var reloadable: String { MigratorConfiguration.reloadable.sorted().map { "`\($0)`" }.joined(separator: ", ") }
}

extension ConfigurationKey.Absence {
  var usual: String? {
    guard case .usual(let usual) = self else { return nil }
    return usual
  }

  var words: String {
    switch self {
    case .needed: "it is an error"
    case .usual(let usual): usual
    case .otherwise(let words): words
    }
  }
}

extension ConfigurationKey.Content {
  var words: String {
    switch self {
    case .value(let value, _): value.words
    case .list(let value, _): "list: \(value.words)"
    case .section(_, .usual): "on, off, or a section"
    case .section: "section"
    case .entries: "list of sections, each with its name"
    case .sequence: "list of sections, in order"
    case .names: "section of names of your own"
    }
  }
}
