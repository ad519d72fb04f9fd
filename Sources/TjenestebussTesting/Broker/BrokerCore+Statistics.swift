// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// ActiveMQ's statistics plugin, as far as counting goes, and the queues that it makes for a receiver of answers.
extension BrokerCore {
  private static let prefix = "ActiveMQ.Statistics.Destination."
  private static let ending = "ActiveMQ.Statistics.Destination.List.End.With.Null"
  private static let temporary = "temp-queue://"

  /// A queue for a receiver that asked for one of its own.
  func declareTemporaryQueue(for connection: ServerConnection) -> String {
    self.lastSequence += 1
    let name = "\(Self.temporary)in-memory-\(connection.number)-\(self.lastSequence)"
    self.declare(BrokerQueue(name, deadLetter: .none))
    return name
  }

  /// It lives as long as its receiver.
  func receiverGone(from queue: String) {
    if queue.hasPrefix(Self.temporary), self.queues[queue]?.machine.consumerCount == 0 { _ = self.delete(queue) }
  }

  /// - Returns: whether the message was a question, and is answered.
  func answersStatistics(_ message: BrokerMessage, to destination: BrokerAddress) -> Bool {
    guard self.product == .activeMQ, self.configuration.answersStatistics, case .queue(let name, _) = destination,
      name.hasPrefix(Self.prefix), let replyTo = message.properties.replyTo
    else { return false }
    let wanted = name.dropFirst(Self.prefix.count).replacing(Self.ending, with: "")
    let answers = replyTo.hasPrefix("queue://") ? String(replyTo.dropFirst(8)) : replyTo
    func answer(_ map: AMQPMap) {
      let answer = AMQPMessage(
        header: nil, properties: AMQPProperties(correlationID: message.properties.correlationID), body: .value(.map(map)))
      _ = self.put(BrokerMessage(answer.encoded()), into: answers, isSent: false)
    }
    for (queue, found) in self.queues.sorted(by: { $0.key < $1.key }) where wanted == ">" || queue == wanted {
      if wanted == ">", queue.hasPrefix(Self.temporary) { continue }
      answer([
        "destinationName": .string("queue://\(queue)"), "size": .long(Int64(found.machine.depth)),
        "inflightCount": .long(Int64(found.machine.lockedCount)), "consumerCount": .long(Int64(found.machine.consumerCount)),
        "enqueueCount": .long(Int64(found.arrived)), "dequeueCount": .long(Int64(found.consumed)),
      ])
    }
    if name.hasSuffix(Self.ending) { answer([:]) }
    return true
  }
}
