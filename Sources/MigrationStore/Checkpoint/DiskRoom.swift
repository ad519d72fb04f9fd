// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How much may still be written where a file lies.
enum DiskRoom {
  /// Left for the history itself: a cache must not take the last of the disk from the events that hang on it.
  static let reserve: Int64 = 16 << 20

  struct Missing: Error, Hashable, CustomStringConvertible {
    var free: Int64
    var needed: Int64

    var description: String {
      "\(self.free >> 20) MiB are free for us, and \(self.needed >> 20) are needed, of which \(DiskRoom.reserve >> 20) stay for the history"
    }
  }

  /// Bytes free for this user in the file system of `path`'s folder; nil where the system does not tell.
  static func free(besides path: String) -> Int64? {
    var figures = statvfs()
    guard statvfs(URL(fileURLWithPath: path).deletingLastPathComponent().path, &figures) == 0 else { return nil }
    return Int64(clamping: UInt64(figures.f_bavail).multipliedReportingOverflow(by: UInt64(figures.f_frsize)).partialValue)
  }

  /// - Throws: ``Missing`` when `length` more bytes would leave less than the ``reserve``.
  static func check(_ length: Int64, free: Int64?) throws(Missing) {
    guard let free, free < length + Self.reserve else { return }
    throw Missing(free: free, needed: length + Self.reserve)
  }
}
