// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Tells systemd how the daemon is: READY, STATUS, WATCHDOG, STOPPING, as datagrams to `NOTIFY_SOCKET`. Without that
/// variable it does nothing.
struct ServiceNotify: Sendable {
  private let socketPath: String?
  /// How often systemd wants to hear from the loop; nil when it does not watch.
  let watchdogMilliseconds: Int64?

  init(environment: [String: String]) {
    self.socketPath = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
    let isOurs = environment["WATCHDOG_PID"].flatMap { Int32($0) }.map { $0 == getpid() } ?? true
    self.watchdogMilliseconds = isOurs ? environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { $0 / 1_000 } : nil
  }

  /// Whether there is anybody to tell.
  var isHeard: Bool { self.socketPath != nil }

  /// - Parameter state: lines as sd_notify(3) has them, such as `READY=1`. One datagram; a local one does not block for long,
  ///   and one that is lost costs a status line only.
  func tell(_ state: String) {
    guard let socketPath else { return }
    UnixAddress.withAddress(socketPath) { address, length in
      let descriptor = socket(AF_UNIX, UnixAddress.datagram, 0)
      guard descriptor >= 0 else { return }
      defer { close(descriptor) }
      _ = state.withCString { text in
        sendto(descriptor, text, strlen(text), Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL), address, length)
      }
    }
  }

  /// For MONOTONIC_USEC: from when on a reload counts.
  static var monotonicMicroseconds: UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1_000
  }
}
