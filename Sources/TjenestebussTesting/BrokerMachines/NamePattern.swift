// SPDX-License-Identifier: Apache-2.0

/// A pattern of names in which `*` stands for any characters, none included: "93238_*".
public struct NamePattern: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  private let parts: [String]

  public init(_ text: String) {
    self.parts = text.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
  }

  public init(stringLiteral value: String) { self.init(value) }

  public func matches(_ name: String) -> Bool {
    guard let first = self.parts.first, let last = self.parts.last, self.parts.count > 1 else {
      return self.parts.first == name
    }
    guard name.hasPrefix(first), name.count >= first.count + last.count, name.hasSuffix(last) else { return false }
    var rest = name.dropFirst(first.count).dropLast(last.count)
    for part in self.parts.dropFirst().dropLast() where !part.isEmpty {
      guard let end = NamePattern.end(of: part, in: rest) else { return false }
      rest = rest[end...]
    }
    return true
  }

  private static func end(of part: String, in text: Substring) -> Substring.Index? {
    var start = text.startIndex
    while start < text.endIndex {
      if text[start...].hasPrefix(part) { return text.index(start, offsetBy: part.count) }
      start = text.index(after: start)
    }
    return nil
  }

  public var description: String { self.parts.joined(separator: "*") }
}
