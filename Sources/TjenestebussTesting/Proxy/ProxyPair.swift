// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// One connection through the proxy: the client's end, the server's end, and both ways between them.
final class ProxyPair {
  let number: Int
  let toServer: ProxyLeg
  let toClient: ProxyLeg
  private unowned let core: ProxyCore
  private let client: any Channel
  private var server: (any Channel)?
  private(set) var clientIsOpen = true
  private(set) var serverIsOpen = true
  /// Whether an end's closing is hidden from the other.
  private(set) var hidesEnds = false

  init(_ number: Int, _ client: any Channel, _ core: ProxyCore) {
    self.number = number
    self.client = client
    self.core = core
    self.toServer = ProxyLeg(.toServer, core)
    self.toClient = ProxyLeg(.toClient, core)
    self.toServer.pair = self
    self.toClient.pair = self
  }

  func connected(_ server: any Channel) {
    self.server = server
    self.toServer.connect(from: self.client, to: server, opposite: self.toClient)
    self.toClient.connect(from: server, to: self.client, opposite: self.toServer)
  }

  /// An end has been closed.
  func ended(client: Bool) {
    if client { self.clientIsOpen = false } else { self.serverIsOpen = false }
    if !self.clientIsOpen, !self.serverIsOpen { self.core.forget(self.number) }
    if !self.hidesEnds, !self.clientIsOpen || !self.serverIsOpen {
      // What is on its way to the other end gets there first.
      self.toServer.sourceClosed(isOpen: self.clientIsOpen)
      self.toClient.sourceClosed(isOpen: self.serverIsOpen)
    }
  }

  func close() {
    self.hidesEnds = true
    self.client.close(promise: nil)
    self.server?.close(promise: nil)
    if self.server == nil { self.serverIsOpen = false }
  }

  func reset() {
    self.hidesEnds = true
    self.client.closeWithReset()
    self.server?.closeWithReset()
    if self.server == nil { self.serverIsOpen = false }
  }

  /// Passes nothing on in these directions from here on, and tells neither end when the other closes.
  func forget(_ directions: ProxyDirections) {
    self.hidesEnds = true
    if directions.contains(.toServer) { self.toServer.swallow() }
    if directions.contains(.toClient) { self.toClient.swallow() }
  }

  func close(clientAfter delay: Duration) {
    self.forget(.both)
    self.server?.close(promise: nil)
    if self.server == nil { self.serverIsOpen = false }
    let client = self.client
    self.core.eventLoop.scheduleTask(in: TimeAmount(delay)) { client.close(promise: nil) }
  }

  func strike() { self.core.strike(self) }
}

/// One direction of one connection: reads on the channel it is in, writes to its destination, in order and no sooner than due.
final class ProxyLeg: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Item {
    case bytes(ByteBuffer)
    /// The source sends no more.
    case halfClosed
    case closed
  }

  /// What is held back at most before the source is made to wait.
  private static let limit = 1 << 20

  private let direction: ProxyDirections
  private let core: ProxyCore
  weak var pair: ProxyPair?
  private var source: (any Channel)?
  private var destination: (any Channel)?
  private weak var opposite: ProxyLeg?
  private var queue: [(due: NIODeadline, item: Item)] = []
  private var queuedBytes = 0
  private var earliest = NIODeadline.uptimeNanoseconds(0)
  private var isTimerSet = false
  private var swallows = false
  private var reads = false
  private var hasClosed = false

  init(_ direction: ProxyDirections, _ core: ProxyCore) {
    self.direction = direction
    self.core = core
  }

  func connect(from source: any Channel, to destination: any Channel, opposite: ProxyLeg) {
    self.source = source
    self.destination = destination
    self.opposite = opposite
  }

  // MARK: What comes

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !self.swallows else { return }
    let bytes = self.unwrapInboundIn(data)
    self.queuedBytes += bytes.readableBytes
    self.enqueue(.bytes(bytes))
    self.balance()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent, !self.swallows { self.enqueue(.halfClosed) }
  }

  /// This channel is the other way's destination.
  func channelWritabilityChanged(context: ChannelHandlerContext) { self.opposite?.balance() }

  /// A reset: the end's closing is passed on as it is.
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func sourceClosed(isOpen: Bool) {
    guard !isOpen, !self.hasClosed, !self.swallows else { return }
    self.hasClosed = true
    self.enqueue(.closed)
  }

  /// Passes nothing on any more. It reads on: the sender is not to notice.
  func swallow() {
    self.swallows = true
    self.queue = []
    self.queuedBytes = 0
    self.balance()
  }

  private func enqueue(_ item: Item) {
    self.earliest = max(self.earliest, self.core.due(self.direction))
    self.queue.append((self.earliest, item))
    self.pump()
  }

  // MARK: What is passed on

  /// Passes on what is due.
  func pump() {
    while !self.isTimerSet, let (due, item) = self.queue.first {
      let manners = self.core.manners(of: self.direction)
      if manners.isHeld { return }
      if due > .now() { return self.pumpAgain(at: due) }
      switch item {
      case .halfClosed:
        self.queue.removeFirst()
        self.destination?.close(mode: .output, promise: nil)
      case .closed:
        self.queue.removeFirst()
        self.destination?.close(promise: nil)
      case .bytes(var bytes):
        let count = min(bytes.readableBytes, manners.slice ?? .max, manners.bytesLeft ?? .max)
        guard let piece = bytes.readSlice(length: count) else { return }
        if bytes.readableBytes == 0 { self.queue.removeFirst() } else { self.queue[0].item = .bytes(bytes) }
        self.queuedBytes -= count
        if count > 0 { self.destination?.writeAndFlush(piece, promise: nil) }
        self.core.passed(count, self.direction)
        if let left = manners.bytesLeft, left <= count {
          self.pair?.strike()
          return
        }
        if manners.slice != nil { return self.pumpAgain(at: .now() + TimeAmount(manners.pause)) }
      }
    }
    self.balance()
  }

  private func pumpAgain(at time: NIODeadline) {
    self.isTimerSet = true
    self.core.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in
      self?.isTimerSet = false
      self?.pump()
    }
  }

  /// Reads as long as the destination takes it and not too much is held back.
  func balance() {
    let mayRead = self.swallows || (self.destination?.isWritable == true && self.queuedBytes < ProxyLeg.limit)
    guard mayRead != self.reads else { return }
    self.reads = mayRead
    _ = self.source?.setOption(.autoRead, value: mayRead)
  }
}
