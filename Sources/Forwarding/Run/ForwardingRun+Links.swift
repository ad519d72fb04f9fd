// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import TjenestebussClient

/// The links of a run: attached and looked at by tasks of their own, which put what comes of it into the inbox.
extension ForwardingRun {
  static func attachSource(_ forwarder: Forwarder, _ epoch: Int, _ inbox: Inbox<ForwardingInput>) async {
    let tried = "forward \(forwarder.route)"
    do throws(AMQPError) {
      guard let endpoint = try await forwarder.line.sourceEnd.spoken(for: forwarder.sourceQueue) else {
        return inbox.put(.event(.sourceFailed(epoch: epoch, LinkFailure.dialectUnknown(forwarder.line.source, tried))))
      }
      let connection = try await forwarder.line.sourceEnd.connection()
      // The machine says at once how many.
      let receiver = try await connection.openReceiver(
        from: endpoint.receivingAddress(ofQueue: forwarder.sourceQueue).text, credit: 1)
      inbox.put(.source(epoch: epoch, endpoint.dialect, receiver, idleTimeout: connection.peer.idleTimeout))
    } catch {
      inbox.put(.event(.sourceFailed(epoch: epoch, LinkFailure.source(error, tried))))
    }
  }

  static func attachTarget(_ forwarder: Forwarder, _ epoch: Int, _ inbox: Inbox<ForwardingInput>) async {
    let tried = "forward \(forwarder.route)"
    do throws(AMQPError) {
      guard let endpoint = try await forwarder.line.targetEnd.spoken(for: forwarder.targetQueue) else {
        return inbox.put(.event(.targetFailed(epoch: epoch, LinkFailure.dialectUnknown(forwarder.line.target, tried))))
      }
      let connection = try await forwarder.line.targetEnd.connection()
      var address = endpoint.sendingAddress(ofQueue: forwarder.targetQueue).text
      if endpoint.dialect.losesUnseen {
        // It says accepted for a queue that is not there, and for a key that is not bound: so straight to the queue, and only after the
        // bus has let a receiver see it.
        address = LinkAddress.sending(to: forwarder.targetQueue, path: "", dialect: endpoint.dialect).text
        try await Self.see(forwarder, endpoint).close(within: .seconds(1))
      }
      let sender = try await connection.openSender(to: address)
      inbox.put(.target(epoch: epoch, endpoint, sender))
    } catch {
      inbox.put(.event(.targetFailed(epoch: epoch, LinkFailure.target(error, tried))))
    }
  }

  /// A receiver with a credit of 0, which takes nothing: the bus refuses it where the queue is not there.
  private static func see(_ forwarder: Forwarder, _ endpoint: BusEndpoint) async throws(AMQPError) -> AMQPReceiver {
    try await forwarder.line.targetEnd.connection().openReceiver(
      from: endpoint.receivingAddress(ofQueue: forwarder.targetQueue).text, credit: 0)
  }

  /// Whether the target queue is there after all that the bus has accepted by now. It is asked anew each time: a receiver that stays would
  /// be the only one that is served where a queue has a single active consumer, and RabbitMQ 3 does not tell it of a deletion (a
  /// queue that is declared anew at once even gets it back).
  static func look(
    _ forwarder: Forwarder, _ endpoint: BusEndpoint, _ sender: (epoch: Int, link: AMQPSender), _ look: Int,
    _ inbox: Inbox<ForwardingInput>
  ) async {
    do throws(AMQPError) {
      let receiver = try await Self.see(forwarder, endpoint)
      inbox.put(.event(.queueSeen(epoch: sender.epoch, look: look)))
      await receiver.close(within: .seconds(1))
    } catch {
      let failure = LinkFailure.unseen(error, "forward \(forwarder.route)")
      // First of all nothing more may leave: the queue may be there again in a moment, without what was lost.
      sender.link.withdrawParcels { inbox.put(.event(.queueNotSeen(epoch: sender.epoch, failure, unsent: $0))) }
      await sender.link.close(within: .seconds(1))
    }
  }
}
