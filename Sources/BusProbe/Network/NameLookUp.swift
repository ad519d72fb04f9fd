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
  enum Answer: Sendable, Equatable {
    case found([SocketAddress])
    /// The name service says there is no such name (NXDOMAIN).
    case unknown
    /// The name exists, and has no address.
    case noAddress
    /// A name server answered that it could not (SERVFAIL, REFUSED...).
    case serverFailed(server: String, code: String)
    /// No name server answered.
    case serverSilent(servers: [String], within: Duration)
    /// This machine could not look up.
    case failed(String)
  }

  /// Looks up `host`. The system's call blocks, so it runs on NIO's threads for that; it is bounded by the resolver's own
  /// time-outs. Where it finds nothing and does not say why, the machine's name servers are asked once more, by themselves.
  ///
  /// - Parameter servers: nil for those of `/etc/resolv.conf`.
  static func addresses(
    of host: String, port: Int, servers: [SocketAddress]? = nil, asking timeout: Duration = .seconds(3)
  ) async -> Answer {
    let answer: Answer
    do {
      answer = try await NIOThreadPool.singleton.runIfActive { Self.blocking(host, port) }
    } catch {
      return .failed("the look-up was not run")
    }
    switch answer {
    case .found, .noAddress: return answer
    default: break
    }
    let asked = servers ?? NameServerQuestion.configuredServers()
    guard !asked.isEmpty else { return answer }
    return Self.explained(answer, by: await NameServerQuestion.ask(asked, for: host, within: timeout), within: timeout)
  }

  /// What the system said, made plainer by what the name servers said themselves. Pure.
  static func explained(
    _ answer: Answer, by replies: [(server: String, reply: NameServerQuestion.Reply)], within timeout: Duration
  ) -> Answer {
    // A local file or another service may know more than the name servers: an address of theirs alone is no address here.
    for (server, reply) in replies {
      switch reply {
      case .noSuchName: return .unknown
      case .noAddress: return .noAddress
      case .failed(let code): return .serverFailed(server: server, code: code)
      case .hasAddress, .silent: continue
      }
    }
    if !replies.isEmpty, replies.allSatisfy({ $0.reply == .silent }) {
      return .serverSilent(servers: replies.map(\.server), within: timeout)
    }
    return answer
  }

  /// `EAI_NODATA`, which the headers keep to themselves.
  private static let noData: CInt = -5

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
      switch code {
      case EAI_NONAME: return .unknown
      case noData: return .noAddress
      default: return .failed(String(cString: gai_strerror(code)))
      }
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
    return found.isEmpty ? .noAddress : .found(found)
  }
}
