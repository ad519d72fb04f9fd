// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation

/// What both commands are told.
struct StageOptions: ParsableArguments {
  enum Brokers: String, Sendable, CaseIterable, ExpressibleByArgument { case embedded, rabbitmq }

  @Option(help: "Where id logs, ledger, databases and the daemon's log are written.")
  var directory: String

  @Option(help: "embedded: two in-memory brokers; rabbitmq: those that scripts/with-brokers started.")
  var brokers = Brokers.embedded

  @Option(help: "The bus-migrator program.")
  var migrator: String

  @Option(help: "Fewer accepted messages are a failure.")
  var minimumSent = 5_000

  var settings: Stage.Settings {
    Stage.Settings(
      directory: URL(fileURLWithPath: self.directory), migrator: URL(fileURLWithPath: self.migrator),
      minimumSent: self.minimumSent)
  }

  /// Starts the buses and holds one rehearsal.
  func hold(_ settings: Stage.Settings, terminal: Terminal) async throws -> Stage.Result {
    let http = HTTPClient(eventLoopGroupProvider: .singleton)
    do {
      let result = try await self.hold(settings, terminal: terminal, http: http)
      try await http.shutdown()
      return result
    } catch {
      try? await http.shutdown()
      throw error
    }
  }

  private func hold(_ settings: Stage.Settings, terminal: Terminal, http: HTTPClient) async throws -> Stage.Result {
    switch self.brokers {
    case .rabbitmq:
      let buses = try RabbitMQBuses(environment: ProcessInfo.processInfo.environment, http: http)
      return try await Stage(settings, buses: buses, terminal: terminal).hold(http: http)
    case .embedded:
      let buses = try await EmbeddedBuses.start()
      do {
        let result = try await Stage(settings, buses: buses, terminal: terminal).hold(http: http)
        await buses.stop()
        return result
      } catch {
        await buses.stop()
        throw error
      }
    }
  }
}
