// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Tables that a pulje file may refer to.
enum PuljeTables {
  private static func flag(_ text: String) -> Bool? { ["true": true, "false": false][text.lowercased()] }
  private static let flagWanted = "true or false"

  /// Parties as CSV: `her-id` and, as far as they are there, `vendor`, `listens`, `start-confirmed`, `wave`, `amqp-1-0`, `bus-user`. An
  /// empty cell is what the pulje file's defaults say.
  static func parties(_ path: String, usual: PuljeFile.Usual) throws -> [PuljeRequest.Party] {
    let columns = ["her-id", "vendor", "listens", "start-confirmed", "wave", "amqp-1-0", "bus-user"]
    return try TableFile.rows(path, columns: columns, required: ["her-id"]).map { row in
      _ = try row.required("her-id")
      let read = try row.optional("her-id", wanted: "a HER-ID: digits only, greater than zero") { try? HerID(text: $0) }
      guard let herID = read, let vendor = row.optional("vendor") ?? usual.vendor else {
        throw CommandLineError.keyMissing(place: "\(path), line \(row.line)", key: "vendor")
      }
      let listens = try row.optional("listens", wanted: "both or one") { PuljeRequest.Party.Listens(rawValue: $0) }
      var party = PuljeRequest.Party(
        herID: herID, vendor: vendor, listens: listens ?? usual.listens,
        startConfirmed: try row.optional("start-confirmed", wanted: Self.flagWanted, Self.flag) ?? usual.startConfirmed)
      party.wave = try row.optional("wave", wanted: "a whole number from 1") { Int($0).flatMap { $0 >= 1 ? $0 : nil } }
      party.speaksAMQP10 = try row.optional("amqp-1-0", wanted: Self.flagWanted, Self.flag)
      party.busUser = row.optional("bus-user")
      return party
    }
  }

  /// What vendors say their systems run: `vendor` or `her-id`, `library`, and `version` and `updated` as far as they are known.
  static func libraries(_ path: String) throws -> [LibrarySighting] {
    let columns = ["vendor", "her-id", "library", "version", "updated"]
    return try TableFile.rows(path, columns: columns, required: ["library"]).map { row in
      let herID = try row.optional("her-id", wanted: "a HER-ID: digits only, greater than zero") { try? HerID(text: $0) }
      let vendor = row.optional("vendor")
      guard herID != nil || vendor != nil else {
        throw CommandLineError.keyMissing(place: "\(path), line \(row.line)", key: "vendor, or her-id")
      }
      return LibrarySighting(
        herID: herID, vendor: vendor, library: try row.required("library"), version: row.optional("version"),
        updated: try row.optional("updated", wanted: "a day such as 2026-12-24") { LocalDate(text: $0) }, source: .vendorList)
    }
  }
}
