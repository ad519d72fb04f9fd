// SPDX-License-Identifier: Apache-2.0

@testable import AMQP
import BusModel
import Disclosure
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

@testable import TjenestebussClient

/// A bus that does what the brokers in memory do not do on demand: refuses senders with a condition of the test's choice, hands out
/// one message and takes it back.
final class ObstinateBus: ServerDelegate, Sendable {
  private struct State {
    var sent: DeliveryID?
    var connection: NIOLoopBound<ServerConnection>?
    var link: LinkID?
  }

  private let refusal: AMQPCondition?
  private let payload: [UInt8]
  private let state = NIOLockedValueBox(State())

  private init(_ refusal: AMQPCondition?, _ message: AMQPMessage) {
    self.refusal = refusal
    self.payload = message.encoded()
  }

  /// - Parameters:
  ///   - refusal: why senders are refused; nil when they are not.
  ///   - message: handed to each receiver that comes; again when it was given back.
  static func run(
    refusingSenders refusal: AMQPCondition? = nil, handingOut message: AMQPMessage = AMQPMessage(body: .data([1])),
    _ body: (ObstinateBus, BusEndpoint) async throws -> Void
  ) async throws {
    let eventLoop = NIOSingletons.posixEventLoopGroup.any()
    let bus = ObstinateBus(refusal, message)
    let settings = AMQPServer.Settings(
      containerID: "obstinate", mechanisms: ["PLAIN"], idleTimeoutMilliseconds: 60_000, properties: [:], tls: nil)
    // Kept alive to the end: a connection holds its delegate weakly.
    let delegate = try await eventLoop.submit { NIOLoopBound<any ServerDelegate>(bus, eventLoop: eventLoop) }.get()
    let server = try await AMQPServer.bind(host: "127.0.0.1", port: 0, on: eventLoop, settings: settings, delegate: delegate)
    let endpoint = BusEndpoint(
      bus: Bus(name: "obstinate", dialect: .rabbitMQ4AddressV2, hosts: ["ob"], path: "NHN"),
      connection: BusConnectionString(
        host: "127.0.0.1", port: server.port, encrypted: false, user: "guest", password: Secret("guest"), path: "NHN"))
    do { try await body(bus, endpoint) } catch {
      await server.close()
      throw error
    }
    await server.close()
    withExtendedLifetime(delegate) {}
  }

  /// Takes back the message that was handed out, as RabbitMQ 4.3 does after its consumer timeout.
  func withdraw() {
    let (delivery, connection) = self.state.withLockedValue { ($0.sent, $0.connection) }
    guard let delivery, let connection else { return }
    connection.eventLoop.execute {
      connection.value.withdraw(delivery)
      connection.value.flush()
    }
  }

  func login(_ credentials: ServerCredentials, on connection: ServerConnection) -> Bool { true }
  func opened(_ connection: ServerConnection, _ open: PeerOpen) {}

  func attached(_ link: LinkID, _ session: SessionID, role: LinkRole, _ attach: PeerAttach, on connection: ServerConnection) {
    if role == .receiver, let refusal {
      connection.refuse(link, refusal)
      return
    }
    connection.accept(link)
    if role == .receiver { connection.grant(10, on: link) }
  }

  func detached(_ link: LinkID, on connection: ServerConnection) {}
  func ended(_ session: SessionID, on connection: ServerConnection) {}

  func credited(_ link: LinkID, credit: Int, drain: Bool, on connection: ServerConnection) {
    if drain { connection.drained(link) }
    guard credit > 0, self.state.withLockedValue({ $0.sent == nil }) else { return }
    self.handOut(on: link, connection)
  }

  private func handOut(on link: LinkID, _ connection: ServerConnection) {
    guard let delivery = connection.send(self.payload, on: link, settled: false) else { return }
    let eventLoop = connection.handler?.eventLoop
    self.state.withLockedValue { state in
      state.sent = delivery
      state.link = link
      state.connection = eventLoop.map { NIOLoopBound(connection, eventLoop: $0) }
    }
  }

  func delivered(_ transfer: IncomingTransfer, _ link: LinkID, on connection: ServerConnection) {
    connection.settle(transfer.delivery, .accepted)
    connection.grant(1, on: link)
  }

  func disposed(
    _ delivery: DeliveryID, _ link: LinkID, _ outcome: AMQPOutcome?, settled: Bool, on connection: ServerConnection
  ) {
    connection.settle(delivery)
    // RabbitMQ 4.3 gives the link nothing more until what it took back is settled as accepted; released leaves it locked.
    guard settled, outcome == .accepted, self.state.withLockedValue({ $0.sent == delivery }) else { return }
    self.handOut(on: link, connection)
  }

  func closed(_ connection: ServerConnection) {}
}
