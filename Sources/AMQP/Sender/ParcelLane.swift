// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// The parcels of one sending link on the event loop: waiting, on their way, ended and to be told.
///
/// The same rule as ``SendMachine`` has: what waits when the link ends was not sent, what was handed over is of unknown outcome.
/// No clock and no look-up by time: a parcel costs one entry of one table.
struct ParcelLane {
  /// A parcel too large to be handed over at once.
  private struct Partial {
    let parcel: AMQPParcel
    let delivery: DeliveryID
    /// Of head and payload together.
    var handed: Int
  }

  let told: @Sendable ([AMQPParcelEnd]) -> Void
  private var waiting: Deque<AMQPParcel> = []
  private var onTheWay = DeliveryTable<UInt64>()
  private var partial: Partial?
  private var ended: [AMQPParcelEnd] = []
  private(set) var transfers = 0

  init(told: @escaping @Sendable ([AMQPParcelEnd]) -> Void) { self.told = told }

  var isIdle: Bool { self.waiting.isEmpty && self.onTheWay.isEmpty && self.partial == nil }
  var waitingCount: Int { self.waiting.count + (self.partial == nil ? 0 : 1) }
  var inFlightCount: Int { self.onTheWay.count }

  mutating func enqueue(_ parcels: [AMQPParcel]) { self.waiting.append(contentsOf: parcels) }

  /// Takes back what has not begun to leave.
  mutating func withdraw() -> [UInt64] {
    defer { self.waiting = [] }
    return self.waiting.map(\.number)
  }

  /// Hands over as much as there is credit and room for.
  ///
  /// - Returns: whether there is more to hand over once there is room.
  mutating func flush(_ engine: ProtonEngine, on link: LinkID, bound: Int) -> Bool {
    guard !self.isIdle else { return false }
    if self.partial != nil, !self.continuePartial(engine, on: link, bound: bound) { return true }
    guard let way = engine.links[link] else { return false }
    var credit = engine.credit(of: way)
    while credit > 0, !self.waiting.isEmpty {
      guard engine.outgoingBytes(of: way) < bound else { return true }
      let parcel = self.waiting.removeFirst()
      credit -= 1
      if parcel.size > SenderCore.pieceSize {
        guard let delivery = engine.beginTransfer(on: link) else { return false }
        self.partial = Partial(parcel: parcel, delivery: delivery, handed: 0)
        guard self.continuePartial(engine, on: link, bound: bound) else { return true }
        continue
      }
      guard let delivery = engine.transfer(parcel.head, parcel.payload, from: parcel.start, on: way) else { return false }
      self.onTheWay.insert(parcel.number, for: delivery)
      self.transfers += 1
    }
    return false
  }

  /// - Returns: whether the whole of it was handed over.
  private mutating func continuePartial(_ engine: ProtonEngine, on link: LinkID, bound: Int) -> Bool {
    guard var partial = self.partial else { return true }
    while partial.handed < partial.parcel.size {
      guard engine.outgoingBytes(of: link) < bound else {
        self.partial = partial
        return false
      }
      let parcel = partial.parcel
      if partial.handed == 0, !parcel.head.isEmpty {
        engine.append(parcel.head[...], on: link)
        partial.handed = parcel.head.count
      }
      let start = parcel.start + partial.handed - parcel.head.count
      let end = min(start + SenderCore.pieceSize, parcel.payload.count)
      engine.append(parcel.payload[start..<end], on: link)
      partial.handed += end - start
    }
    // With its last bytes, before anything is written: over a last frame without bytes RabbitMQ 3 ends the session.
    engine.finishTransfer(partial.delivery, on: link, settled: false)
    self.onTheWay.insert(partial.parcel.number, for: partial.delivery)
    self.partial = nil
    self.transfers += 1
    return true
  }

  /// - Returns: whether the delivery was a parcel's.
  mutating func disposition(_ delivery: DeliveryID, _ outcome: AMQPOutcome?, settled: Bool) -> Bool {
    guard outcome != nil || settled, let number = self.onTheWay.remove(delivery) else { return false }
    self.ended.append(AMQPParcelEnd(number: number, fate: .outcome(outcome ?? .unknown(.settledWithoutOutcome))))
    return true
  }

  mutating func linkEnded(_ error: AMQPError) {
    var ends = self.onTheWay.values.map { AMQPParcelEnd(number: $0, fate: .outcome(.unknown(.lost(error)))) }
    self.onTheWay.removeAll()
    if let partial {
      // The peer has no whole message, and gets none.
      ends.append(AMQPParcelEnd(number: partial.parcel.number, fate: .notSent(error)))
      self.partial = nil
    }
    ends += self.waiting.map { AMQPParcelEnd(number: $0.number, fate: .notSent(error)) }
    self.waiting = []
    self.ended += ends
    self.tell()
  }

  /// Tells what has ended since the last time.
  mutating func tell() {
    guard !self.ended.isEmpty else { return }
    let ends = self.ended
    self.ended = []
    self.told(ends)
  }
}
