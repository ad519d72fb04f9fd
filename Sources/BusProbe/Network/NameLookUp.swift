// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// All addresses of a host, as the machine's name service has them.
enum NameLookUp {
  enum Answer: Sendable {
    case found([SocketAddress])
    /// The name service says there is no such name.
    case unknown
    /// It did not say.
    case failed(String)
  }

  /// Looks up `host`. The system's call blocks, so it runs on NIO's threads for that; it is bounded by the resolver's own
  /// time-outs.
  static func addresses(of host: String, port: Int) async -> Answer {
    do {
      return try await NIOThreadPool.singleton.runIfActive { Self.blocking(host, port) }
    } catch {
      return .failed("the look-up was not run")
    }
  }

  private static func blocking(_ host: String, _ port: Int) -> Answer {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    #if os(Linux)
      hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    #else
      hints.ai_socktype = SOCK_STREAM
    #endif
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard code == 0 else {
      return code == EAI_NONAME ? .unknown : .failed(String(cString: gai_strerror(code)))
    }
    var found: [SocketAddress] = []
    var next = list
    while let entry = next?.pointee {
      if let raw = entry.ai_addr {
        switch entry.ai_family {
        case AF_INET:
          let address = raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) }
          found.append(address)
        case AF_INET6:
          let address = raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) }
          found.append(address)
        default: break
        }
      }
      next = entry.ai_next
    }
    return found.isEmpty ? .unknown : .found(found)
  }
}
