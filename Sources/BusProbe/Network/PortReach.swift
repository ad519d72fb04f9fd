// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// Whether a port answers on one address: connects, and closes at once.
enum PortReach {
  enum Answer: Sendable, Equatable {
    case reached
    case refused
    case unanswered
    /// The network said that there is no way: no route, or a firewall that says so.
    case unreachable
    case failed(String)
  }

  static func knock(
    _ address: SocketAddress, within timeout: Duration, on group: any EventLoopGroup = NIOSingletons.posixEventLoopGroup
  ) async -> Answer {
    do {
      let channel = try await ClientBootstrap(group: group).connectTimeout(TimeAmount(timeout)).connect(to: address).get()
      try? await channel.close().get()
      return .reached
    } catch ChannelError.connectTimeout {
      return .unanswered
    } catch let error as IOError {
      switch error.errnoCode {
      case ECONNREFUSED: return .refused
      case EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN, EACCES, EPERM: return .unreachable
      case ETIMEDOUT: return .unanswered
      default: return .failed(error.description)
      }
    } catch {
      return .failed(String(describing: error))
    }
  }
}
