// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What is done to the daemon during a rehearsal, how often, and where.
struct Interruption: Sendable {
  enum Kind: Sendable {
    /// It is killed; the machine goes on.
    case kill
    /// The machine loses its power: whatever was not synced may be lost.
    case powerCut(PowerCutRecorder)
  }

  var kind: Kind
  var count: Int
  /// Draws the points, and what a power cut takes.
  var seed: UInt64
}

/// `tools/power-cut`, loaded into whatever works in the daemon's folder.
struct PowerCutRecorder: Sendable {
  /// The shared library.
  var library: URL
  /// A deliberate fault: what the programs sync is not taken for synced.
  var swallowsSyncs: Bool
}
