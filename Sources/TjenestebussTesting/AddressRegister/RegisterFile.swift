// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The testing register's entries and change log in a file.
enum RegisterFile {
  /// Nil when there is no file.
  static func read(_ path: String) throws -> AddressRegisterState? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try JSONDecoder().decode(AddressRegisterState.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Whole or not at all: written beside and moved into place.
  static func write(_ state: AddressRegisterState, to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(state).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
