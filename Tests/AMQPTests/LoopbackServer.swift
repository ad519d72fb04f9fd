// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL

@testable import AMQP

/// A server that lets everyone in, accepts every message and sends none; what it does otherwise is the test's to say.
final class LoopbackServer: ServerDelegate {
  struct Manners: Sendable {
    var idleTimeoutMilliseconds: UInt32 = 60_000
    /// Whether messages get an outcome.
    var answers = true
    var credit = 10
    /// Told of each message that came.
    var delivered: @Sendable () -> Void = {}
    /// Gets each message's bytes.
    var payload: @Sendable ([UInt8]) -> Void = { _ in }
    /// Given each message that came.
    var deliveredTransfer: @Sendable (IncomingTransfer) -> Void = { _ in }
    /// Whether attaches are answered.
    var answersAttach = true
    /// A client's receiver has credit now: link, credit, whether to drain. Drained at once where nothing is said.
    var credited: @Sendable (LinkID, Int, Bool, ServerConnection) -> Void = { link, _, drain, connection in
      if drain { connection.drained(link) }
    }
    /// A client stated an outcome for a message we sent, or settled it. Settled here, too, where nothing is said.
    var disposed: @Sendable (DeliveryID, LinkID, AMQPOutcome?, Bool, ServerConnection) -> Void = {
      delivery, _, _, _, connection in
      connection.settle(delivery)
    }
    var mechanisms = ["PLAIN", "ANONYMOUS"]
    /// Whether these may enter.
    var mayEnter: @Sendable (ServerCredentials) -> Bool = { _ in true }
    var tls: NIOSSLContext?
  }

  private let manners: Manners

  init(_ manners: Manners) { self.manners = manners }

  /// Runs a server on a free port for the time of `body`.
  static func run<Result: Sendable>(
    _ manners: Manners = Manners(), _ body: (AMQPConnectionConfiguration) async throws -> Result
  ) async throws -> Result {
    let eventLoop = NIOSingletons.posixEventLoopGroup.any()
    // Kept alive to the end: a connection holds its delegate weakly.
    let delegate = try await eventLoop.submit {
      NIOLoopBound<any ServerDelegate>(LoopbackServer(manners), eventLoop: eventLoop)
    }.get()
    let settings = AMQPServer.Settings(
      containerID: "loopback", mechanisms: manners.mechanisms, idleTimeoutMilliseconds: manners.idleTimeoutMilliseconds,
      tls: manners.tls)
    let server = try await AMQPServer.bind(host: "127.0.0.1", port: 0, on: eventLoop, settings: settings, delegate: delegate)
    let configuration = AMQPConnectionConfiguration(
      host: "127.0.0.1", port: server.port, encryption: .none, login: .anonymous, containerID: "test")
    do {
      let result = try await body(configuration)
      await server.close()
      withExtendedLifetime(delegate) {}
      return result
    } catch {
      await server.close()
      throw error
    }
  }

  func login(_ credentials: ServerCredentials, on connection: ServerConnection) -> Bool { self.manners.mayEnter(credentials) }
  func opened(_ connection: ServerConnection, _ open: PeerOpen) {}
  func attached(_ link: LinkID, _ session: SessionID, role: LinkRole, _ attach: PeerAttach, on connection: ServerConnection) {
    guard self.manners.answersAttach else { return }
    connection.accept(link)
    if role == .receiver { connection.grant(self.manners.credit, on: link) }
  }
  func detached(_ link: LinkID, on connection: ServerConnection) {}
  func ended(_ session: SessionID, on connection: ServerConnection) {}
  func credited(_ link: LinkID, credit: Int, drain: Bool, on connection: ServerConnection) {
    self.manners.credited(link, credit, drain, connection)
  }
  func delivered(_ transfer: IncomingTransfer, _ link: LinkID, on connection: ServerConnection) {
    self.manners.delivered()
    self.manners.deliveredTransfer(transfer)
    self.manners.payload(transfer.payload)
    guard self.manners.answers else { return }
    connection.settle(transfer.delivery, .accepted)
    connection.grant(1, on: link)
  }
  func disposed(
    _ delivery: DeliveryID, _ link: LinkID, _ outcome: AMQPOutcome?, settled: Bool, on connection: ServerConnection
  ) { self.manners.disposed(delivery, link, outcome, settled, connection) }
  func closed(_ connection: ServerConnection) {}
}
