// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging
import NIOCore
import ServiceLifecycle
import NIOConcurrencyHelpers

/// One connection to one bus that is never given up: ``AMQPClient`` reconnects, and where it ends because trying again at
/// once cannot help (password refused, certificate not trusted), the lane makes a new one after a longer wait. The other
/// buses go on meanwhile; a password that the bus's directory refused for a minute does not stop a hospital's mail until
/// somebody restarts it.
final class BusLane: Sendable {
  let endpoint: BusEndpoint
  private let configuration: TjenestebussConfiguration
  private let role: String
  private let group: (any EventLoopGroup)?
  private let logger: Logger
  private let current: NIOLockedValueBox<AMQPClient>
  private let onState: (@Sendable (AMQPClientState) -> Void)?

  init(
    _ endpoint: BusEndpoint, role: String, configuration: TjenestebussConfiguration, on group: (any EventLoopGroup)?,
    logger: Logger, onState: (@Sendable (AMQPClientState) -> Void)? = nil
  ) {
    self.endpoint = endpoint
    self.configuration = configuration
    self.role = role
    self.group = group
    self.logger = logger
    self.onState = onState
    self.current = NIOLockedValueBox(Self.makeClient(endpoint, role, configuration, group, logger))
  }

  private static func makeClient(
    _ endpoint: BusEndpoint, _ role: String, _ configuration: TjenestebussConfiguration, _ group: (any EventLoopGroup)?,
    _ logger: Logger
  ) -> AMQPClient {
    AMQPClient(
      endpoint.amqpConfiguration(role: role, product: configuration.product, operationTimeout: configuration.sendTimeout),
      recovery: AMQPRecoveryPolicy(configuration.backOff), on: group, logger: logger)
  }

  /// The client in use now. After it has ended for good it is replaced by a new one.
  var client: AMQPClient { self.current.withLockedValue { $0 } }

  /// Keeps the connection until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      let client = self.client
      do {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { [onState = self.onState] in
            for await state in client.states where state.subject == .connection(.sending) { onState?(state) }
          }
          // The states end when the client does, with the reason last: nothing to cancel.
          try await client.run()
        }
        return
      } catch {
        self.logger.error(
          "the bus refuses us; trying again later, the other buses go on",
          metadata: [
            LogKey.bus.rawValue: "\(self.endpoint.name)", LogKey.error.rawValue: "\((error as? AMQPError)?.stableCode ?? "-")",
            LogKey.waitMilliseconds.rawValue: "\(self.configuration.refusedBusRetry.components.seconds * 1_000)",
          ])
        do { try await ContinuousClock().sleep(for: self.configuration.refusedBusRetry) } catch { return }
        self.current.withLockedValue {
          $0 = Self.makeClient(self.endpoint, self.role, self.configuration, self.group, self.logger)
        }
      }
    }
  }
}
