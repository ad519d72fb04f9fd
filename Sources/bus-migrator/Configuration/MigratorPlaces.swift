// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration

/// Where the daemon's history and socket are. Read without the secrets that stand in the same file: whoever asks the daemon something, or looks at
/// the history, has no need of them, and on an installed machine cannot read them.
struct MigratorPlaces {
  var database: String
  var socket: String
  var heads: MigratorConfiguration.Heads
  var environment: EnvironmentName
  /// Where the daemon writes reports; nil for nowhere.
  var reports: ReportKeeper.Settings?
  /// How long after the last pulje's end the history is to be kept; nil where nobody has said so.
  var historyKept: TimeSpan?

  /// - Parameters:
  ///   - database: overrides the file's.
  ///   - socket: overrides the file's.
  static func read(_ source: ConfigurationSource, database: String? = nil, socket: String? = nil) throws -> MigratorPlaces {
    try MigratorPlaces(source.root().mapping(), database: database, socket: socket)
  }

  init(_ fields: ConfigurationNode.Fields, database: String?, socket: String?) throws {
    let root = fields.of
    let folder = try fields.optional("state-directory").map { try $0.absolutePath }
    func path(_ key: String, _ override: String?, _ name: String) throws -> String {
      if let override { return override }
      if let node = fields.optional(key) { return try node.absolutePath }
      guard let folder else { throw CommandLineError.keyMissing(place: root.place, key: "\(key), or state-directory") }
      return folder + "/" + name
    }
    self.database = try path("database", database, "migration.sqlite")
    self.socket = try path("socket", socket, "control.sock")
    self.environment = try EnvironmentName(fields.required("environment"))
    self.reports = try MigratorConfiguration.reports(fields, besideDatabase: self.database)
    self.historyKept = try fields.section("retention").optional("history")?.span
    self.heads = try MigratorConfiguration.heads(fields.section("audit-heads"), database: self.database)
  }
}
