// SPDX-License-Identifier: Apache-2.0

import Foundation

/// `tools/power-cut`, loaded into whatever works in the daemon's folder.
struct PowerCutRecorder: Sendable {
  /// The shared library.
  var library: URL
  /// A deliberate fault: what the programs sync is not taken for synced.
  var swallowsSyncs: Bool
}
