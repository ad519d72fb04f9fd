// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// Packs gzip piece by piece. Not sendable: it belongs to one task.
final class Deflater {
  private let stream: UnsafeMutablePointer<z_stream>

  /// Nil when zlib does not start.
  init?() {
    self.stream = .allocate(capacity: 1)
    self.stream.initialize(to: z_stream())
    // Fastest; 15 bits of window, and 16 for "gzip, not zlib".
    let code = deflateInit2_(
      self.stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    if code != Z_OK { return nil }
  }

  deinit {
    deflateEnd(self.stream)
    self.stream.deinitialize(count: 1)
    self.stream.deallocate()
  }

  func pack(_ plain: [UInt8], isLast: Bool) -> [UInt8] {
    var input = plain
    var packed: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 * 1_024)
    input.withUnsafeMutableBufferPointer { source in
      self.stream.pointee.next_in = source.baseAddress
      self.stream.pointee.avail_in = UInt32(source.count)
      repeat {
        let made = piece.withUnsafeMutableBufferPointer { target in
          self.stream.pointee.next_out = target.baseAddress
          self.stream.pointee.avail_out = UInt32(target.count)
          deflate(self.stream, isLast ? Z_FINISH : Z_NO_FLUSH)
          return target.count - Int(self.stream.pointee.avail_out)
        }
        packed += piece[..<made]
      } while self.stream.pointee.avail_out == 0
    }
    return packed
  }
}
