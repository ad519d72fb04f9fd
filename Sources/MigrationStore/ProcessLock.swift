// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An operating system lock beside the database, held for the life of the daemon. The kernel lets it go when the process ends,
/// however it ends.
final class ProcessLock: Sendable {
  private let descriptor: Int32

  /// - Throws: ``StoreError`` `inUse` when another process holds it, `readOnly` or `notOpened` when it cannot be made.
  init(databasePath: String) throws(StoreError) {
    let path = databasePath + ".lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let seen = String(cString: strerror(errno))
      if errno == EACCES || errno == EROFS || errno == EPERM { throw .readOnly(path: databasePath, seen: "\(path): \(seen)") }
      throw .notOpened(path: databasePath, seen: "\(path): \(seen)")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let holder = Self.holder(of: descriptor)
      close(descriptor)
      throw .inUse(path: databasePath, holder: holder)
    }
    // The number is only for the message that a second daemon gives; the lock does not rest on it.
    let text = "\(getpid())\n"
    _ = ftruncate(descriptor, 0)
    _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    self.descriptor = descriptor
  }

  deinit {
    // Said, not only closed: a program that another thread is just starting has a copy of the descriptor for a moment.
    _ = flock(self.descriptor, LOCK_UN)
    close(self.descriptor)
  }

  private static func holder(of descriptor: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 32)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    let digits = buffer.prefix(max(0, count)).prefix { (48...57).contains($0) }
    return digits.isEmpty ? "another process" : "process \(String(decoding: digits, as: UTF8.self))"
  }
}
