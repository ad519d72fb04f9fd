// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The file below a journal: appended to, synced, replaced as a whole, locked by one process. Every call blocks, so none may be
/// made on an event loop or in the cooperative pool.
///
/// `@unchecked Sendable`: the journal's one thread is the only one that calls it, from opening to closing.
final class JournalFile: @unchecked Sendable {
  let path: String
  private var descriptor: Int32
  private var lock: Int32
  private(set) var size: UInt64 = 0
  /// How much of it is certain to be on the disk.
  private(set) var synced: UInt64 = 0
  private let hasRoom: @Sendable () -> Bool

  /// - Parameter hasRoom: whether the disk has room, for tests: half of what is written fits where it has not.
  /// - Throws: `journalInUse`, `journalUnreadable`.
  init(path: String, hasRoom: @escaping @Sendable () -> Bool = { true }) throws(ForwardingError) {
    self.path = path
    self.hasRoom = hasRoom
    self.lock = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard self.lock >= 0 else { throw Self.error(.journalUnreadable, "lock", path) }
    guard flock(self.lock, LOCK_EX | LOCK_NB) == 0 else {
      let error = Self.error(.journalInUse, "lock", path)
      _ = close(self.lock)
      throw error
    }
    self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0o600)
    guard self.descriptor >= 0 else {
      let error = Self.error(.journalUnreadable, "open", path)
      _ = close(self.lock)
      throw error
    }
  }

  deinit { self.release() }

  /// Closes the file and gives the lock to whoever wants it. Idempotent.
  func release() {
    guard self.lock >= 0 else { return }
    _ = close(self.descriptor)
    _ = close(self.lock)
    self.descriptor = -1
    self.lock = -1
  }

  func readAll() throws(ForwardingError) -> [UInt8] {
    var status = stat()
    guard fstat(self.descriptor, &status) == 0 else { throw Self.error(.journalUnreadable, "read", self.path) }
    let size = Int(status.st_size)
    var bytes = [UInt8](repeating: 0, count: size)
    var offset = 0
    while offset < size {
      let count = bytes.withUnsafeMutableBytes {
        pread(self.descriptor, $0.baseAddress?.advanced(by: offset), size - offset, off_t(offset))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.error(.journalUnreadable, "read", self.path) }
      offset += count
    }
    self.size = UInt64(size)
    return bytes
  }

  /// Cuts off what a crash left half written, and makes sure of the rest.
  func keep(_ size: Int) throws(ForwardingError) {
    guard ftruncate(self.descriptor, off_t(size)) == 0 else { throw Self.error(.journalUnwritable, "cut", self.path) }
    self.size = UInt64(size)
    try self.sync()
    try Self.syncFolder(of: self.path)
  }

  func append(_ bytes: [UInt8]) throws(ForwardingError) {
    try self.write(bytes, to: self.descriptor, self.path)
    self.size += UInt64(bytes.count)
  }

  func sync() throws(ForwardingError) {
    // Not macOS's F_FULLFSYNC: it is no platform this is run on in earnest.
    guard fdatasync(self.descriptor) == 0 else { throw Self.error(.journalUnwritable, "sync", self.path) }
    self.synced = self.size
  }

  /// Puts a new file in its place, so that a crash leaves the one or the other.
  func replace(with bytes: [UInt8]) throws(ForwardingError) {
    let new = "\(self.path).new"
    let descriptor = open(new, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0o600)
    guard descriptor >= 0 else { throw Self.error(.journalUnwritable, "make", new) }
    do throws(ForwardingError) {
      try self.write(bytes, to: descriptor, new)
      guard fsync(descriptor) == 0 else { throw Self.error(.journalUnwritable, "sync", new) }
      guard rename(new, self.path) == 0 else { throw Self.error(.journalUnwritable, "rename", new) }
      try Self.syncFolder(of: self.path)
    } catch {
      _ = close(descriptor)
      // It would keep the room that others wait for.
      _ = unlink(new)
      throw error
    }
    _ = close(self.descriptor)
    self.descriptor = descriptor
    self.size = UInt64(bytes.count)
    self.synced = self.size
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(ForwardingError) {
    guard self.hasRoom() else {
      try Self.writeAll(Array(bytes.prefix(bytes.count / 2)), to: descriptor, path)
      throw ForwardingError(.journalUnwritable, tried: "write the forwarding journal \(path)", seen: "no room")
    }
    try Self.writeAll(bytes, to: descriptor, path)
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(ForwardingError) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { raw in
        #if canImport(Glibc)
          Glibc.write(descriptor, raw.baseAddress?.advanced(by: offset), bytes.count - offset)
        #elseif canImport(Musl)
          Musl.write(descriptor, raw.baseAddress?.advanced(by: offset), bytes.count - offset)
        #else
          Darwin.write(descriptor, raw.baseAddress?.advanced(by: offset), bytes.count - offset)
        #endif
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.error(.journalUnwritable, "write", path) }
      offset += count
    }
  }

  private static func syncFolder(of path: String) throws(ForwardingError) {
    let cut = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
    let folder = cut.isEmpty ? "/" : String(cut)
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.error(.journalUnwritable, "open the folder of", path) }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Self.error(.journalUnwritable, "sync the folder of", path) }
  }

  private static func error(_ code: ForwardingError.Code, _ verb: String, _ path: String) -> ForwardingError {
    ForwardingError(code, tried: "\(verb) the forwarding journal \(path)", seen: String(cString: strerror(errno)))
  }
}
