// SPDX-License-Identifier: Apache-2.0

/// Whether text for people is coloured, and how. Colour never says anything that the words do not say too.
public enum TextColour: Sendable, Hashable {
  case plain
  case ansi

  public enum Shade: String, Sendable, Hashable, CaseIterable {
    case good = "32"
    case warning = "33"
    case bad = "1;31"
    case faint = "2"
    case strong = "1"
  }

  /// What a person may ask for.
  public enum Choice: String, Sendable, Hashable, CaseIterable {
    /// Coloured on a terminal, unless `NO_COLOR` is set or the terminal is a dumb one.
    case auto
    case always
    case never
  }

  /// - Parameters:
  ///   - noColor: the environment's `NO_COLOR`: set and not empty means no colour (no-color.org).
  ///   - terminal: the environment's `TERM`.
  public init(_ choice: Choice, isTerminal: Bool, noColor: String?, terminal: String?) {
    switch choice {
    case .always: self = .ansi
    case .never: self = .plain
    case .auto:
      let isUnwanted = noColor.map { !$0.isEmpty } ?? false
      self = isTerminal && !isUnwanted && terminal != "dumb" ? .ansi : .plain
    }
  }

  public func paint(_ text: String, _ shade: Shade) -> String {
    switch self {
    case .plain: text
    case .ansi: text.isEmpty ? text : "\u{1B}[\(shade.rawValue)m\(text)\u{1B}[0m"
    }
  }
}
