// SPDX-License-Identifier: Apache-2.0

import AMQP
import Disclosure
import Foundation
import Testing

@Suite("AMQP against real brokers: connecting", .serialized)
struct AMQPConnectionTests {
  private func failure(_ configuration: AMQPConnectionConfiguration) async -> AMQPError? {
    do {
      try await AMQPConnection.withConnection(configuration) { _ in }
      return nil
    } catch {
      return error as? AMQPError
    }
  }

  @Test("PLAIN over TCP, and the peer says what it is", arguments: RealBroker.proven)
  func plain(_ broker: RealBroker) async throws {
    try await AMQPConnection.withConnection(try broker.configuration()) { connection in
      let (product, version) = (connection.peer.product ?? "", connection.peer.version ?? "")
      // ActiveMQ's version is a placeholder that its build forgot to fill in.
      let told = broker.dialect == .activeMQ ? product : "\(product) \(version)"
      #expect(!told.isEmpty && (told.hasPrefix(broker.name) || broker.name.hasPrefix(told)), "\(product) \(version)")
    }
  }

  @Test("ANONYMOUS", arguments: RealBroker.proven)
  func anonymous(_ broker: RealBroker) async throws {
    try await AMQPConnection.withConnection(try broker.configuration(login: .anonymous)) { _ in }
  }

  @Test("TLS with the broker's own authority", arguments: RealBroker.proven)
  func tls(_ broker: RealBroker) async throws {
    try await AMQPConnection.withConnection(try broker.secureConfiguration(trusting: true)) { _ in }
  }

  @Test("an authority that is not trusted is refused, by name", arguments: RealBroker.proven)
  func untrusted(_ broker: RealBroker) async throws {
    let error = await self.failure(try broker.secureConfiguration(trusting: false))
    #expect(error?.code == .certificateRefused)
    guard case .unknownIssuer(let issuer)? = error?.certificateProblem else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(issuer == "brokers test CA")
  }

  @Test("a wrong password is refused, even where ANONYMOUS would be let in as guest", arguments: RealBroker.proven)
  func wrongPassword(_ broker: RealBroker) async throws {
    let error = await self.failure(try broker.configuration(password: "wrong"))
    #expect(error?.code == .loginRefused, "\(String(describing: error))")
  }

  /// TLS that waits for nothing gives up after five seconds, and a fortieth of one is what it took.
  @Test("closing over TLS waits for no close_notify that has come", arguments: RealBroker.proven)
  func closesOverTLS(_ broker: RealBroker) async throws {
    let connection = try await AMQPConnection.open(try broker.secureConfiguration(trusting: true))
    let clock = ContinuousClock()
    let begun = clock.now
    await connection.close(within: .seconds(30))
    #expect(clock.now - begun < .seconds(4))
  }

  @Test("TLS towards a port that speaks plain AMQP", arguments: RealBroker.proven)
  func tlsToPlainPort(_ broker: RealBroker) async throws {
    var configuration = try broker.configuration()
    configuration.encryption = .tls()
    configuration.connectTimeout = .seconds(10)
    let error = await self.failure(configuration)
    #expect(error?.isRetriable == true)
    #expect([.notTLS, .tlsFailed, .connectTimedOut, .connectionLost].contains(error?.code))
  }

  @Test("nothing listens, and no such host")
  func unreachable() async throws {
    var configuration = try RealBroker.rabbitMQ4.configuration()
    configuration.port = 1
    #expect(await self.failure(configuration)?.code == .unreachable)
    configuration.host = "no-such-host.invalid"
    configuration.allowsPasswordInClear = true
    #expect(await self.failure(configuration)?.code == .unknownHost)
  }

  @Test("a password is not sent in the clear to another machine")
  func inClear() async throws {
    var configuration = try RealBroker.rabbitMQ4.configuration()
    configuration.host = "192.0.2.1"
    #expect(await self.failure(configuration)?.code == .configurationInvalid)
  }

  @Test("closing twice, and after it every call says that it is closed", arguments: RealBroker.proven)
  func closing(_ broker: RealBroker) async throws {
    let connection = try await AMQPConnection.open(try broker.configuration())
    await connection.close()
    await connection.close()
    #expect(connection.closedReason?.code == .connectionClosed)
    await #expect(throws: AMQPError.self) { try await connection.openSender(to: "/queues/x") }
  }
}

/// Not one after the other: these wait.
@Suite("AMQP against real brokers: heartbeats")
struct AMQPHeartbeatTests {
  @Test("a connection with small heartbeats stands for longer than its idle timeout", arguments: RealBroker.proven)
  func heartbeats(_ broker: RealBroker) async throws {
    var configuration = try broker.configuration()
    configuration.idleTimeout = .seconds(8)
    let connection = try await AMQPConnection.open(configuration)
    let first = try await withThrowingTaskGroup(of: String.self) { group in
      group.addTask { "closed: \(try await connection.waitUntilClosed())" }
      group.addTask {
        // The one wait by the clock here: what is tested is that nothing happens in that time.
        try await Task.sleep(for: .seconds(17))
        return "stands"
      }
      defer { group.cancelAll() }
      return try await group.next()
    }
    #expect(first == "stands")
    await connection.close()
  }
}
