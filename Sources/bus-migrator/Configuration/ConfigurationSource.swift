// SPDX-License-Identifier: Apache-2.0

import Configuration
import Foundation
import Synchronization
import Yams

/// Where the configuration comes from: the file, the environment over it, the command line over both.
///
/// The file stays the ground: lists such as the buses stand there alone, and what is wrong in it is told by its line, which the library's own reader
/// of YAML cannot do. Single values may be given otherwise; swift-configuration finds them and says which layer gave them.
struct ConfigurationSource: Sendable {
  static let usualFile = "/etc/bus-migrator/bus-migrator.yaml"
  /// Names the file, where `--config` does not.
  static let fileVariable = "BUS_MIGRATOR_CONFIG"
  /// Behind it the key, in capitals, with `_` for everything that is no letter or digit.
  static let prefix = "BUS_MIGRATOR_SET"

  var file: String
  /// `KEY=VALUE`, as `--set` gives them.
  var settings: [String]
  var environment: [String: String]
  /// Where the program was started.
  var folder: String

  init(
    file: String? = nil, settings: [String] = [], environment: [String: String] = ProcessInfo.processInfo.environment,
    folder: String = FileManager.default.currentDirectoryPath
  ) {
    let named = environment[Self.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
    self.file = file ?? named ?? Self.usualFile
    self.settings = settings
    self.environment = environment
    self.folder = folder
  }

  /// Whether environment or command line name the file, or which world is meant.
  var namesFileOrEnvironment: Bool {
    self.environment[Self.fileVariable]?.isEmpty == false || self.environment[Self.prefix + "_ENVIRONMENT"] != nil
      || self.settings.contains { $0.hasPrefix("environment=") }
  }

  /// The configuration as it holds, not yet read for sense.
  ///
  /// - Throws: ``CommandLineError`` for a file that cannot be read, and for a variable or setting that names no key.
  func root() throws -> ConfigurationNode { try self.layered(over: ConfigurationNode.file(self.file, key: .file)) }

  /// - Parameter root: what the file says.
  func layered(over root: ConfigurationNode) throws -> ConfigurationNode {
    let places = SettablePlace.all(in: root)
    let given = try self.given(places)
    try self.checkVariables(places)
    let heard = HeardLayer()
    let reader = ConfigReader(
      providers: [
        InMemoryProvider(name: Self.commandLine, values: given),
        EnvironmentVariablesProvider(environmentVariables: self.environment.filter { $0.key.hasPrefix(Self.prefix) })
          .prefixKeys(with: ConfigKey(Self.prefix.lowercased().split(separator: "_").map(String.init))),
      ], accessReporter: heard)
    var layered = root
    for place in places {
      guard let text = reader.string(forKey: ConfigKey(place.configKey)) else { continue }
      let isCommandLine = heard.last?.contains(Self.commandLine) == true
      let node = ConfigurationKey.node(text, of: place.key)
      layered = ConfigurationNode(
        file: layered.file, path: layered.path, node: Self.setting(place.steps[...], to: node, in: layered.node),
        key: layered.key,
        origins: layered.origins)
      layered.origins[place.path] =
        isCommandLine
        ? .commandLine(folder: self.folder) : .environment(variable: place.variable, folder: self.folder)
    }
    return layered
  }

  private static let commandLine = "command line"

  private func given(_ places: [SettablePlace]) throws -> [AbsoluteConfigKey: ConfigValue] {
    let known = Dictionary(places.map { ($0.name, $0) }) { first, _ in first }
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    for setting in self.settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw CommandLineError.argumentWrong(
          name: "--set", seen: Self.shown(parts[0]), wanted: "KEY=VALUE, such as log-level=debug")
      }
      guard let place = known[parts[0]] else {
        throw CommandLineError.settingUnknown(
          place: "the command line, --set", name: Self.shown(parts[0]), known: known.keys.sorted(),
          isSecret: SettablePlace.isSecret(parts[0]))
      }
      let key = AbsoluteConfigKey(ConfigKey(place.configKey))
      guard values.updateValue(ConfigValue(.string(parts[1]), isSecret: false), forKey: key) == nil else {
        throw CommandLineError.argumentWrong(name: "--set", seen: "\(parts[0]) twice", wanted: "each key once")
      }
    }
    return values
  }

  /// A misspelt variable must not be passed over, as a misspelt key is not.
  private func checkVariables(_ places: [SettablePlace]) throws {
    let known = Dictionary(grouping: places, by: \.variable)
    for variable in self.environment.keys.sorted() where variable.hasPrefix(Self.prefix + "_") {
      guard known[variable] != nil else {
        throw CommandLineError.settingUnknown(
          place: "the environment", name: Self.shown(variable), known: known.keys.sorted(),
          isSecret: SettablePlace.isSecret(variable.lowercased()))
      }
      if let meant = known[variable], meant.count > 1 {
        throw CommandLineError.valueWrong(
          place: "the environment variable \(variable)", seen: "it may mean \(meant.map(\.name).joined(separator: " or "))",
          wanted: "it in the file, or with --set: names that differ in signs alone have one variable")
      }
      guard self.environment[variable]?.isEmpty == false else {
        throw CommandLineError.valueWrong(
          place: "the environment variable \(variable)", seen: "nothing", wanted: "a value, or leave the variable out")
      }
    }
  }

  /// A name as it may be shown: who forgets the key may have written a secret.
  private static func shown(_ name: String) -> String {
    let isName = name.utf8.count <= 120 && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    return isName && (name.contains(".") || name.contains("-") || name.contains("_"))
      ? name : "a text that names no key (not shown)"
  }

  private static func setting(_ steps: ArraySlice<SettablePlace.Step>, to value: Node, in node: Node) -> Node {
    guard let step = steps.first else { return value }
    switch (step, node) {
    case (.key(let key), .mapping(var mapping)):
      mapping[Node(key)] = Self.setting(steps.dropFirst(), to: value, in: mapping[Node(key)] ?? Node.mapping([:]))
      return .mapping(mapping)
    case (.key(let key), _):
      // What stood there was no section: off, or nothing.
      return .mapping([Node(key): Self.setting(steps.dropFirst(), to: value, in: Node.mapping([:]))])
    case (.index(let index), .sequence(var sequence)) where sequence.indices.contains(index):
      sequence[index] = Self.setting(steps.dropFirst(), to: value, in: sequence[index])
      return .sequence(sequence)
    case (.index, _): return node
    }
  }
}

/// Which layer gave the value that was asked for last. The reader tells it in the thread that asks.
private final class HeardLayer: AccessReporter {
  private let name = Mutex<String?>(nil)

  var last: String? { self.name.withLock { $0 } }

  func report(_ event: AccessEvent) {
    // Asked in order, until one has it.
    self.name.withLock { $0 = event.providerResults.last?.providerName }
  }
}
