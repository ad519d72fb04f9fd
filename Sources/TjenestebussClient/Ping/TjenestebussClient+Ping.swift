// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging

extension TjenestebussClient {
  /// The longest an echo is worth waiting for; the ping dies within a minute anyway.
  private static let echoTimeout: Duration = .seconds(10)

  /// Swallows a ping or echo, and answers a ping that wants to be.
  ///
  /// - Returns: false when the message is neither, and for the EPJ.
  func swallowPing(_ received: ReceivedMessage) async -> Bool {
    let answer = PingAnswer(
      to: received.message, replyTo: received.replyTo, kind: received.kind, bus: received.bus, buses: self.buses,
      subject: self.configuration.pingSubject, answersPings: self.configuration.answersPings)
    switch answer {
    case .notAPing: return false
    case .swallow:
      self.board.change { $0.counters.pings += 1 }
    case .answer(let queue, let bus):
      self.board.change { $0.counters.pings += 1 }
      let echo = PingForm.echo(of: received.message, readFrom: received.queue, product: self.configuration.product)
      let result = await self.send(echo, toQueue: queue, on: bus, within: Self.echoTimeout)
      if result.isAccepted {
        self.board.change { $0.counters.echoes += 1 }
      } else {
        // The prober sees that no echo came; here it is a line for whoever looks why.
        self.logger.notice(
          "a ping's echo was not accepted",
          metadata: [
            LogKey.bus.rawValue: "\(bus)", LogKey.queue.rawValue: "\(queue)",
            LogKey.messageID.rawValue: "\(received.message.messageID)", LogKey.error.rawValue: "\(result.outcome.code)",
          ])
      }
    }
    return true
  }
}

extension SendResult.Outcome {
  /// The code a log line names.
  var code: String {
    self == .accepted ? "-" : TjenestebussError.notAccepted(messageID: "", outcome: self).stableCode
  }
}
