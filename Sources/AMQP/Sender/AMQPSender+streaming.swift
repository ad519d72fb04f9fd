// SPDX-License-Identifier: Apache-2.0

extension AMQPSender {
  /// Sends a message whose body comes in pieces, as one data section of a length that is known before.
  ///
  /// No more than two pieces and a quarter of a megabyte are in memory: `body` is asked for the next piece when the connection
  /// has taken the one before. Other sends on this link wait until the message has left.
  ///
  /// - Parameters:
  ///   - message: all but the body; what it has for a body is not sent.
  ///   - bodyLength: the number of bytes that `body` gives.
  ///   - body: the pieces, of any size. It must end when its task is cancelled, as the library's callers must.
  ///   - checks: what the message is checked for first.
  ///   - timeout: for credit, body and outcome together; nil for the connection's operation timeout.
  /// - Returns: what became of it, as for ``send(_:checks:within:)``.
  /// - Throws: ``AMQPError`` when it is certain that the bus has no such message: `bodyIncomplete` when the source failed or
  ///   gave another number of bytes, `messageTooLarge`, `noCredit`, `sendTooSlow`, `cancelled`, or why the link ended. Where some of it
  ///   had left by then, the link is ended, so that the bus forgets it: later sends on it throw `linkDetached`.
  public func send<Body: AsyncSequence & Sendable>(
    _ message: AMQPMessage, bodyLength: Int, body: Body, checks: AMQPSendChecks = .standard, within timeout: Duration? = nil
  ) async throws(AMQPError) -> AMQPOutcome where Body.Element == [UInt8] {
    var bare = message
    bare.body = .data([])
    return try await self.traced(bare) { carried throws(AMQPError) in
      let footer = carried.encodedFooter()
      let head = carried.encodedBeforeBody(dataLength: bodyLength)
      try self.check(carried, checks, encodedSize: head.count + bodyLength + footer.count)
      return try await self.counted { () async throws(AMQPError) in
        try await self.stream(head, body, of: bodyLength, then: footer, within: timeout)
      }
    }
  }

  private func stream<Body: AsyncSequence & Sendable>(
    _ head: [UInt8], _ body: Body, of bodyLength: Int, then footer: [UInt8], within timeout: Duration?
  ) async throws(AMQPError) -> AMQPOutcome where Body.Element == [UInt8] {
    let pipe = OutgoingBody()
    let result = await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.feed(body, of: bodyLength, then: footer, into: pipe) }
      let result: Result<AMQPOutcome, AMQPError>
      do throws(AMQPError) {
        result = .success(try await self.transfer(head, body: pipe, within: timeout))
      } catch {
        result = .failure(error)
      }
      pipe.close()
      // The source is told that no more is wanted, whatever it is waiting for.
      group.cancelAll()
      return result
    }
    return try result.get()
  }

  /// Reads the source to its end, and no faster than the connection takes it.
  private func feed<Body: AsyncSequence & Sendable>(
    _ body: Body, of length: Int, then footer: [UInt8], into pipe: OutgoingBody
  ) async where Body.Element == [UInt8] {
    var sent = 0
    func failure(_ seen: String) -> Result<Void, AMQPError> {
      .failure(AMQPError(.bodyIncomplete, .delivery, .local, tried: "send a message to \(self.address)", seen: seen))
    }
    var ending: Result<Void, AMQPError> = .success(())
    do {
      for try await piece in body where !piece.isEmpty {
        sent += piece.count
        guard sent <= length else { break }
        guard await pipe.write(piece, wake: { self.wakeLoop() }) else { return }
      }
      if sent > length {
        ending = failure("the source gave more than the \(length) bytes that were promised")
      } else if sent < length {
        ending = failure("the source ended after \(sent) of \(length) bytes")
      } else if !footer.isEmpty {
        guard await pipe.write(footer, wake: { self.wakeLoop() }) else { return }
      }
    } catch {
      // Not in its own words: they may hold content.
      ending = failure("the source failed after \(sent) of \(length) bytes")
    }
    pipe.finish(ending)
    self.wakeLoop()
  }
}
