// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import TjenestebussClient

/// What the one task that carries a queue's messages is told of.
enum ForwardingInput: Sendable {
  case event(ForwardMachine.Event)
  case target(epoch: Int, BusEndpoint, AMQPSender)
  /// - Parameter idleTimeout: what the bus stated: it goes by it when we fall silent.
  case source(epoch: Int, Dialect, AMQPReceiver, idleTimeout: Duration)
  case deliveries(epoch: Int, [IncomingTransfer])
  case ends(epoch: Int, [AMQPParcelEnd])
  case stop
}
