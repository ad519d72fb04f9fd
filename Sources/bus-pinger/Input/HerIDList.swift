// SPDX-License-Identifier: Apache-2.0

import Foundation

/// HER-IDs one a line, as people keep them: blank lines and what stands behind a `#` are passed over.
enum HerIDList {
  /// More than there are parties in the register is no list of parties.
  static let limit = 200_000

  /// In the order of the file, each once. What is no HER-ID stays as it stands: the ladder's first step says so of it.
  static func read(_ text: String) -> [String] {
    var seen: Set<String> = []
    return text.split(whereSeparator: \.isNewline).compactMap { line in
      let content = line.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
      guard !content.isEmpty, seen.insert(content).inserted else { return nil }
      return content
    }
  }

  /// - Parameter path: `-` for standard input.
  /// - Throws: ``PingerError`` `listUnreadable`.
  static func file(_ path: String) throws(PingerError) -> [String] {
    let data: Data
    do {
      data =
        path == "-"
        ? try FileHandle.standardInput.readToEnd() ?? Data() : try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      let seen = FileManager.default.fileExists(atPath: path) ? "it is there, but cannot be read" : "no such file"
      throw .listUnreadable(path: path, seen: seen)
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw .listUnreadable(path: path, seen: "it is no text in UTF-8")
    }
    let list = Self.read(text)
    if list.isEmpty { throw .listUnreadable(path: path, seen: "there is no HER-ID in it") }
    if list.count > Self.limit { throw .listUnreadable(path: path, seen: "\(list.count) lines; \(Self.limit) are the most") }
    return list
  }
}
