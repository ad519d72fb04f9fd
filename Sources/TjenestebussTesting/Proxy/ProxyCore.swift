// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOCore
import NIOPosix

/// The proxy on its event loop.
final class ProxyCore {
  /// What lasts, for one direction.
  struct Manners {
    var latency: Duration?
    var jitter = Duration.zero
    var slice: Int?
    var pause = Duration.zero
    var isHeld = false
    var bytesLeft: Int?
  }

  let eventLoop: any EventLoop
  private let host: String
  private let port: Int
  private var manners = [Manners(), Manners()]
  private var pairs: [Int: ProxyPair] = [:]
  private(set) var statistics = ProxyStatistics() {
    didSet { self.wakeWaiters() }
  }
  private var waiters: [Int: (isMet: @Sendable (ProxyStatistics) -> Bool, met: OneShot<Void>)] = [:]
  private var lastWaiter = 0
  private var draw: SeededDraw
  private var isStopped = false

  init(to host: String, port: Int, seed: UInt64, on eventLoop: any EventLoop) {
    self.host = host
    self.port = port
    self.draw = SeededDraw(seed: seed)
    self.eventLoop = eventLoop
  }

  // MARK: Connections

  /// Connects a client that has come to the server.
  func connect(_ client: any Channel) -> EventLoopFuture<Void> {
    self.statistics.connectionCount += 1
    let number = self.statistics.connectionCount
    let pair = ProxyPair(number, client, self)
    self.pairs[number] = pair
    self.statistics.openConnections = self.pairs.count
    let bound = NIOLoopBound((self, pair), eventLoop: self.eventLoop)
    client.closeFuture.whenComplete { _ in bound.value.1.ended(client: true) }
    return ClientBootstrap(group: self.eventLoop)
      .channelOption(.autoRead, value: false)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { server in
        server.eventLoop.makeCompletedFuture { try server.pipeline.syncOperations.addHandler(bound.value.1.toClient) }
      }
      .connect(host: self.host, port: self.port)
      .flatMapThrowing { server in
        let (core, pair) = bound.value
        pair.connected(server)
        server.closeFuture.whenComplete { _ in bound.value.1.ended(client: false) }
        guard !core.isStopped, pair.clientIsOpen else {
          pair.close()
          throw ChannelError.ioOnClosedChannel
        }
        try client.pipeline.syncOperations.addHandler(pair.toServer)
        pair.toServer.balance()
        pair.toClient.balance()
      }
      .flatMapErrorThrowing { error in
        bound.value.0.forget(number)
        throw error
      }
  }

  func forget(_ connection: Int) {
    self.pairs[connection] = nil
    self.statistics.openConnections = self.pairs.count
  }

  func stop() {
    self.isStopped = true
    self.pairs.values.forEach { $0.close() }
  }

  // MARK: Faults

  func manners(of direction: ProxyDirections) -> Manners { self.manners[direction == .toServer ? 0 : 1] }

  func inject(_ fault: NetworkFault, _ directions: ProxyDirections) {
    let pairs = self.pairs.sorted { $0.key < $1.key }.map(\.value)
    switch fault {
    case .latency(let latency, let jitter):
      self.change(directions) {
        $0.latency = latency
        $0.jitter = jitter
      }
    case .slicing(let bytes, let pause):
      self.change(directions) {
        $0.slice = max(1, bytes)
        $0.pause = pause
      }
    case .timeout: self.change(directions) { $0.isHeld = true }
    case .byteLimit(let count):
      self.change(directions) { $0.bytesLeft = max(0, count) }
      if count <= 0 { self.strike(pairs.last) }
    case .cut: pairs.forEach { $0.close() }
    case .reset: pairs.forEach { $0.reset() }
    case .halfOpen: pairs.forEach { $0.forget(directions) }
    case .slowClose(let delay): pairs.forEach { $0.close(clientAfter: delay) }
    }
  }

  func clear() {
    self.manners = [Manners(), Manners()]
    for pair in self.pairs.values {
      pair.toServer.pump()
      pair.toClient.pump()
    }
  }

  func closeHalfOpen() {
    for pair in self.pairs.values where pair.hidesEnds { pair.close() }
  }

  private func change(_ directions: ProxyDirections, _ body: (inout Manners) -> Void) {
    if directions.contains(.toServer) { body(&self.manners[0]) }
    if directions.contains(.toClient) { body(&self.manners[1]) }
  }

  /// The limit has struck: it is used up, in both directions.
  func strike(_ pair: ProxyPair?) {
    self.change(.both) { $0.bytesLeft = nil }
    self.statistics.limitsStruck += 1
    pair?.close()
  }

  /// When a piece that comes now is to be passed on, at the earliest.
  func due(_ direction: ProxyDirections) -> NIODeadline {
    let manners = self.manners(of: direction)
    guard let latency = manners.latency else { return .now() }
    return .now() + TimeAmount(latency + manners.jitter * self.draw.next())
  }

  func passed(_ count: Int, _ direction: ProxyDirections) {
    if direction == .toServer { self.statistics.bytesToServer += count } else { self.statistics.bytesToClient += count }
    let index = direction == .toServer ? 0 : 1
    if let left = self.manners[index].bytesLeft { self.manners[index].bytesLeft = left - count }
  }

  // MARK: Waiting

  func wait(_ met: OneShot<Void>, _ isMet: @escaping @Sendable (ProxyStatistics) -> Bool) -> Int {
    self.lastWaiter += 1
    self.waiters[self.lastWaiter] = (isMet, met)
    self.wakeWaiters()
    return self.lastWaiter
  }

  func forget(waiter: Int) { self.waiters[waiter] = nil }

  private func wakeWaiters() {
    for (number, waiter) in self.waiters where waiter.isMet(self.statistics) {
      self.waiters[number] = nil
      waiter.met.fulfil(())
    }
  }
}

/// Numbers from 0 up to 1, the same for the same seed (SplitMix64).
struct SeededDraw {
  private var state: UInt64

  init(seed: UInt64) { self.state = seed }

  mutating func next() -> Double {
    self.state &+= 0x9e37_79b9_7f4a_7c15
    var z = self.state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((z ^ (z >> 31)) >> 11) / Double(1 << 53)
  }
}
