// SPDX-License-Identifier: Apache-2.0

extension AMQPError.Code {
  /// The client has been stopped; nothing was sent.
  public static let clientStopped = AMQPError.Code(text: "AMQP-501", isRetriable: false)
  /// No answer to a request came: whether it was carried out is not known.
  public static let answerMissing = AMQPError.Code(text: "AMQP-502", isRetriable: true)
  /// The node that was asked answered that it did not do it.
  public static let requestRefused = AMQPError.Code(text: "AMQP-503", isRetriable: false)
}

extension AMQPError {
  static func clientStopped(_ seen: String) -> AMQPError {
    AMQPError(.clientStopped, .connection, .local, tried: "use the client", seen: seen)
  }

  /// Whether a sending link is gone, so that a message which certainly did not leave may be sent by the next one.
  var meansLinkIsGone: Bool {
    switch self.code {
    case .linkClosed, .linkDetached, .sessionEnded, .connectionLost, .connectionClosed, .connectionClosedByPeer, .peerSilent,
      .protocolViolated, .tlsFailed:
      true
    default: self.scope == .connection && self.isRetriable
    }
  }
}
