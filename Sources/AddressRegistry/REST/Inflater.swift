// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// Unpacks gzip as it comes in. Not sendable: it belongs to one task.
final class Inflater {
  struct Broken: Error {
    var description: String
  }

  /// Behind a pointer, since zlib keeps the address.
  private let stream: UnsafeMutablePointer<z_stream>
  private(set) var isAtEnd = false

  init() throws(Broken) {
    self.stream = .allocate(capacity: 1)
    self.stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for "gzip, not zlib".
    guard inflateInit2_(self.stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Broken(description: "zlib does not start")
    }
  }

  deinit {
    inflateEnd(self.stream)
    self.stream.deinitialize(count: 1)
    self.stream.deallocate()
  }

  /// Unpacks `packed` piece by piece, so that a little that unpacks to very much does not fill the memory.
  func unpack<Failure: Error>(
    _ packed: [UInt8], _ take: (ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws {
    guard !packed.isEmpty else { return }
    guard !self.isAtEnd else { throw Broken(description: "bytes behind the end of the packed answer") }
    var input = packed
    var piece = [UInt8](repeating: 0, count: 64 * 1_024)
    var used = 0
    while used < input.count, !self.isAtEnd {
      let offered = input.count - used
      let (code, taken, made) = input.withUnsafeMutableBufferPointer { source in
        piece.withUnsafeMutableBufferPointer { target in
          self.stream.pointee.next_in = source.baseAddress.map { $0 + used }
          self.stream.pointee.avail_in = UInt32(offered)
          self.stream.pointee.next_out = target.baseAddress
          self.stream.pointee.avail_out = UInt32(target.count)
          let code = inflate(self.stream, Z_NO_FLUSH)
          return (code, offered - Int(self.stream.pointee.avail_in), target.count - Int(self.stream.pointee.avail_out))
        }
      }
      used += taken
      guard code == Z_OK || code == Z_STREAM_END else { throw Broken(description: "the packed answer is damaged (zlib \(code))") }
      if made > 0 { try take(piece[..<made]) }
      self.isAtEnd = code == Z_STREAM_END
    }
    guard used == input.count else { throw Broken(description: "bytes behind the end of the packed answer") }
  }
}
