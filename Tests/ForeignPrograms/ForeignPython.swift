// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Scripts of `tools/foreign` that need the libraries of its requirements.
package enum ForeignPython {
  private struct NoPython: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs the script with a Python that has them; `scripts/foreign-python` makes it where it is missing.
  package static func run(_ script: String, _ arguments: [String]) async throws -> ForeignProgram.Result {
    let made = try await ForeignProgram.run(ForeignProgram.root.appendingPathComponent("scripts/foreign-python").path, [])
    guard made.exitCode == 0, let python = made.output.split(separator: "\n").last else {
      throw NoPython(description: "scripts/foreign-python failed: \(made.errors)")
    }
    return try await ForeignProgram.run(
      String(python), [ForeignProgram.root.appendingPathComponent("tools/foreign/\(script)").path] + arguments)
  }
}
