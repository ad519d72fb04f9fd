// SPDX-License-Identifier: Apache-2.0

/// Reads a whole XML document from bytes that another machine sent: XML 1.0 with namespaces, in UTF-8, without a DOCTYPE.
package enum XMLDocumentReader {
  /// Why a document could not be read.
  package struct Unreadable: Error, Hashable, CustomStringConvertible {
    package var description: String
  }

  /// Deeper than any answer of the register.
  static let depthLimit = 64
  static let elementLimit = 1_000_000
  static let attributeLimit = 256
  static let namespaceLimit = 1_024
  static let sizeLimit = 64 * 1_024 * 1_024

  /// - Throws: when the document is cut off, malformed, too deep, too large, not UTF-8, or has a DOCTYPE (SOAP forbids it, and
  ///   entities are a way to make a reader swell).
  package static func read(_ bytes: [UInt8]) throws(Unreadable) -> XMLNode {
    guard !bytes.isEmpty else { throw Unreadable(description: "an empty document") }
    guard bytes.count <= Self.sizeLimit else { throw Unreadable(description: "more than \(Self.sizeLimit) bytes of XML") }
    guard Self.hasOnlyCharactersOfXML(bytes), Self.declaresUTF8(bytes) else {
      throw Unreadable(description: "\(bytes.count) bytes that are no UTF-8, say that they are not, or have control characters")
    }
    var reader = XMLTreeReader(bytes: bytes)
    return XMLNode(rootOf: try reader.document())
  }

  /// Control characters, U+FFFE and U+FFFF have no place anywhere in a document.
  private static func hasOnlyCharactersOfXML(_ bytes: [UInt8]) -> Bool {
    var (controls, all): (UInt8, UInt8) = (0, 0)
    // Without a way out of the loop, so that many bytes are looked at in one step.
    for byte in bytes {
      all |= byte
      controls |= (byte < 32 ? 1 : 0) & (byte != 9 ? 1 : 0) & (byte != 10 ? 1 : 0) & (byte != 13 ? 1 : 0)
    }
    guard controls == 0 else { return false }
    guard all >= 0x80 else { return true }
    var start = bytes.startIndex
    while let high = bytes[start...].firstIndex(of: 0xEF) {
      if high + 2 < bytes.count, bytes[high + 1] == 0xBF, bytes[high + 2] >= 0xBE { return false }
      start = high + 1
    }
    return String(validating: bytes, as: UTF8.self) != nil
  }

  /// Whether the XML declaration, where there is one, names no other encoding than UTF-8 (or its part ASCII).
  private static func declaresUTF8(_ bytes: [UInt8]) -> Bool {
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    guard Self.stands("<?xml", in: bytes, at: start) else { return true }
    let limit = min(start + 300, bytes.count)
    guard let end = (start..<limit).first(where: { Self.stands("?>", in: bytes, at: $0) }) else { return false }
    guard let encoding = (start..<end).first(where: { Self.stands("encoding", in: bytes, at: $0) }) else { return true }
    let quotes: [UInt8] = [UInt8(ascii: "\""), UInt8(ascii: "'")]
    let blanks: [UInt8] = [32, 9, 10, 13]
    let name = bytes[(encoding + 8)..<max(end, encoding + 8)].drop {
      $0 == UInt8(ascii: "=") || quotes.contains($0) || blanks.contains($0)
    }
    .prefix { !quotes.contains($0) && !blanks.contains($0) }
    return ["utf-8", "utf8", "us-ascii", "ascii"].contains(String(decoding: name, as: UTF8.self).lowercased())
  }

  private static func stands(_ text: StaticString, in bytes: [UInt8], at place: Int) -> Bool {
    let count = text.utf8CodeUnitCount
    guard place + count <= bytes.count else { return false }
    for index in 0..<count where bytes[place + index] != text.utf8Start[index] { return false }
    return true
  }
}
