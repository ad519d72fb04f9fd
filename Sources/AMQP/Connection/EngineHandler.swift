// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Who is told what an engine's peer does, on the event loop.
package protocol EngineOwner: AnyObject {
  func handle(_ event: EngineEvent)
  /// The socket takes bytes again.
  func becameWritable()
  /// The engine's output was handed to the channel: there may be room for more.
  func wroteOutput()
  /// The events that came together have been handled.
  func handledEvents()
  /// The channel is gone; `error` is what the channel itself reported, if anything. Called once.
  func channelClosed(_ error: (any Error)?)
}

extension EngineOwner {
  package func wroteOutput() {}
  package func handledEvents() {}
}

/// Carries bytes between a channel and a ``ProtonEngine``, and the time into it.
package final class EngineHandler: ChannelInboundHandler {
  package typealias InboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  package let engine: ProtonEngine
  private var owner: (any EngineOwner)?
  private var context: ChannelHandlerContext?
  private var failure: (any Error)?
  private var tick: Scheduled<Void>?
  private var isPumping = false
  private var output: ByteBuffer?
  private var isClosing = false
  private var lingering: Scheduled<Void>?
  private var resumption: Scheduled<Void>?
  private let mark: LiveCount.Mark

  /// So many bytes are handed over in one turn of the loop, at most a little more: whoever has more to send lets the others' commands
  /// and what comes from the peer pass first, however fast the peer reads.
  private static let turnBound = 1 << 20
  /// A connection that has sent much keeps no more memory than this for the next time.
  private static let keptOutput = 256 << 10
  /// Not at once: the loop runs what is due before it looks at its sockets.
  private static let turnPause = TimeAmount.microseconds(50)
  /// How long the peer's Close is waited for once ours is out. Closing a connection has a shorter limit of its own.
  private static let peersCloseLimit = TimeAmount.seconds(10)
  /// When bytes last came from the peer; nil before the first.
  package private(set) var lastRead: NIODeadline?
  /// When bytes were last handed to the channel; nil before the first.
  package private(set) var lastWrite: NIODeadline?

  package init(engine: ProtonEngine, owner: any EngineOwner) {
    self.engine = engine
    self.owner = owner
    self.mark = LiveCount.Mark(.handler, of: engine.settings.containerID)
  }

  package var eventLoop: (any EventLoop)? { self.context?.eventLoop }

  /// Whether this turn's share has been written: more is to be handed over when the owner is told that there is room.
  private(set) var isPausing = false

  package var isWritable: Bool { self.context?.channel.isWritable ?? false }

  package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  package func handlerRemoved(context: ChannelHandlerContext) { self.finish() }

  package func channelActive(context: ChannelHandlerContext) {
    self.pump()
    context.fireChannelActive()
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = self.unwrapInboundIn(data)
    self.lastRead = context.eventLoop.now
    self.engine.receive(&bytes)
  }

  package func channelReadComplete(context: ChannelHandlerContext) { self.pump() }

  package func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { self.owner?.becameWritable() }
    self.pump()
  }

  package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      self.engine.readClosed()
      self.pump()
    }
    context.fireUserInboundEventTriggered(event)
  }

  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if self.failure == nil { self.failure = error }
    self.closeChannel()
  }

  package func channelInactive(context: ChannelHandlerContext) {
    self.engine.readClosed()
    self.engine.writeClosed()
    self.pump()
    self.finish()
    context.fireChannelInactive()
  }

  /// Closes the channel after Proton's last words: the Close that tells the peer which rule it broke.
  func closeChannelAfterOutput() {
    guard let context = self.context, context.channel.isActive else { return self.closeChannel() }
    var output = context.channel.allocator.buffer(capacity: 512)
    self.engine.takeOutput(into: &output)
    if output.readableBytes > 0 { context.writeAndFlush(self.wrapOutboundOut(output), promise: nil) }
    self.closeChannel()
  }

  /// Closes the channel without more words.
  package func closeChannel() {
    guard let context else { return }
    // Both ways now. Where one may stay open, TLS takes the peer's close_notify for the end of its half alone, and waits five seconds
    // for a close that has come.
    try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
    context.close(promise: nil)
  }

  /// Lets Proton's events out and its bytes through. To be called after any command to the engine.
  package func pump() {
    guard !self.isPumping, let context = self.context else { return }
    self.isPumping = true
    var moved = true
    var written = 0
    // Until neither events nor bytes come: writing bytes out is what makes Proton notice a refused login.
    while moved {
      moved = false
      // Held once for all events, and let go of with the channel.
      let owner = self.owner
      while let event = self.engine.nextEvent() {
        moved = true
        if case .remoteOpened = event {
          // The peer may want heartbeats sooner than the tick that is set: it is set anew.
          self.tick?.cancel()
          self.tick = nil
        }
        if self.owner != nil { owner?.handle(event) }
      }
      self.owner?.handledEvents()
      guard context.channel.isActive else { continue }
      // The same memory as before, where the channel has written it out.
      var output = self.output ?? context.channel.allocator.buffer(capacity: 4_096)
      self.output = nil
      output.clear()
      self.engine.takeOutput(into: &output)
      guard output.readableBytes > 0 else {
        self.output = output
        continue
      }
      moved = true
      self.lastWrite = context.eventLoop.now
      // Flushed now: the next event may be that Proton is done, and its owner closes the channel.
      written += output.readableBytes
      context.writeAndFlush(self.wrapOutboundOut(output), promise: nil)
      if output.capacity <= Self.keptOutput { self.output = output }
      if written >= Self.turnBound { self.isPausing = true }
      if !self.isPausing { self.owner?.wroteOutput() }
    }
    self.isPumping = false
    if self.isPausing { self.resumeLater(context) }
    if self.engine.isWriteClosed, !self.isClosing {
      // Our Close is out. To close TCP before the peer's has come would make a fault of an orderly end: the peer may then meet
      // the closed socket before it has read our last words.
      if self.engine.isReadClosed {
        self.isClosing = true
        self.closeChannel()
        return
      }
      self.waitForPeersClose(context)
    }
    if self.tick == nil { self.scheduleTick(context) }
  }

  private func resumeLater(_ context: ChannelHandlerContext) {
    guard self.resumption == nil else { return }
    self.resumption = context.eventLoop.assumeIsolated().scheduleTask(in: Self.turnPause) { [weak self] in
      guard let self else { return }
      self.resumption = nil
      self.isPausing = false
      self.owner?.becameWritable()
      self.pump()
    }
  }

  /// No longer than ``peersCloseLimit``: a peer that never answers does not hold the socket.
  private func waitForPeersClose(_ context: ChannelHandlerContext) {
    guard self.lingering == nil else { return }
    self.lingering = context.eventLoop.assumeIsolated().scheduleTask(in: Self.peersCloseLimit) { [weak self] in
      self?.closeChannel()
    }
  }

  /// Proton gives the next time at which it must be told the time, and forgets nothing when told later or twice.
  private func scheduleTick(_ context: ChannelHandlerContext) {
    let eventLoop = context.eventLoop
    let now = eventLoop.now
    guard let next = self.engine.tick(nowMilliseconds: Self.milliseconds(now)) else { return }
    let due = NIODeadline.uptimeNanoseconds(UInt64(next) * 1_000_000)
    self.tick = eventLoop.assumeIsolated().scheduleTask(deadline: max(due, now)) { [weak self] in
      guard let self else { return }
      self.tick = nil
      // Told before the pump: what it has to say now, a heartbeat or that the peer is silent, must not wait for the next time.
      _ = self.engine.tick(nowMilliseconds: Self.milliseconds(eventLoop.now))
      self.pump()
    }
  }

  private static func milliseconds(_ time: NIODeadline) -> Int64 { Int64(time.uptimeNanoseconds / 1_000_000) }

  private func finish() {
    self.resumption?.cancel()
    self.resumption = nil
    self.lingering?.cancel()
    self.lingering = nil
    self.tick?.cancel()
    self.tick = nil
    self.context = nil
    guard let owner = self.owner else { return }
    self.owner = nil
    owner.channelClosed(self.failure)
  }
}
