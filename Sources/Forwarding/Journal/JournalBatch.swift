// SPDX-License-Identifier: Apache-2.0

/// Records that are written together: length, checksum, and how far the file was synced when they were.
///
/// ```
/// magic 4 | length of the payload 4 | checksum of all that follows 4 | synced 8 | payload
/// ```
enum JournalBatch {
  static let magic: UInt32 = 0x314A_5746
  static let overhead = 20

  static func encode(_ payload: [UInt8], synced: UInt64) -> [UInt8] {
    var checked: [UInt8] = []
    checked.reserveCapacity(payload.count + 8)
    checked.append(integer: synced)
    checked += payload
    var bytes: [UInt8] = []
    bytes.reserveCapacity(checked.count + 12)
    bytes.append(integer: self.magic)
    bytes.append(integer: UInt32(payload.count))
    bytes.append(integer: self.checksum(checked[...]))
    return bytes + checked
  }

  struct Read {
    var synced: UInt64
    var payload: ArraySlice<UInt8>
    var end: Int
  }

  /// The batch at `position`; nil when there is no whole one.
  static func read(_ bytes: [UInt8], at position: Int) -> Read? {
    var rest = bytes[position...]
    guard let magic: UInt32 = rest.integer(), magic == self.magic, let length: UInt32 = rest.integer(),
      let checksum: UInt32 = rest.integer(), rest.count >= Int(length) + 8
    else { return nil }
    let checked = rest.prefix(Int(length) + 8)
    guard self.checksum(checked) == checksum, let synced: UInt64 = rest.integer() else { return nil }
    return Read(synced: synced, payload: rest.prefix(Int(length)), end: position + self.overhead + Int(length))
  }

  /// CRC-32C.
  static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var value: UInt32 = 0xffff_ffff
    self.table.withUnsafeBufferPointer { table in
      bytes.withUnsafeBytes { for byte in $0 { value = table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ (value >> 8) } }
    }
    return value ^ 0xffff_ffff
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0x82f6_3b78 : value >> 1 }
  }
}
