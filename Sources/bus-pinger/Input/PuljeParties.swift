// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationStore

/// The parties of a pulje, from the daemon's database. It is read beside a daemon that may be writing it, and never changed.
enum PuljeParties {
  /// - Throws: `StoreError` when the database cannot be read; ``PingerError`` `noSuchPulje`.
  static func herIDs(of text: String, database path: String) async throws -> [String] {
    let history = try await SQLiteEventReader.open(path: path).load()
    guard let name = PuljeName(text), let pulje = history.state.puljer[name] else {
      let known = history.state.ordered.map(\.name.description).joined(separator: ", ")
      throw PingerError.noSuchPulje(name: String(text.prefix(80)), database: path, known: known)
    }
    return pulje.plan.herIDs.map(\.description)
  }
}
