// SPDX-License-Identifier: Apache-2.0

/// Whether a receiver hands a message out whole, or as soon as its body begins.
public enum AMQPBodyDelivery: Sendable, Hashable {
  case whole
  /// The body is read from ``AMQPDelivery/body`` as it comes. The link carries one message after the other: the next one is
  /// handed out when this body was read to its end, or its delivery settled.
  case streamed
}

/// The bytes of a message's data sections, in pieces as they come. To be read once.
///
/// Ends with an error when the message does not come to its end: `bodyAborted` when its sender gave it up, `messageTooLarge`
/// when it grew beyond the configuration's limit, or why the link was lost. What was read until then is to be thrown away.
/// Ends early, without an error, when the reading task is cancelled or the delivery was settled.
public struct AMQPBodyPieces: AsyncSequence, Sendable {
  public typealias Element = [UInt8]
  public typealias Failure = AMQPError

  enum Source: Sendable {
    case sections([[UInt8]])
    case failed(AMQPError)
    case streamed(IncomingBody, wake: @Sendable () -> Void)
  }

  let source: Source

  public func makeAsyncIterator() -> Iterator {
    switch self.source {
    case .sections(let sections): Iterator(source: self.source, rest: sections[...])
    case .failed, .streamed: Iterator(source: self.source, rest: [])
    }
  }

  public struct Iterator: AsyncIteratorProtocol {
    let source: Source
    var rest: ArraySlice<[UInt8]>

    public mutating func next(isolation actor: isolated (any Actor)?) async throws(AMQPError) -> [UInt8]? {
      switch self.source {
      case .sections: return self.rest.popFirst()
      case .failed(let error): throw error
      case .streamed(let body, let wake):
        let piece = try await body.next().get()
        // There is room again.
        if piece != nil { wake() }
        return piece
      }
    }
  }
}
