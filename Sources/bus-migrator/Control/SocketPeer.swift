// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
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
  /// Who asks; the gate finds it out.
  var asker: ControlAsker?
  /// Finds it out once more, for an answer that goes on; throws for whom nobody knows any more.
  var asksAgain: (@Sendable () async throws -> ControlAsker)?

  init(source: ApplicationRequestContextSource) {
    self.coreContext = CoreRequestContextStorage(source: source)
    self.channel = source.channel
  }

  /// The number of the user at the other end; nil where the system does not tell.
  func user() async -> UInt32? { await SocketUser.of(self.channel) }

  /// Ends the connection, whatever is on its way.
  func hangUp() { self.channel.close(promise: nil) }
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

  /// As ``of(_:)``, on the channel's loop: whoever comes is counted before anything else is done.
  static func asked(of channel: any Channel) -> EventLoopFuture<UInt32?> {
    #if canImport(Glibc) || canImport(Musl)
      guard let socket = channel as? any SocketOptionProvider else { return channel.eventLoop.makeSucceededFuture(nil) }
      let option = NIOBSDSocket.Option(rawValue: SO_PEERCRED)
      let asked: EventLoopFuture<Peer> = socket.unsafeGetSocketOption(level: .socket, name: option)
      return asked.map { Optional($0.uid) }.recover { _ in nil }
    #else
      return channel.eventLoop.makeSucceededFuture(nil)
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
