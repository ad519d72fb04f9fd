// SPDX-License-Identifier: Apache-2.0

import BusModel

extension TjenestebussClient {
  /// Answers a message, wherever its sender lives now: a conversation may span two buses.
  ///
  /// - An **asynchronous** message is answered to the sender's asynchronous queue, by the register as it is now.
  /// - A **synchronous** one is answered to its `reply-to` queue, which the register does not hold: on the bus the request came
  ///   by, or where a full address says. Is there no such queue on that bus (any more), the answer is sent once more, with the same
  ///   message id, to the queue of that name on the bus where the sender has its synchronous queue now.
  ///
  ///   It lives no longer than the configuration's call timeout, unless it has a time to live of its own.
  ///
  /// The answer's correlation id becomes the request's, unless one is set. Where the request's header ids are known, the answer's
  /// `X-MessageInfo-RefToParent` and `X-MessageInfo-RefToConversation` follow from them, unless they are set.
  ///
  /// - Returns: as ``send(_:kind:within:)``; `notSent` with `noReplyTo` when a synchronous request names no queue, or when the
  ///   answer is not to the one who asked.
  public func reply(
    to request: ReceivedMessage, with answer: HealthMessage, within timeout: Duration? = nil
  ) async -> SendResult {
    var answer = answer
    answer.follow(request.message)
    guard answer.to == request.message.from else {
      return SendResult(
        notSent: answer, .messageUnsendable(field: "to", problem: "an answer goes to the one who asked"))
    }
    guard request.kind == .synchronous else { return await self.send(answer, kind: .asynchronous, within: timeout) }
    guard let replyTo = request.replyTo, !replyTo.isEmpty else {
      return SendResult(notSent: answer, .noReplyTo(messageID: request.message.messageID))
    }
    // The library of the sector sets none on a synchronous answer.
    answer.replyTo = nil
    // Nobody waits longer: an answer that lies in the queue of a process that is gone shall not lie there for ever.
    if answer.timeToLiveMilliseconds == nil {
      answer.timeToLiveMilliseconds = max(self.configuration.callTimeout.wholeMilliseconds, 1)
    }
    let queue = HealthMessage.queueName(replyTo)
    var bus = request.bus
    if let address = try? QueueAddress(text: replyTo), let holder = self.buses.first(where: { $0.holds(address) }) {
      bus = holder.name
    }
    let first = bus
    return await self.transmit(
      answer, within: timeout,
      first: { try self.route(to: answer.to, queue: queue, on: first) },
      moved: { _ in
        let present = try? await self.routes.route(
          to: answer.to, kind: .synchronous, buses: self.buses, lookUp: self.lookUpByForce(answer.to))
        guard let present, present.bus != first else { return nil }
        return try? self.route(to: answer.to, queue: queue, on: present.bus)
      })
  }

  /// A queue by name on a bus, the register not asked.
  func route(to herID: HerID, queue: String, on bus: BusName) throws(TjenestebussError) -> Route {
    guard let endpoint = self.configuration.endpoint(bus), let host = endpoint.bus.hosts.first else { throw .busUnknown(bus) }
    return Route(
      herID: herID, kind: .synchronousReply, bus: bus, address: QueueAddress(host: host, path: endpoint.bus.path, queue: queue))
  }
}

extension HealthMessage {
  /// Takes over what ties an answer to its question, where it is not set.
  mutating func follow(_ request: HealthMessage) {
    if self.correlationID == nil { self.correlationID = request.correlationID ?? request.messageID }
    typealias Name = PropertyName
    if let parent = request.properties[Name.headerMessageID] {
      if self.properties[Name.parent] == nil { self.properties[Name.parent] = parent }
      if self.properties[Name.conversation] == nil {
        self.properties[Name.conversation] = request.properties[Name.conversation] ?? parent
      }
    }
  }
}

extension HealthMessage.PropertyName {
  /// The id in the payload's own header (MsgHead).
  static let headerMessageID = "X-MessageInfo-MsgId"
  static let parent = "X-MessageInfo-RefToParent"
  static let conversation = "X-MessageInfo-RefToConversation"
}
