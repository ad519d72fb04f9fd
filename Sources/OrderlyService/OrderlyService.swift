// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle

/// A service whose cancelling is a graceful shutdown.
///
/// A Hummingbird server whose task is cancelled while a connection waits to be taken up traps (`NIOAsyncWriter` is deinitialised without
/// having been finished), and takes the process with it. Here the server runs in a task that cancelling does not reach; cancelling, like
/// the shutdown of a group around it, lets it stop taking connections, answer what it has taken, and end.
package struct OrderlyService<Inner: Service>: Service {
  private let inner: Inner
  private let limit: Duration
  private let logger: Logger

  /// - Parameter limit: how long answers under way may take once it is to end; then they are cancelled.
  package init(_ inner: Inner, within limit: Duration = .seconds(30), logger: Logger) {
    self.inner = inner
    self.limit = limit
    self.logger = logger
  }

  package func run() async throws {
    var settings = ServiceGroupConfiguration(services: [self.inner], logger: self.logger)
    settings.maximumGracefulShutdownDuration = self.limit
    let group = ServiceGroup(configuration: settings)
    // Unstructured, so that cancelling does not reach it; it is awaited below, and its end is bounded.
    let running = Task { try await group.run() }
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await running.value
      } onGracefulShutdown: {
        Task { await group.triggerGracefulShutdown() }
      }
    } onCancel: {
      Task { await group.triggerGracefulShutdown() }
    }
  }
}
