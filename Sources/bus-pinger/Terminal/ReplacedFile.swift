// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A file whose readers see the whole of what was, or the whole of what is: never half of it.
enum ReplacedFile {
  /// Writes `text` beside `path` and renames it to it.
  ///
  /// - Throws: ``PingerError`` `outputUnwritable`; the file is then as it was, and nothing is left beside it.
  static func write(_ text: String, to path: String) throws(PingerError) {
    let beside = "\(path).\(getpid()).tmp"
    // The node exporter runs as another user, and reads it.
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failed(path) }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        bytes = bytes.dropFirst(written)
      } else if errno != EINTR {
        let error = Self.failed(path)
        close(descriptor)
        unlink(beside)
        throw error
      }
    }
    guard close(descriptor) == 0, rename(beside, path) == 0 else {
      let error = Self.failed(path)
      unlink(beside)
      throw error
    }
  }

  private static func failed(_ path: String) -> PingerError {
    .outputUnwritable(path: path, seen: String(cString: strerror(errno)))
  }
}
