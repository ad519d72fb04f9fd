// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The listening socket that systemd hands over (socket activation, sd_listen_fds(3)): it is there before the daemon and after it, so that whoever
/// asks while the daemon restarts waits and is answered.
struct HandedOverSocket: Sendable, Hashable {
  /// Descriptors that are handed over begin here.
  static let first: Int32 = 3

  let descriptor: Int32
  /// Where its file is; nil where it has none.
  let path: String?

  /// - Parameters:
  ///   - environment: the process's; `LISTEN_PID` and `LISTEN_FDS` are looked at.
  ///   - first: the first descriptor; tests have another.
  /// - Returns: nil when none was handed over.
  /// - Throws: ``CommandLineError`` `socketUnusable` when what was handed over is not one listening Unix socket: serving another than was asked
  ///   for would leave the operator before a door that nobody opens.
  static func find(environment: [String: String], processID: Int32 = getpid(), first: Int32 = Self.first) throws
    -> HandedOverSocket?
  {
    guard let process = environment["LISTEN_PID"], process == "\(processID)", let text = environment["LISTEN_FDS"] else {
      return nil
    }
    guard let count = Int32(text), count > 0 else { return nil }
    guard count == 1 else {
      throw CommandLineError.socketUnusable(
        path: "from systemd",
        seen: "\(count) sockets were handed over (LISTEN_FDS); one is needed: ListenStream= once in the unit")
    }
    // Programs that the daemon starts get none of it.
    _ = fcntl(first, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_un()
    var length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let named = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(first, $0, &length) }
    }
    guard named == 0, address.sun_family == sa_family_t(AF_UNIX) else {
      throw CommandLineError.socketUnusable(
        path: "from systemd", seen: "what was handed over is no Unix socket (ListenStream=/a/path)")
    }
    var listens: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(first, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens == 1 else {
      throw CommandLineError.socketUnusable(
        path: "from systemd", seen: "what was handed over does not listen (ListenStream= with Accept=no)")
    }
    return HandedOverSocket(descriptor: first, path: Self.path(address, length))
  }

  private static func path(_ address: sockaddr_un, _ length: socklen_t) -> String? {
    let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    let bytes = withUnsafeBytes(of: address) { Array($0[start..<max(start, Int(length))]) }.prefix { $0 != 0 }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }
}
