// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The socket's file.
enum ControlSocket {
  /// Makes room: a file left by a daemon that was killed is removed, one that answers is not ours to take.
  static func clear(_ path: String) throws {
    // sun_path holds 108 bytes with the zero at its end.
    guard path.utf8.count < 104 else {
      throw CommandLineError.socketUnusable(path: path, seen: "the path is longer than a Unix socket's may be (103 bytes)")
    }
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw CommandLineError.socketUnusable(path: path, seen: "something that is no socket is there")
    }
    if Self.answers(path) {
      throw CommandLineError.socketUnusable(path: path, seen: "another daemon answers there")
    }
    guard unlink(path) == 0 else {
      throw CommandLineError.socketUnusable(path: path, seen: "an old one cannot be removed: \(String(cString: strerror(errno)))")
    }
  }

  static func restrict(_ path: String) { _ = chmod(path, 0o600) }
  static func openToAll(_ path: String) { _ = chmod(path, 0o666) }
  static func remove(_ path: String) { _ = unlink(path) }

  /// Whether somebody listens. Connecting to a local socket ends at once, either way.
  private static func answers(_ path: String) -> Bool {
    UnixAddress.withAddress(path) { address, length in
      let descriptor = socket(AF_UNIX, UnixAddress.stream, 0)
      guard descriptor >= 0 else { return false }
      defer { close(descriptor) }
      return connect(descriptor, address, length) == 0
    }
  }
}

/// `sockaddr_un` from a path; a leading `@` means Linux's abstract names.
enum UnixAddress {
  #if canImport(Glibc)
    static let stream = Int32(SOCK_STREAM.rawValue)
    static let datagram = Int32(SOCK_DGRAM.rawValue)
  #else
    static let stream = SOCK_STREAM
    static let datagram = SOCK_DGRAM
  #endif

  static func withAddress<Result>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8.prefix(103))
    if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let isAbstract = bytes.first == 0
    let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + socklen_t(bytes.count + (isAbstract ? 0 : 1))
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}
