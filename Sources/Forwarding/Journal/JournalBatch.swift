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
    var bytes: [UInt8] = []
    bytes.reserveCapacity(payload.count + self.overhead)
    bytes.append(integer: self.magic)
    bytes.append(integer: UInt32(payload.count))
    bytes.append(integer: UInt32(0))
    bytes.append(integer: synced)
    bytes += payload
    let checksum = self.checksum(bytes[12...])
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: checksum.littleEndian, toByteOffset: 8, as: UInt32.self) }
    return bytes
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
    self.tables.withUnsafeBufferPointer { tables in bytes.withUnsafeBytes { self.checksum($0, tables) } }
  }

  /// Eight bytes at a time.
  private static func checksum(_ bytes: UnsafeRawBufferPointer, _ tables: UnsafeBufferPointer<UInt32>) -> UInt32 {
    var value: UInt32 = 0xffff_ffff
    var position = 0
    while position + 8 <= bytes.count {
      var rest: UInt64 = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      rest ^= UInt64(value)
      value = 0
      var table: Int = 7 << 8
      while table >= 0 {
        let index: Int = table + Int(UInt8(truncatingIfNeeded: rest))
        value ^= tables[index]
        rest >>= 8
        table -= 256
      }
      position += 8
    }
    while position < bytes.count {
      let index: Int = Int(UInt8(truncatingIfNeeded: value) ^ bytes[position])
      value = tables[index] ^ (value >> 8)
      position += 1
    }
    return value ^ 0xffff_ffff
  }

  /// The checksums of each byte with 0 to 7 zeros behind it.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = (0..<256).map { (index: Int) -> UInt32 in
      (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0x82f6_3b78 : value >> 1 }
    }
    for index in 256..<2048 {
      let before = tables[index - 256]
      tables.append(tables[Int(before & 0xff)] ^ (before >> 8))
    }
    return tables
  }()
}
