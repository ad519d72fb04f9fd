// SPDX-License-Identifier: Apache-2.0

/// A password, token or key that does not print.
///
/// Interpolating, describing, reflecting or dumping a `Secret` gives `<redacted>`. The plain text is
/// only to be had through ``withPlainText(_:)``, so that every place that reads it can be found by name.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private let plainText: String

  /// Wraps `plainText`. The value is kept as given: no trimming, no decoding.
  public init(_ plainText: String) {
    self.plainText = plainText
  }

  /// Calls `body` with the plain text. Do not let it escape into anything that is printed or stored.
  public func withPlainText<Result>(_ body: (String) throws -> Result) rethrows -> Result {
    try body(self.plainText)
  }

  /// Whether there is nothing in it: an empty password is a configuration error, never a login.
  public var isEmpty: Bool { self.plainText.isEmpty }

  public var description: String { "<redacted>" }
  public var debugDescription: String { "<redacted>" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
