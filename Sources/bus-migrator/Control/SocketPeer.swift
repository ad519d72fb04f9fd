// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import Migration
import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A request on the control socket, with its connection.
struct ControlContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  private let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    self.coreContext = CoreRequestContextStorage(source: source)
    self.channel = source.channel
  }

  /// The login of the program at the other end, as the kernel knows it: nobody can name another's. nil where the system does not tell.
  func giver() async -> DrainException.Giver? {
    await self.user().map { DrainException.Giver(uid: $0, login: Self.login($0)) }
  }

  /// The number of the user at the other end; nil where the system does not tell.
  func user() async -> UInt32? { await SocketUser.of(self.channel) }

  private static func login(_ uid: UInt32) -> String? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4_096)
    guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else { return nil }
    return String(cString: name)
  }
}

/// Who is at the other end of a Unix socket, by the kernel's word.
enum SocketUser {
  /// `struct ucred`, which not every C library shows.
  private struct Peer: Sendable {
    var process: Int32 = 0
    var uid: UInt32 = 0
    var group: UInt32 = 0
  }

  /// Whether this system tells at all.
  static var isTold: Bool {
    #if canImport(Glibc) || canImport(Musl)
      true
    #else
      false
    #endif
  }

  /// - Returns: the user's number; nil where the system does not tell, and when the connection is closed already.
  static func of(_ channel: any Channel) async -> UInt32? {
    #if canImport(Glibc) || canImport(Musl)
      guard let socket = channel as? any SocketOptionProvider else { return nil }
      let option = NIOBSDSocket.Option(rawValue: SO_PEERCRED)
      let peer: Peer? = try? await socket.unsafeGetSocketOption(level: .socket, name: option).get()
      return peer?.uid
    #else
      return nil
    #endif
  }
}
