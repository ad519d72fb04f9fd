// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation

/// The first line of every screen: which environment this is about. Production cannot be taken for anything else.
enum Banner {
  /// As the dashboard judges it.
  static func isProduction(_ environment: String) -> Bool { EnvironmentName(environment)?.isProduction ?? false }

  /// Pure. In colour on a terminal only; production stands in capitals everywhere.
  static func line(_ environment: String?, isTerminal: Bool) -> String {
    guard let environment else { return "environment: not named" }
    guard self.isProduction(environment) else { return "environment: \(environment)" }
    let words = "PRODUCTION (environment: \(environment))"
    // Bold, and dark and light changed about: seen on any terminal, also by those who see no red.
    return isTerminal ? "\u{1B}[1;7m  \(words)  \u{1B}[0m" : words
  }

  static func line(_ environment: String?) -> String { self.line(environment, isTerminal: isatty(1) == 1) }
}
