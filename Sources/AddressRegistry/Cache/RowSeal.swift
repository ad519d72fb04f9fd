// SPDX-License-Identifier: Apache-2.0

import BusModel
import Crypto

/// A SHA-256 over everything a row says. What is loaded is believed only when it hashes to the seal that was stored with it.
enum RowSeal {
  static let size = 32

  /// The fields of a row besides its content.
  struct Facts: Equatable {
    var herID: Int64
    var source: RecordSource
    var readAt: RegistryInstant
    var version: Int64
    /// The number of the write that stored it: later writes have greater ones.
    var change: Int64
  }

  static func of(_ facts: Facts, recordHash: [UInt8], content: [UInt8]) -> SHA256Digest {
    recordHash.withUnsafeBytes { hash in content.withUnsafeBytes { Self.of(facts, recordHash: hash, content: $0) } }
  }

  static func of(
    _ facts: Facts, recordHash: UnsafeRawBufferPointer, content: UnsafeRawBufferPointer
  ) -> SHA256Digest {
    var hasher = SHA256()
    let head = 6 * MemoryLayout<Int64>.size
    // In one piece: each update costs as much as hashing some hundred bytes.
    withUnsafeTemporaryAllocation(byteCount: head + recordHash.count + content.count, alignment: 8) { bytes in
      func store(_ number: Int64, _ place: Int) {
        bytes.storeBytes(of: number.littleEndian, toByteOffset: place * 8, as: Int64.self)
      }
      store(0x0002_5241_6A54, 0)
      store(facts.herID, 1)
      store(facts.readAt.millisecondsSinceEpoch, 2)
      store(facts.version, 3)
      store(facts.change, 4)
      store(Int64(facts.source.number), 5)
      UnsafeMutableRawBufferPointer(rebasing: bytes[head...]).copyMemory(from: recordHash)
      UnsafeMutableRawBufferPointer(rebasing: bytes[(head + recordHash.count)...]).copyMemory(from: content)
      hasher.update(bufferPointer: UnsafeRawBufferPointer(bytes))
    }
    return hasher.finalize()
  }
}

extension RowSeal {
  /// Whether these are the digest's bytes.
  static func equals(_ digest: SHA256Digest, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == Self.size else { return false }
    return digest.withUnsafeBytes { right in
      stride(from: 0, to: Self.size, by: 8).allSatisfy {
        right.loadUnaligned(fromByteOffset: $0, as: UInt64.self) == bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self)
      }
    }
  }
}

/// All rows' seals laid over each other, by exclusive or: tells whether a row is missing, or stands there twice or as it once
/// was, which no row can tell of itself.
struct FoldedSeals: Equatable {
  private(set) var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init() {}

  /// - Returns: nil for other than 32 bytes.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == RowSeal.size else { return nil }
    self.fold(bytes)
  }

  /// One seal alone.
  init(of seal: UnsafeRawBufferPointer) { self.fold(seal) }

  /// In and, a second time, out again.
  mutating func fold(_ seal: UnsafeRawBufferPointer) {
    guard seal.count == RowSeal.size else { return }
    self.words.0 ^= seal.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
    self.words.1 ^= seal.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    self.words.2 ^= seal.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    self.words.3 ^= seal.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
  }

  mutating func fold(_ other: FoldedSeals) {
    self.words.0 ^= other.words.0
    self.words.1 ^= other.words.1
    self.words.2 ^= other.words.2
    self.words.3 ^= other.words.3
  }

  var bytes: [UInt8] { withUnsafeBytes(of: self.words) { Array($0) } }

  static func == (one: FoldedSeals, other: FoldedSeals) -> Bool { one.words == other.words }
}

extension RecordSource {
  /// As it goes into seals and rows; never renumbered.
  var number: UInt8 {
    switch self {
    case .file: 1
    case .soap: 2
    case .rest: 3
    }
  }

  init?(number: Int64) {
    switch number {
    case 1: self = .file
    case 2: self = .soap
    case 3: self = .rest
    default: return nil
    }
  }
}
