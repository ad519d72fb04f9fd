// SPDX-License-Identifier: Apache-2.0

/// The name of a world: test, qa, production. What is of one is refused by the others, since HER-IDs of test and of production have the same numbers.
public struct EnvironmentName: Sendable, Hashable, CustomStringConvertible {
  public let text: String

  /// - Parameter text: 1 to 40 letters, digits, `-` and `_`, as no shell, label or file name takes amiss.
  public init?(_ text: String) {
    let isFine = text.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_")
    }
    guard (1...40).contains(text.utf8.count), isFine else { return nil }
    self.text = text
  }

  /// Whether real messages ride on it: everything that begins with *prod*, in any case of letters.
  public var isProduction: Bool { self.text.lowercased().hasPrefix("prod") }

  public var description: String { self.text }
}
