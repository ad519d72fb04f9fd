// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL

/// Which of our errors a failure below AMQP is.
enum ConnectionFailure {
  /// What NIO reports while connecting or later.
  static func error(_ error: any Error, tried: String) -> AMQPError {
    switch error {
    case let error as AMQPError: return error
    case let error as NIOConnectionError:
      if error.connectionErrors.isEmpty {
        return AMQPError(.unknownHost, .connection, .local, tried: tried, seen: "no address for \(error.host)")
      }
      let seen = error.connectionErrors.map { "\($0.target): \($0.error)" }.joined(separator: "; ")
      if error.connectionErrors.contains(where: { isTimeout($0.error) }) {
        return AMQPError(.connectTimedOut, .connection, .local, tried: tried, seen: seen)
      }
      return AMQPError(.unreachable, .connection, .local, tried: tried, seen: seen)
    case ChannelError.connectTimeout(let limit):
      return AMQPError(.connectTimedOut, .connection, .local, tried: tried, seen: "no TCP connection in \(limit)")
    case is NIOSSLExtraError, is NIOSSLError, is BoringSSLError:
      // After the login: the server's certificate has been judged long since.
      return TLSFailure(host: "", hasIdentity: true, now: 0).error(error, tried: tried)
        ?? AMQPError(.tlsFailed, .connection, .local, tried: tried, seen: String(describing: error))
    case let error as IOError:
      return AMQPError(.connectionLost, .connection, .remote, tried: tried, seen: error.description)
    default:
      return AMQPError(.connectionLost, .connection, .local, tried: tried, seen: String(describing: error))
    }
  }

  private static func isTimeout(_ error: any Error) -> Bool {
    if case ChannelError.connectTimeout? = error as? ChannelError { true } else { false }
  }

  /// What Proton reports of its transport.
  static func error(transport condition: AMQPCondition, tried: String) -> AMQPError {
    let text = condition.text ?? ""
    let code: AMQPError.Code =
      switch condition.name {
      case AMQPCondition.unauthorizedAccess: .loginRefused
      case AMQPCondition.resourceLimitExceeded where text.contains("local-idle-timeout"): .peerSilent
      case AMQPCondition.framingError where text.contains("connection aborted"): .connectionLost
      default: .protocolViolated
      }
    return AMQPError(code, .connection, .local, condition: condition, tried: tried, seen: "")
  }

  /// What a Close frame means.
  static func error(closed condition: AMQPCondition?, tried: String) -> AMQPError {
    let code: AMQPError.Code = condition?.name == AMQPCondition.unauthorizedAccess ? .unauthorized : .connectionClosedByPeer
    return AMQPError(
      code, .connection, .remote, condition: condition, tried: tried, seen: condition == nil ? "a Close without a reason" : "")
  }
}
