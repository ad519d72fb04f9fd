// SPDX-License-Identifier: Apache-2.0

import AMQP
import TjenestebussClient

/// What an AMQP failure means for a queue that is carried.
enum LinkFailure {
  static func source(_ error: AMQPError, _ tried: String) -> ForwardMachine.Failure {
    self.failure(.sourceUnavailable, error, tried)
  }

  static func target(_ error: AMQPError, _ tried: String) -> ForwardMachine.Failure {
    self.failure(.targetUnavailable, error, tried)
  }

  /// The queue could not be seen after the target had accepted messages for it.
  static func unseen(_ error: AMQPError, _ tried: String) -> ForwardMachine.Failure {
    self.failure(.targetUnsafe, error, tried)
  }

  static func dialectUnknown(_ endpoint: BusEndpoint, _ tried: String) -> ForwardMachine.Failure {
    ForwardMachine.Failure(
      .permanent,
      ForwardingError(.dialectUnknown, tried: tried, seen: "bus \(endpoint.name) does not say which dialect it speaks"))
  }

  private static func failure(_ code: ForwardingError.Code, _ error: AMQPError, _ tried: String) -> ForwardMachine.Failure {
    let seen = error.condition.map(\.description) ?? error.seen
    let told = ForwardingError(code, tried: tried, seen: "\(error.code.text), \(error.tried): \(seen)", cause: error)
    // Cancelled: the run is ending anyway. Too large: the target's limit is known only by the link it ended.
    let kind: ForwardMachine.Failure.Kind
    // A link that was found closed: attaching again brings the reason.
    let isOfMessageOrLink = [.messageTooLarge, .messageMalformed, .linkClosed].contains(error.code)
    if !error.isRetriable, !isOfMessageOrLink {
      kind = .permanent
    } else {
      kind = error.scope == .connection ? .connection : error.origin == .remote ? .link : .connection
    }
    return ForwardMachine.Failure(kind, told)
  }
}
