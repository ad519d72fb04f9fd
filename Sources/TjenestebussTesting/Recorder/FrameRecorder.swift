// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOCore
import NIOPosix

/// A TCP proxy on loopback between a client and an AMQP server: records every frame of both directions in one log, judges them
/// by ``FrameRules`` as they pass, and makes things go wrong on the way when asked to.
///
/// A frame is in the log when it is passed on, so what a client could not have read yet stands after what it sent. Frames hold
/// message contents: they are for tests of made-up messages. Plain TCP only.
package final class FrameRecorder: Sendable {
  package let port: Int
  private let gate: LoopGate
  private let core: NIOLoopBound<RecorderCore>
  private let channel: any Channel

  private init(
    port: Int, gate: LoopGate, core: NIOLoopBound<RecorderCore>, channel: any Channel
  ) {
    self.port = port
    self.gate = gate
    self.core = core
    self.channel = channel
  }

  /// Listens on a free port of loopback and connects each client to `host`:`port`.
  ///
  /// - Parameter keepsFrames: whether the log is kept. The rules judge in any case.
  package static func start(to host: String, port: Int, keepsFrames: Bool = true) async throws -> FrameRecorder {
    let gate = LoopGate()
    let eventLoop = gate.eventLoop
    do {
      let core = try await eventLoop.submit {
        NIOLoopBound(RecorderCore(keepsFrames: keepsFrames, on: eventLoop), eventLoop: eventLoop)
      }.get()
      let channel = try await ServerBootstrap(group: eventLoop)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        // Nothing is read from the client before the server can take it.
        .childChannelOption(.autoRead, value: false)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { client in core.value.connect(client, to: host, port: port) }
        .bind(host: "127.0.0.1", port: 0).get()
      return FrameRecorder(port: channel.localAddress?.port ?? 0, gate: gate, core: core, channel: channel)
    } catch {
      await gate.shutDown()
      throw error
    }
  }

  /// Closes all and stops listening. Idempotent.
  package func stop() async {
    await self.gate.shutDown {
      try? await self.channel.close()
      try? await self.cutAll()
    }
  }

  /// A recorder for the time of `body`.
  package static func withRecorder<Result: Sendable>(
    to host: String, port: Int, keepsFrames: Bool = true, _ body: (FrameRecorder) async throws -> Result
  ) async throws -> Result {
    let recorder = try await FrameRecorder.start(to: host, port: port, keepsFrames: keepsFrames)
    do {
      let result = try await body(recorder)
      await recorder.stop()
      return result
    } catch {
      await recorder.stop()
      throw error
    }
  }

  // MARK: What was seen

  /// All frames that were passed on, in order.
  package func frames() async throws -> [RecordedFrame] { try await self.onLoop { $0.frames } }

  /// What broke a rule, in order.
  package func violations() async throws -> [FrameRules.Violation] { try await self.onLoop { $0.rules.violations } }

  /// How many connections were made through it.
  package func connectionCount() async throws -> Int { try await self.onLoop { $0.lastConnection } }

  /// Calls `body`, and waits for a frame that passes from its beginning on and is as `isMet` wants it, given all violations so far.
  ///
  /// - Throws: what `body` throws; `CancellationError`.
  package func waitForFrame(
    _ isMet: @escaping @Sendable (RecordedFrame, [FrameRules.Violation]) -> Bool, after body: () async throws -> Void
  ) async throws {
    let met = OneShot<Void>()
    let waiter = try await self.onLoop { $0.wait(met, isMet) }
    do {
      try await body()
      try await met.wait()
    } catch {
      try? await self.onLoop { $0.forget(waiter: waiter) }
      throw error
    }
  }

  // MARK: Faults, for connections that stand and those to come

  /// Cuts every connection, both ways.
  package func cutAll() async throws { try await self.onLoop { $0.cutAll() } }

  /// Passes on so many more bytes this way, counted over all connections, then cuts the connection that has the last one.
  package func cut(afterBytes count: Int, _ direction: FrameDirection) async throws {
    try await self.onLoop { $0.faults[direction]?.bytesLeft = count }
  }

  /// Passes on so many more frames this way, counted over all connections, then cuts the connection that has the last one.
  package func cut(afterFrames count: Int, _ direction: FrameDirection) async throws {
    try await self.onLoop { $0.faults[direction]?.framesLeft = count }
  }

  /// Passes on all this way so much later.
  package func delay(_ delay: Duration, _ direction: FrameDirection) async throws {
    try await self.onLoop { $0.faults[direction]?.delay = TimeAmount(delay) }
  }

  /// Swallows all that goes this way; connections stay.
  package func swallow(_ direction: FrameDirection) async throws {
    try await self.onLoop { $0.faults[direction]?.swallows = true }
  }

  /// Writes a frame of the test's own this way on a connection, between two frames of the peer's. It is in no log, and no rule judges
  /// it.
  package func inject(_ frame: AMQPFrame, on connection: Int, _ direction: FrameDirection) async throws {
    let bytes = frame.encoded()
    try await self.onLoop { $0.inject(bytes, on: connection, direction) }
  }

  /// Takes all faults back. What was swallowed is gone: connections that lost bytes should be cut.
  package func clearFaults() async throws {
    try await self.onLoop { core in
      for direction in FrameDirection.allCases { core.faults[direction] = RecorderCore.Fault() }
    }
  }

  private func onLoop<Result: Sendable>(_ body: @escaping @Sendable (RecorderCore) -> Result) async throws -> Result {
    let core = self.core
    return try await self.gate.submit { body(core.value) }
  }
}
