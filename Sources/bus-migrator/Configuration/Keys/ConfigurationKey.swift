// SPDX-License-Identifier: Apache-2.0

/// One key of the configuration: what it means, what it holds and in what unit, and what holds without it.
///
/// ``all`` is the one place that says which keys there are. The reader knows no others, takes what holds without a key from here, and the names of
/// environment variables, `config keys` and docs/configuration.md are made of it: a key without its words does not exist.
struct ConfigurationKey: Sendable {
  /// What stands behind the colon.
  indirect enum Content: Sendable {
    case value(Value, Absence)
    /// Values of one kind; separated by commas where they do not come from the file.
    case list(Value, Absence)
    case section([ConfigurationKey], Absence)
    /// A list of sections, each found by its `name`, which stands once.
    case entries([ConfigurationKey], Absence)
    /// A list of sections in an order that matters.
    case sequence([ConfigurationKey], Absence)
    /// Names that the file's writer chooses, each with a text.
    case names(Absence)
  }

  /// What holds where the key is left out.
  enum Absence: Sendable, Hashable {
    /// Nothing does: it is an error.
    case needed
    /// This, as it would be written.
    case usual(String)
    /// What these words say.
    case otherwise(String)
  }

  /// A kind of value, with its unit.
  enum Value: Sendable, Hashable {
    case text, path, url, flag, count, span, rate, herID, timeOfDay, day
    case choice([String])
    /// Never shown; taken from the file only, where other people cannot see it.
    case secret
    /// The name of a file in the folder that systemd's `LoadCredential=` fills.
    case credential

    var words: String {
      switch self {
      case .text: "text"
      case .path: "path; one that does not begin with / is meant from the configuration file's folder"
      case .url: "address (URL)"
      case .flag: "true or false"
      case .count: "whole number"
      case .span: "time with its unit: 14d, 24h, 30m, 90s, 250ms"
      case .rate: "calls in a time: 10/s, 300/m, 5000/h"
      case .herID: "HER-ID"
      case .timeOfDay: "time of day in Norway, 03:00; or off"
      case .day: "day, 2027-01-31"
      case .choice(let choices): choices.joined(separator: ", ")
      case .secret: "secret"
      case .credential: "name of a systemd credential"
      }
    }
  }

  var name: String
  var content: Content
  /// What it is, in a sentence or a few.
  var meaning: String

  static func value(_ name: String, _ value: Value, _ absence: Absence, _ meaning: String) -> ConfigurationKey {
    ConfigurationKey(name: name, content: .value(value, absence), meaning: meaning)
  }

  static func list(_ name: String, _ value: Value, _ absence: Absence, _ meaning: String) -> ConfigurationKey {
    ConfigurationKey(name: name, content: .list(value, absence), meaning: meaning)
  }

  static func section(_ name: String, _ absence: Absence, _ meaning: String, _ keys: [ConfigurationKey]) -> ConfigurationKey {
    ConfigurationKey(name: name, content: .section(keys, absence), meaning: meaning)
  }

  static func entries(_ name: String, _ absence: Absence, _ meaning: String, _ keys: [ConfigurationKey]) -> ConfigurationKey {
    ConfigurationKey(name: name, content: .entries(keys, absence), meaning: meaning)
  }

  /// The three ways to give a secret, of which one is taken.
  static func secret(_ name: String, _ absence: Absence, _ meaning: String) -> [ConfigurationKey] {
    let another: Absence = .otherwise("one of \(name), \(name)-file and \(name)-credential is given")
    return [
      .value(name, .secret, absence == .needed ? another : absence, "\(meaning) In this file; for tests only."),
      .value("\(name)-file", .path, another, "\(meaning) A file that holds it and nothing else (mode 0600)."),
      .value("\(name)-credential", .credential, another, "\(meaning) A systemd credential (LoadCredential=)."),
    ]
  }
}

extension ConfigurationKey {
  var absence: Absence {
    switch self.content {
    case .value(_, let absence), .list(_, let absence), .section(_, let absence), .entries(_, let absence),
      .sequence(_, let absence),
      .names(let absence):
      absence
    }
  }

  /// The keys below it; of a list of sections, those of each.
  var below: [ConfigurationKey] {
    switch self.content {
    case .section(let keys, _), .entries(let keys, _), .sequence(let keys, _): keys
    case .value, .list, .names: []
    }
  }

  /// Whether the environment and the command line may give it. Secrets are the file's: other users see a command line, and everything that a program
  /// starts sees its environment. An entry's name is how it is found.
  var isSettable: Bool {
    switch self.content {
    case .value(.secret, _), .entries, .sequence, .names: false
    case .section(_, .usual): true
    case .section: false
    case .value, .list: self.name != "name"
    }
  }
}
