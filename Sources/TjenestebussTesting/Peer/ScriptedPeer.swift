// SPDX-License-Identifier: Apache-2.0

import AMQP
import Disclosure
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

/// An AMQP 1.0 peer on loopback that follows a script, frame by frame: for what a client does when a bus does what no real bus
/// does on demand.
///
/// It writes raw frames and checks nothing of what it writes, so a script can misbehave in any way. It reads what the client sends
/// and compares it with the script; at the first difference it ends the connection, and ``verify(within:)`` tells what was expected
/// and what came.
///
/// ```swift
/// try await ScriptedPeer.withPeer([
///   .opening(), .sender(to: "/queues/93238_async", credit: 1),
///   .expect(.transfer(messageID: "m-1")), .respond(.disposition(.released)),
/// ]) { peer in
///   try await AMQPConnection.withConnection(peer.clientConfiguration()) { connection in
///     let sender = try await connection.openSender(to: "/queues/93238_async")
///     let outcome = try await sender.send(message)   // .released
///   }
/// }
/// ```
///
/// Each connection has a script of its own, in order of connecting; further connections are ended at once. After the last step
/// the peer answers Detach, End and Close and passes over all else. Every wait for the client is bounded by `patience`.
public final class ScriptedPeer: Sendable {
  /// The port it listens on, on 127.0.0.1.
  public let port: Int
  private let isEncrypted: Bool
  private let gate: LoopGate
  private let channel: any Channel
  private let stage: PeerStage

  private init(port: Int, isEncrypted: Bool, gate: LoopGate, channel: any Channel, stage: PeerStage) {
    self.port = port
    self.isEncrypted = isEncrypted
    self.gate = gate
    self.channel = channel
    self.stage = stage
  }

  // MARK: Life

  /// Listens on a free port of loopback.
  ///
  /// - Parameters:
  ///   - scripts: one for each connection, in the order in which they come.
  ///   - ignoring: frames of these kinds are passed over where they are not expected; Begin, Detach and End, if among them,
  ///     are answered. Default: flow, which clients send when they see fit.
  ///   - patience: how long a step waits for the client. Default 30 s: it only guards against hanging.
  ///   - tls: the server's certificate and key; nil, the default, for plain TCP.
  /// - Throws: ``ScriptedPeerError`` `notStarted`.
  public static func start(
    connections scripts: [[PeerStep]], ignoring: Set<PeerFrame.Kind> = [.flow], patience: Duration = .seconds(30),
    tls: BrokerTLS? = nil
  ) async throws -> ScriptedPeer {
    let stage = PeerStage(scripts, ignoring: ignoring, patience: patience)
    let gate = LoopGate()
    do {
      let context = try tls.map(ScriptedPeer.context)
      let channel = try await ServerBootstrap(group: gate.eventLoop)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .childChannelInitializer { client in
          client.eventLoop.makeCompletedFuture {
            if let context { try client.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
            try client.pipeline.syncOperations.addHandler(PeerConnectionHandler(stage, gate))
          }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      return ScriptedPeer(
        port: channel.localAddress?.port ?? 0, isEncrypted: tls != nil, gate: gate, channel: channel, stage: stage)
    } catch {
      await gate.shutDown()
      throw ScriptedPeerError(.notStarted, tried: "start a scripted peer", seen: String(describing: error))
    }
  }

  /// A peer with one script for the time of `body`; verified at the end.
  ///
  /// - Throws: what `body` throws, and ``ScriptedPeerError`` when the script was not followed to its end. When both went wrong it
  ///   is the script's error: a client that is answered otherwise than it expects fails in consequence.
  public static func withPeer<Result: Sendable>(
    _ script: [PeerStep], ignoring: Set<PeerFrame.Kind> = [.flow], patience: Duration = .seconds(30), tls: BrokerTLS? = nil,
    _ body: (ScriptedPeer) async throws -> Result
  ) async throws -> Result {
    try await ScriptedPeer.withPeer(connections: [script], ignoring: ignoring, patience: patience, tls: tls, body)
  }

  /// A peer with one script for each connection, for the time of `body`; verified at the end.
  public static func withPeer<Result: Sendable>(
    connections scripts: [[PeerStep]], ignoring: Set<PeerFrame.Kind> = [.flow], patience: Duration = .seconds(30),
    tls: BrokerTLS? = nil, _ body: (ScriptedPeer) async throws -> Result
  ) async throws -> Result {
    let peer = try await ScriptedPeer.start(connections: scripts, ignoring: ignoring, patience: patience, tls: tls)
    do {
      let result = try await body(peer)
      try await peer.verify(within: patience)
      await peer.stop()
      return result
    } catch {
      let failure = peer.failure
      await peer.stop()
      guard var failure, failure != error as? ScriptedPeerError else { throw error }
      failure.seen += "; the test then ended with: \(error)"
      throw failure
    }
  }

  /// Ends all connections and stops listening. Idempotent.
  public func stop() async {
    // Closes the connections that stand.
    await self.gate.shutDown { try? await self.channel.close() }
    self.stage.stopped()
  }

  /// How a client of ours connects: by PLAIN as guest.
  ///
  /// - Parameter authorities: PEM files to trust, where the peer has TLS.
  public func clientConfiguration(
    authorities: [String] = [], containerID: String = "test-client", idleTimeout: Duration = .seconds(60)
  ) -> AMQPConnectionConfiguration {
    AMQPConnectionConfiguration(
      host: self.isEncrypted ? "localhost" : "127.0.0.1", port: self.port,
      encryption: self.isEncrypted ? .tls(authorities: authorities) : .none,
      login: .plain(user: "guest", password: Secret("guest")), containerID: containerID, idleTimeout: idleTimeout)
  }

  // MARK: The script and the test

  /// Lets the script go on from ``PeerStep/hold(_:file:line:)``, of every connection; also beforehand.
  public func release(_ hold: String) { self.stage.release(hold) }

  /// Waits until a script has come to this hold.
  ///
  /// - Throws: ``ScriptedPeerError`` when a script fails first, or `notReached` after `timeout`; `CancellationError`.
  public func waitUntilHeld(_ hold: String, within timeout: Duration = .seconds(30)) async throws {
    let reached = self.stage.hold(hold)
    let cancelTimer = self.gate.after(timeout) {
      let late = ScriptedPeerError(.notReached, tried: "wait \(timeout) for the hold \"\(hold)\"", seen: "no script came to it")
      reached.fulfil(.failure(late))
    }
    defer { cancelTimer() }
    try await reached.wait().get()
  }

  /// How many connections have come so far, those without a script too.
  public var connectionCount: Int { self.stage.connectionCount }

  /// The first difference between script and client; nil when there was none so far.
  public var failure: ScriptedPeerError? { self.stage.failure }

  /// Waits until all scripts have been played to their ends.
  ///
  /// - Throws: ``ScriptedPeerError``: the first difference, or `notReached` with all steps that were not reached by then.
  public func verify(within timeout: Duration = .seconds(30)) async throws {
    let done = self.stage.done
    let stage = self.stage
    let cancelTimer = self.gate.after(timeout) { done.fulfil(.failure(stage.notReached(in: timeout))) }
    defer { cancelTimer() }
    try await done.wait().get()
  }

  private static func context(_ files: BrokerTLS) throws -> NIOSSLContext {
    var server = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile(files.certificateChain).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: files.privateKey, format: .pem)))
    server.minimumTLSVersion = .tlsv12
    return try NIOSSLContext(configuration: server)
  }
}
