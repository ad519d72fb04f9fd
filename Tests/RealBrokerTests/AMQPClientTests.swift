// SPDX-License-Identifier: Apache-2.0

import AMQP
import Foundation
import Synchronization
import Testing

@Suite("AMQP against real brokers: a client that comes back", .serialized, .timeLimit(.minutes(10)))
struct AMQPClientTests {
  private func withClient<Result: Sendable>(
    _ configuration: AMQPConnectionConfiguration, _ body: @Sendable (AMQPClient) async throws -> Result
  ) async throws -> Result {
    let client = AMQPClient(
      configuration, recovery: AMQPRecoveryPolicy(AMQPBackOff(initial: .milliseconds(50), maximum: .seconds(1))))
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await client.run() }
      let result = try await body(client)
      group.cancelAll()
      return result
    }
  }

  private func message(_ number: Int) -> AMQPMessage {
    AMQPMessage(properties: AMQPProperties(messageID: .string("m-\(number)")), body: .data(Array("x".utf8)))
  }

  /// What came, and a way to wait until all that was accepted has.
  private final class Received: Sendable {
    private struct State {
      var ids: Set<String> = []
      var awaited: (ids: Set<String>, continuation: CheckedContinuation<Void, Never>)?
    }
    private let state = Mutex(State())

    func insert(_ id: String) {
      let isComplete = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
        state.ids.insert(id)
        guard let awaited = state.awaited, awaited.ids.isSubset(of: state.ids) else { return nil }
        state.awaited = nil
        return awaited.continuation
      }
      isComplete?.resume()
    }

    func wait(for ids: Set<String>) async {
      await withCheckedContinuation { continuation in
        let isComplete = self.state.withLock { state in
          if ids.isSubset(of: state.ids) { return true }
          state.awaited = (ids, continuation)
          return false
        }
        if isComplete { continuation.resume() }
      }
    }
  }

  @Test(
    "all connections are cut while messages flow: nothing that was accepted is lost, receiving goes on by itself",
    arguments: RealBroker.all)
  func cut(_ broker: RealBroker) async throws {
    try await broker.withVirtualHost { virtualHost in try await self.cut(broker, virtualHost) }
  }

  private func cut(_ broker: RealBroker, _ virtualHost: String) async throws {
    let queue = try await broker.declareQueue("quorum", virtualHost: virtualHost)
    var settings = try broker.configuration()
    settings.virtualHost = "vhost:\(virtualHost)"
    settings.operationTimeout = .seconds(15)
    let received = Received()
    try await self.withClient(settings) { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.withReceiver(from: broker.receiving(from: queue)) { deliveries in
            for try await delivery in deliveries {
              let id = try delivery.message().properties.messageID?.description ?? ""
              do throws(AMQPError) { try delivery.accept() } catch { continue }
              received.insert(id)
            }
          }
        }
        var accepted: Set<String> = []
        for number in 0..<300 {
          if number == 100 || number == 200 { try await broker.control("close_all_connections", "--vhost", virtualHost, "test") }
          do {
            let outcome = try await client.send(self.message(number), to: broker.sending(to: queue))
            if outcome == .accepted { accepted.insert("m-\(number)") }
          } catch let error as AMQPError {
            // Certain not to have left.
            #expect(error.isRetriable, "\(error)")
          }
        }
        #expect(accepted.count >= 290)
        await received.wait(for: accepted)
        group.cancelAll()
      }
    }
  }

  @Test("a wrong password ends the client: it is not tried again")
  func wrongPassword() async throws {
    let client = AMQPClient(try RealBroker.rabbitMQ4.configuration(password: "wrong"))
    let error = await #expect(throws: AMQPError.self) { try await client.run() }
    #expect(error?.code == .loginRefused)
    let send = await #expect(throws: AMQPError.self) { try await client.send(self.message(1), to: "/queues/q") }
    #expect(send?.code == .loginRefused)
  }

  @Test("no bus: sends end at their deadline, and say what the last attempt met")
  func unreachable() async throws {
    var configuration = try RealBroker.rabbitMQ4.configuration()
    configuration.port = 1
    try await self.withClient(configuration) { client in
      let error = await #expect(throws: AMQPError.self) {
        try await client.send(self.message(1), to: "/queues/q", within: .seconds(1))
      }
      #expect(error?.code == .connectTimedOut)
    }
  }

  @Test("more addresses than senders are kept: the oldest is closed, none of the sends fails")
  func manyAddresses() async throws {
    let broker = RealBroker.rabbitMQ4
    var queues: [String] = []
    for _ in 0..<45 { queues.append(try await broker.declareQueue()) }
    try await self.withClient(try broker.configuration()) { [queues] client in
      for round in 0..<2 {
        for queue in queues {
          let outcome = try await client.send(self.message(round), to: broker.sending(to: queue))
          #expect(outcome == .accepted)
        }
      }
    }
  }
}
