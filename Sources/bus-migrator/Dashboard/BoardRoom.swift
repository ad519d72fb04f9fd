// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import NIOCore

/// Paints one picture for all who watch, when the engine has news, and tells each what has changed. Never holds the engine: it looks at a copy of
/// the state, and nobody waits for a listener. While nobody watches nothing is painted.
actor BoardRoom {
  /// Between two pictures: what happens in between is told together.
  static let pause = TimeSpan.milliseconds(50)
  /// So often a listener hears something; what time alone changes is seen as often.
  static let beat = TimeSpan.seconds(15)

  private let engine: MigrationEngine
  private let news: EngineNews
  private let trails: DepthTrails
  private let clock: any MigrationClock
  nonisolated let environment: String?

  private var painter = BoardPainter()
  private var record = LiveRecord()
  private var sums: [PuljeName: [BusName: DepthTrail]] = [:]
  /// Each group as it is written, by pulje; nil: to be written anew.
  private var written: [PuljeName: [Data?]] = [:]
  private var listeners: [Int: LiveListener] = [:]
  private var vendors = VendorRoom()
  private var fallenBehind: [(at: Instant, LiveListener)] = []
  private var lastListener = 0
  private var lastTold = Instant(milliseconds: 0)
  private var isOver = false
  private let arrivals: AsyncStream<Void>
  private let arrival: AsyncStream<Void>.Continuation

  init(
    engine: MigrationEngine, news: EngineNews, trails: DepthTrails, environment: String?,
    clock: any MigrationClock = SystemMigrationClock()
  ) {
    self.engine = engine
    self.news = news
    self.trails = trails
    self.environment = environment
    self.clock = clock
    (self.arrivals, self.arrival) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  /// Follows the engine, while somebody watches, until cancelled; then everybody is let go.
  func run() async {
    var arrivals = self.arrivals.makeAsyncIterator()
    var seen: Int64 = -1
    while !Task.isCancelled {
      if self.listeners.isEmpty, self.vendors.isEmpty, self.fallenBehind.isEmpty {
        guard await arrivals.next() != nil else { break }
        continue
      }
      let patience = self.vendors.waits(for: seen) ? VendorRoom.pause : Self.beat
      await self.news.wait(after: seen, within: patience, clock: self.clock)
      seen = self.news.sequence
      if !self.listeners.isEmpty { await self.refresh() }
      if !self.vendors.isEmpty { await self.tellVendors() }
      self.heartbeat()
      guard (try? await self.clock.sleep(until: self.clock.now + Self.pause)) != nil else { break }
    }
    self.end()
  }

  /// Lets everybody go, and takes nobody in any more.
  func end() {
    self.isOver = true
    for listener in self.listeners.values { listener.end() }
    for listener in self.vendors.listeners { listener.end() }
    self.vendors = VendorRoom()
    for (_, listener) in self.fallenBehind { listener.cutOff() }
    self.listeners = [:]
    self.fallenBehind = []
  }

  // MARK: who watches

  /// - Parameters:
  ///   - after: the last event that he knows of.
  ///   - hangUp: ends his connection.
  /// - Returns: his number and his end; nil when the daemon stops.
  func join(after: Int64?, hangUp: @escaping @Sendable () -> Void) async -> (number: Int, listener: LiveListener)? {
    await self.refresh()
    guard !self.isOver, let picture = self.painter.picture else { return nil }
    let listener = LiveListener(hangUp: hangUp)
    if let after, let missed = self.record.missed(after: after), missed.count < LiveListener.patience {
      _ = listener.tell(BoardText.heartbeat(self.clock.now))
      for chunk in missed { _ = listener.tell(chunk) }
    } else {
      _ = listener.tell(self.board(picture, after == nil ? .asked : .notKept))
    }
    self.lastListener += 1
    self.listeners[self.lastListener] = listener
    self.arrival.yield()
    return (self.lastListener, listener)
  }

  /// As ``join(after:hangUp:)``, for a vendor: its own parties only.
  func join(vendor: String, hangUp: @escaping @Sendable () -> Void) async -> (number: Int, listener: LiveListener)? {
    let (state, _) = await self.engine.snapshot()
    guard !self.isOver else { return nil }
    let listener = LiveListener(hangUp: hangUp)
    self.lastListener += 1
    guard self.vendors.join(self.lastListener, vendor: vendor, listener, state, now: self.clock.now) else { return nil }
    self.arrival.yield()
    return (self.lastListener, listener)
  }

  private func tellVendors() async {
    let (state, head) = await self.engine.snapshot()
    let now = self.clock.now
    self.fallenBehind += self.vendors.tell(state, sequence: head.sequence, beat: Self.beat, now: now).map { (now, $0) }
  }

  func left(_ number: Int, _ listener: LiveListener) {
    self.listeners[number] = nil
    self.vendors.left(number)
    self.fallenBehind.removeAll { $0.1 === listener }
  }

  /// The same picture once. Nil when there is none since the daemon stops.
  func board() async -> ByteBuffer? {
    await self.refresh()
    guard let picture = self.painter.picture else { return nil }
    return self.boardText(picture, .asked)
  }

  // MARK: the picture

  private func refresh() async {
    let sums = await self.trails.buses()
    let (state, head) = await self.engine.snapshot()
    // Somebody else's look was later, meanwhile.
    if let picture = self.painter.picture, picture.sequence > head.sequence { return }
    self.sums = sums
    let depths = sums.mapValues { buses in
      buses.compactMap { bus, trail in trail.points.last.map { BoardPicture.Depth(bus: bus, at: $0.at, count: $0.count) } }
        .sorted { $0.bus < $1.bus }
    }
    let isFirst = self.painter.picture == nil
    let changes = self.painter.paint(state, sequence: head.sequence, now: self.clock.now, depths: depths)
    guard let picture = self.painter.picture else { return }
    guard let changes else {
      self.written = [:]
      self.record.begin(at: head.sequence)
      if !isFirst, !self.listeners.isEmpty { self.tell(self.board(picture, .other)) }
      return
    }
    guard !changes.isEmpty else { return }
    for case .group(let pulje, let id, _) in changes {
      if let place = state.puljer[pulje]?.groups.index(of: id), self.written[pulje]?.indices.contains(place) == true {
        self.written[pulje]?[place] = nil
      }
    }
    let chunk = BoardText.changes(changes, id: head.sequence)
    self.record.take(chunk, id: head.sequence)
    self.tell(chunk)
  }

  private func board(_ picture: BoardPicture, _ reason: BoardText.Reason) -> ByteBuffer {
    BoardText.event("board", id: picture.sequence, self.boardText(picture, reason))
  }

  private func boardText(_ picture: BoardPicture, _ reason: BoardText.Reason) -> ByteBuffer {
    let groups = picture.puljer.map { pulje -> [Data] in
      let groups = picture.groups[pulje.name] ?? []
      let kept = self.written.removeValue(forKey: pulje.name) ?? Array(repeating: nil, count: groups.count)
      let lines = zip(groups, kept).map { group, line in line ?? BoardText.group(pulje.name, group) }
      self.written[pulje.name] = lines
      return lines
    }
    return BoardText.board(picture, environment: self.environment, reason: reason, trails: self.sums, groups: groups)
  }

  private func tell(_ chunk: ByteBuffer) {
    let now = self.clock.now
    self.lastTold = now
    for (number, listener) in self.listeners where !listener.tell(chunk) {
      self.listeners[number] = nil
      self.fallenBehind.append((now, listener))
    }
  }

  /// Says that the connection lives, and ends those of readers who were told that they are too slow and do not read even that.
  private func heartbeat() {
    let now = self.clock.now
    if now >= self.lastTold + Self.beat { self.tell(BoardText.heartbeat(now)) }
    for (at, listener) in self.fallenBehind where now >= at + Self.beat { listener.cutOff() }
    self.fallenBehind.removeAll { now >= $0.at + Self.beat }
  }
}
