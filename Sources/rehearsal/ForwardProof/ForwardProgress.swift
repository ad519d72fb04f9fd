// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What all chunks so far have come to, in a file: a run goes on where the last one ended.
struct ForwardProgress: Sendable, Codable {
  var chunks = 0
  var balance = ForwardLedger.Balance()
  var troubles: [String: Int] = [:]
  /// Received again, and known by the journal to be on the target: not sent again.
  var settledAgain = 0
  var seconds = 0.0

  static func read(_ file: URL) throws -> ForwardProgress {
    guard FileManager.default.fileExists(atPath: file.path) else { return ForwardProgress() }
    return try JSONDecoder().decode(ForwardProgress.self, from: Data(contentsOf: file))
  }

  func write(_ file: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(self).write(to: file, options: .atomic)
  }
}
