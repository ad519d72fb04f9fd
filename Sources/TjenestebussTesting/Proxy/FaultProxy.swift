// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A TCP proxy on loopback between clients and a bus, with faults that are switched while it runs.
///
/// It knows nothing of what passes, so it works with TLS and with any bus. Delays are drawn from `seed`: the same seed draws
/// the same.
///
/// ```swift
/// try await FaultProxy.withProxy(to: "127.0.0.1", port: brokerPort) { proxy in
///   configuration.port = proxy.port
///   ...
///   try await proxy.inject(.halfOpen)
/// }
/// ```
public final class FaultProxy: Sendable {
  /// The port it listens on, on 127.0.0.1.
  public let port: Int
  private let gate: LoopGate
  private let core: NIOLoopBound<ProxyCore>
  private let channel: any Channel

  private init(port: Int, gate: LoopGate, core: NIOLoopBound<ProxyCore>, channel: any Channel) {
    self.port = port
    self.gate = gate
    self.core = core
    self.channel = channel
  }

  /// Listens on a free port of loopback and connects each client to `host`:`port`.
  ///
  /// - Throws: what the operating system says, when there is no port.
  public static func start(to host: String, port: Int, seed: UInt64 = 1) async throws -> FaultProxy {
    let gate = LoopGate()
    let eventLoop = gate.eventLoop
    do {
      let core = try await eventLoop.submit {
        NIOLoopBound(ProxyCore(to: host, port: port, seed: seed, on: eventLoop), eventLoop: eventLoop)
      }.get()
      let channel = try await ServerBootstrap(group: eventLoop)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        // Nothing is read from the client before the server can take it.
        .childChannelOption(.autoRead, value: false)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { client in core.value.connect(client) }
        .bind(host: "127.0.0.1", port: 0).get()
      return FaultProxy(port: channel.localAddress?.port ?? 0, gate: gate, core: core, channel: channel)
    } catch {
      await gate.shutDown()
      throw error
    }
  }

  /// Closes all connections and stops listening; leaves no descriptor. Idempotent.
  public func stop() async {
    // Returns when every channel of it is closed.
    await self.gate.shutDown {
      try? await self.channel.close()
      try? await self.onLoop { $0.stop() }
    }
  }

  /// A proxy for the time of `body`.
  public static func withProxy<Result: Sendable>(
    to host: String, port: Int, seed: UInt64 = 1, _ body: (FaultProxy) async throws -> Result
  ) async throws -> Result {
    let proxy = try await FaultProxy.start(to: host, port: port, seed: seed)
    do {
      let result = try await body(proxy)
      await proxy.stop()
      return result
    } catch {
      await proxy.stop()
      throw error
    }
  }

  // MARK: Faults

  /// Makes a fault happen, beside those that last. Returns when it has begun.
  ///
  /// - Parameter directions: for `latency`, `halfOpen`, `timeout`, `slicing` and `byteLimit`; the others concern whole connections.
  public func inject(_ fault: NetworkFault, _ directions: ProxyDirections = .both) async throws {
    try await self.onLoop { $0.inject(fault, directions) }
  }

  /// Ends the faults that last, and passes on what they held back. What a half-open connection has lost stays lost.
  public func clear() async throws { try await self.onLoop { $0.clear() } }

  /// Closes the connections that ``NetworkFault/halfOpen`` has forgotten: what both ends do by themselves in the end, when their
  /// idle timeouts are over.
  public func closeHalfOpen() async throws { try await self.onLoop { $0.closeHalfOpen() } }

  public func statistics() async throws -> ProxyStatistics { try await self.onLoop { $0.statistics } }

  /// Waits until the statistics are as `isMet` wants them.
  ///
  /// - Throws: `CancellationError`.
  public func waitUntil(_ isMet: @escaping @Sendable (ProxyStatistics) -> Bool) async throws {
    let met = OneShot<Void>()
    let waiter = try await self.onLoop { $0.wait(met, isMet) }
    do {
      try await met.wait()
    } catch {
      try? await self.onLoop { $0.forget(waiter: waiter) }
      throw error
    }
  }

  private func onLoop<Result: Sendable>(_ body: @escaping @Sendable (ProxyCore) -> Result) async throws -> Result {
    let core = self.core
    return try await self.gate.submit { body(core.value) }
  }
}
