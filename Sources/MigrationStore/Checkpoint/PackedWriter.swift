// SPDX-License-Identifier: Apache-2.0

/// The tokens of the packed form: a value says itself what it is and where it ends, and a text that was written before is named by
/// its number.
enum PackedToken {
  static let null: UInt8 = 0
  static let no: UInt8 = 1
  static let yes: UInt8 = 2
  /// Followed by a zigzag number.
  static let number: UInt8 = 3
  /// Followed by eight bytes.
  static let double: UInt8 = 4
  /// A new text: its length and its bytes. It gets the next number.
  static let text: UInt8 = 5
  /// A text from before: its number.
  static let known: UInt8 = 6
  /// Keys and values in turn, up to ``end``.
  static let keyed: UInt8 = 7
  /// Values up to ``end``.
  static let list: UInt8 = 8
  static let end: UInt8 = 9

  /// With so many texts known, writer and reader both forget them at the next record: what the table takes is bounded.
  static let textLimit = 1 << 16
}

/// Writes `Encodable` values as records in the packed form. Texts are shared between the records of one writer, since the same
/// addresses and findings come again for thousands of parties.
///
/// Containers must be filled one after another, innermost first, as synthesized conformances do; `superEncoder` is not offered.
struct PackedWriter {
  private let output = PackedOutput()

  /// Gives the bytes of one record to `body`.
  func record(_ value: some Encodable, _ body: (borrowing [UInt8]) throws -> Void) throws {
    self.output.begin()
    try self.output.value(value)
    try body(self.output.bytes)
  }
}

final class PackedOutput {
  /// A text by its bytes. As strings go two spellings of one letter are equal; the register's hashes tell them apart, and so must we.
  private struct Spelling: Hashable {
    let text: String

    static func == (lhs: Spelling, rhs: Spelling) -> Bool { lhs.text.utf8.elementsEqual(rhs.text.utf8) }
    func hash(into hasher: inout Hasher) {
      var text = self.text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  fileprivate(set) var bytes: [UInt8] = []
  private var texts: [Spelling: UInt64] = [:]
  /// Containers that are not ended yet.
  private(set) var depth = 0

  fileprivate func begin() {
    self.bytes.removeAll(keepingCapacity: true)
    self.depth = 0
    if self.texts.count >= PackedToken.textLimit { self.texts.removeAll(keepingCapacity: true) }
  }

  func value(_ value: some Encodable) throws {
    let depth = self.depth
    let before = self.bytes.count
    try value.encode(to: PackedEncoder(output: self, depth: depth))
    self.end(downTo: depth)
    guard self.bytes.count > before else {
      throw EncodingError.invalidValue(value, EncodingError.Context(codingPath: [], debugDescription: "it wrote nothing"))
    }
  }

  func begin(_ token: UInt8) {
    self.bytes.append(token)
    self.depth += 1
  }

  func end(downTo depth: Int) {
    while self.depth > depth {
      self.bytes.append(PackedToken.end)
      self.depth -= 1
    }
  }

  func null() { self.bytes.append(PackedToken.null) }
  func bool(_ value: Bool) { self.bytes.append(value ? PackedToken.yes : PackedToken.no) }

  func number(_ value: some FixedWidthInteger) throws {
    guard let value = Int64(exactly: value) else {
      throw EncodingError.invalidValue(value, EncodingError.Context(codingPath: [], debugDescription: "it is too large"))
    }
    self.bytes.append(PackedToken.number)
    self.varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  func double(_ value: Double) {
    self.bytes.append(PackedToken.double)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { self.bytes.append(contentsOf: $0) }
  }

  func text(_ value: String) {
    if let known = self.texts[Spelling(text: value)] {
      self.bytes.append(PackedToken.known)
      self.varint(known)
      return
    }
    self.texts[Spelling(text: value)] = UInt64(self.texts.count)
    self.bytes.append(PackedToken.text)
    var value = value
    value.withUTF8 { utf8 in
      self.varint(UInt64(utf8.count))
      self.bytes.append(contentsOf: utf8)
    }
  }

  private func varint(_ value: UInt64) {
    var value = value
    while value > 0x7F {
      self.bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    self.bytes.append(UInt8(value))
  }
}
