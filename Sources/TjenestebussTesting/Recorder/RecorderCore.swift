// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOCore
import NIOPosix

/// The recorder on its event loop.
final class RecorderCore {
  struct Fault {
    var bytesLeft: Int?
    var framesLeft: Int?
    var delay: TimeAmount?
    var swallows = false
  }

  let eventLoop: any EventLoop
  private let keepsFrames: Bool
  private(set) var frames: [RecordedFrame] = []
  private(set) var rules = FrameRules()
  private(set) var lastConnection = 0
  var faults: [FrameDirection: Fault] = [.toServer: Fault(), .toClient: Fault()]
  private var legs: [Int: (RecorderLeg, RecorderLeg)] = [:]
  private var waiters: [Int: (isMet: @Sendable (RecordedFrame, [FrameRules.Violation]) -> Bool, met: OneShot<Void>)] = [:]
  private var lastWaiter = 0

  init(keepsFrames: Bool, on eventLoop: any EventLoop) {
    self.keepsFrames = keepsFrames
    self.eventLoop = eventLoop
  }

  /// Connects a client that has come to the server.
  func connect(_ client: any Channel, to host: String, port: Int) -> EventLoopFuture<Void> {
    self.lastConnection += 1
    let number = self.lastConnection
    let toServer = RecorderLeg(number, .toServer, self)
    let toClient = RecorderLeg(number, .toClient, self)
    self.legs[number] = (toServer, toClient)
    let bound = NIOLoopBound((self, toServer, toClient), eventLoop: self.eventLoop)
    return ClientBootstrap(group: self.eventLoop)
      .channelOption(.autoRead, value: false)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { server in
        server.eventLoop.makeCompletedFuture { try server.pipeline.syncOperations.addHandler(bound.value.2) }
      }
      .connect(host: host, port: port)
      .flatMapThrowing { server in
        let (_, toServer, toClient) = bound.value
        toServer.destination = server
        toClient.destination = client
        try client.pipeline.syncOperations.addHandler(toServer)
      }
      .flatMap { client.setOption(.autoRead, value: true) }
      .flatMap {
        guard let server = bound.value.1.destination else { return client.eventLoop.makeSucceededVoidFuture() }
        return server.setOption(.autoRead, value: true)
      }
      .flatMapErrorThrowing { error in
        bound.value.0.forget(number)
        throw error
      }
  }

  func forget(_ connection: Int) { self.legs[connection] = nil }

  func cutAll() {
    for (_, pair) in self.legs {
      pair.0.cut()
      pair.1.cut()
    }
    self.legs = [:]
  }

  func inject(_ bytes: [UInt8], on connection: Int, _ direction: FrameDirection) {
    guard let pair = self.legs[connection] else { return }
    (direction == .toServer ? pair.0 : pair.1).inject(bytes)
  }

  func record(_ cut: FrameCutter.Cut, _ connection: Int, _ direction: FrameDirection) {
    let recorded = RecordedFrame(connection: connection, direction: direction, size: cut.size, frame: cut.frame)
    self.rules.observe(recorded)
    if self.keepsFrames { self.frames.append(recorded) }
    for (number, waiter) in self.waiters where waiter.isMet(recorded, self.rules.violations) {
      self.waiters[number] = nil
      waiter.met.fulfil(())
    }
  }

  func wait(_ met: OneShot<Void>, _ isMet: @escaping @Sendable (RecordedFrame, [FrameRules.Violation]) -> Bool) -> Int {
    self.lastWaiter += 1
    self.waiters[self.lastWaiter] = (isMet, met)
    return self.lastWaiter
  }

  func forget(waiter: Int) { self.waiters[waiter] = nil }

  func recordGarbage(_ connection: Int, _ direction: FrameDirection) {
    self.rules.observeGarbage(connection: connection, direction: direction)
  }
}

/// One direction of one connection: reads on the channel it is in, writes to its destination.
final class RecorderLeg: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let connection: Int
  private let direction: FrameDirection
  private let core: RecorderCore
  private var source: (any Channel)?
  var destination: (any Channel)?
  private var cutter = FrameCutter()
  private var isReadable = true
  private var position = 0
  private var injected: [UInt8] = []
  /// Nothing is passed on before what came earlier.
  private var earliest = NIODeadline.uptimeNanoseconds(0)

  init(_ connection: Int, _ direction: FrameDirection, _ core: RecorderCore) {
    self.connection = connection
    self.direction = direction
    self.core = core
  }

  func handlerAdded(context: ChannelHandlerContext) { self.source = context.channel }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = self.unwrapInboundIn(data)
    self.inOrder { $0.passOn(bytes) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      self.inOrder { $0.destination?.close(mode: .output, promise: nil) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.inOrder { leg in
      leg.destination?.close(promise: nil)
      leg.core.forget(leg.connection)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Cuts both ways, without a word.
  func cut() {
    self.source?.close(promise: nil)
    self.destination?.close(promise: nil)
  }

  /// Writes bytes that the source has not sent, as soon as a frame of its own has ended.
  func inject(_ bytes: [UInt8]) {
    self.injected += bytes
    self.inOrder { $0.writeInjected() }
  }

  private func writeInjected() {
    guard !self.injected.isEmpty, self.cutter.isBetweenFrames else { return }
    self.destination?.writeAndFlush(ByteBuffer(bytes: self.injected), promise: nil)
    self.injected = []
  }

  private func inOrder(_ work: @escaping (RecorderLeg) -> Void) {
    let now = NIODeadline.now()
    let due = now + (self.core.faults[self.direction]?.delay ?? .zero)
    self.earliest = max(self.earliest, due)
    guard self.earliest > now else { return work(self) }
    self.core.eventLoop.assumeIsolated().scheduleTask(deadline: self.earliest) { work(self) }
  }

  private func passOn(_ bytes: ByteBuffer) {
    guard let fault = self.core.faults[self.direction], !fault.swallows else { return }
    var allowed = min(bytes.readableBytes, fault.bytesLeft ?? .max)
    var isLast = fault.bytesLeft.map { $0 <= bytes.readableBytes } ?? false
    if let end = self.read(bytes, upTo: allowed, frames: fault.framesLeft) {
      allowed = end
      isLast = true
    }
    if let left = fault.bytesLeft { self.core.faults[self.direction]?.bytesLeft = left - allowed }
    var passed = bytes
    if let slice = passed.readSlice(length: allowed), allowed > 0 { self.destination?.writeAndFlush(slice, promise: nil) }
    self.position += allowed
    self.writeInjected()
    if isLast {
      self.core.faults[self.direction]?.bytesLeft = nil
      self.core.faults[self.direction]?.framesLeft = nil
      self.cut()
    }
  }

  /// Records the frames that the first `allowed` bytes complete.
  ///
  /// - Returns: how many of the bytes may pass when the last allowed frame is among them.
  private func read(_ bytes: ByteBuffer, upTo allowed: Int, frames: Int?) -> Int? {
    guard self.isReadable, let slice = bytes.getSlice(at: bytes.readerIndex, length: allowed) else { return nil }
    var left = frames
    if let frames, frames <= 0 { return 0 }
    self.cutter.append(slice)
    do throws(AMQPDecodingError) {
      while let cut = try self.cutter.next() {
        self.core.record(cut, self.connection, self.direction)
        guard let before = left else { continue }
        left = before - 1
        self.core.faults[self.direction]?.framesLeft = before - 1
        if before == 1 { return cut.end - self.position }
      }
    } catch {
      self.isReadable = false
      self.core.recordGarbage(self.connection, self.direction)
    }
    return nil
  }
}
