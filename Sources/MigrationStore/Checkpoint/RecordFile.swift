// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Migration

/// Writes records to a file, each with its length before it, and hashes what it writes.
struct RecordSink: StateRecordWriting {
  private let file: FileHandle
  private let writer = PackedWriter()
  private var buffer: [UInt8] = []
  private var hash = SHA256()
  private var length = 0
  private let stop: WriteStop
  private let room: () -> Int64?
  private var checkedAt = 0
  /// Between two looks at what the disk has left.
  private static let checkEvery = 4 << 20

  /// - Parameters:
  ///   - stop: heeded at each record.
  ///   - room: what the disk has left; nil where nobody knows.
  init(file: FileHandle, stop: WriteStop = WriteStop(), room: @escaping () -> Int64? = { nil }) {
    self.file = file
    self.stop = stop
    self.room = room
  }

  mutating func write(_ record: some Encodable) throws {
    try self.stop.check()
    try self.writer.record(record) { bytes in
      guard let count = UInt32(exactly: bytes.count) else { throw CheckpointFault.damaged("a record is too large") }
      withUnsafeBytes(of: count.littleEndian) { self.buffer.append(contentsOf: $0) }
      self.buffer.append(contentsOf: bytes)
    }
    if self.buffer.count >= 1 << 18 { try self.flush() }
  }

  /// - Returns: how much was written, and its hash.
  mutating func end() throws -> (length: Int, hash: String) {
    try self.flush()
    return (self.length, CanonicalJSON.hex(self.hash.finalize()))
  }

  private mutating func flush() throws {
    self.hash.update(data: self.buffer)
    try self.file.write(contentsOf: self.buffer)
    self.length += self.buffer.count
    if self.length - self.checkedAt >= Self.checkEvery {
      self.checkedAt = self.length
      try DiskRoom.check(0, free: self.room())
    }
    self.buffer.removeAll(keepingCapacity: true)
  }
}

/// Reads the records back. Holds a piece of the file at a time.
struct RecordSource: StateRecordReading {
  private let file: FileHandle
  private let reader = PackedReader()
  /// Bytes of the file that are not read yet.
  private var left: Int
  private var piece: [UInt8] = []
  private var place = 0

  init(file: FileHandle, left: Int) {
    self.file = file
    self.left = left
  }

  var isAtEnd: Bool { self.left == 0 && self.place == self.piece.count }

  mutating func read<Record: Decodable>(_ type: Record.Type) throws -> Record {
    let length = try self.take(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    return try self.reader.value(type, of: try self.take(length))
  }

  private mutating func take(_ count: Int) throws -> [UInt8] {
    guard count <= self.piece.count - self.place + self.left else { throw PackedFault.cutOff }
    while self.piece.count - self.place < count {
      let read = try self.file.read(upToCount: min(self.left, max(1 << 18, count))) ?? Data()
      guard !read.isEmpty else { throw PackedFault.cutOff }
      self.left -= read.count
      self.piece.removeFirst(self.place)
      self.place = 0
      self.piece.append(contentsOf: read)
    }
    defer { self.place += count }
    return Array(self.piece[self.place..<self.place + count])
  }
}
