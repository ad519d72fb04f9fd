// SPDX-License-Identifier: Apache-2.0

import BusModel
import ForeignPrograms
import Testing
import TjenestebussTesting

@Suite("Microsoft's and RabbitMQ's own Python clients, at the in-memory broker", .serialized)
struct ForeignPythonTests {
  /// Runs a script of `tools/foreign` with the clients of its requirements.
  private func run(_ script: String, _ broker: InMemoryBroker, _ queue: String) async throws -> ForeignProgram.Result {
    try await ForeignPython.run(script, [String(try #require(broker.port)), queue])
  }

  @Test("azure-servicebus: tokens, peek-lock, every settlement, $management, dead letters, schedules")
  func azure() async throws {
    let configuration = InMemoryBroker.Configuration(dialect: .azureServiceBus, queues: ["q"])
    try await InMemoryBroker.withBroker(configuration) { broker in
      let result = try await self.run("azure_client.py", broker, "q")
      #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
      #expect(result.output.hasSuffix("done\n"))
      let left = try await broker.depth(of: "q")
      #expect(left == 0)
    }
  }

  @Test(
    "rabbitmq-amqp-python-client: declare, publish, count, consume, purge, delete",
    arguments: [BrokerProduct.rabbitMQ40, .rabbitMQ43])
  func rabbitMQ(_ product: BrokerProduct) async throws {
    let configuration = InMemoryBroker.Configuration(dialect: .rabbitMQ4AddressV2, anonymousUser: "guest", product: product)
    try await InMemoryBroker.withBroker(configuration) { broker in
      let result = try await self.run("rabbitmq_client.py", broker, "made-by-python")
      #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
      #expect(result.output.hasSuffix("done\n"))
    }
  }
}
