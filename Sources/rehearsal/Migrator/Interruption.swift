// SPDX-License-Identifier: Apache-2.0

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
