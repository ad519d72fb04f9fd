// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import NIOCore

/// Vendors who watch: each is told its own parties, whole, when something of theirs has changed, and nothing else; not even that something else has
/// happened, so no event has a number.
struct VendorRoom {
  /// Between two tellings of one vendor: its view is put together out of the whole pulje.
  static let pause = TimeSpan.seconds(2)

  private struct Watching {
    var vendor: String
    var listener: LiveListener
    var heardAt: Instant
    /// The view as this one was told it last: who comes later has seen what the others are yet to be told.
    var told: Data
  }

  private var watching: [Int: Watching] = [:]
  private var lookedAt = Instant(milliseconds: .min / 2)
  private var lookedSequence: Int64 = -1

  var isEmpty: Bool { self.watching.isEmpty }
  var listeners: [LiveListener] { self.watching.values.map(\.listener) }

  /// - Returns: false where he cannot be told anything.
  mutating func join(
    _ number: Int, vendor: String, _ listener: LiveListener, _ state: MigrationState, now: Instant
  ) -> Bool {
    guard let (text, bare) = Self.view(state, vendor, now) else { return false }
    self.watching[number] = Watching(vendor: vendor, listener: listener, heardAt: now, told: bare)
    return listener.tell(BoardText.event("vendor", id: nil, ByteBuffer(bytes: text)))
  }

  mutating func left(_ number: Int) { self.watching[number] = nil }

  /// Whether it was too early to look at `sequence` yet.
  func waits(for sequence: Int64) -> Bool { !self.isEmpty && sequence != self.lookedSequence }

  /// - Returns: those who have fallen behind.
  mutating func tell(_ state: MigrationState, sequence: Int64, beat: TimeSpan, now: Instant) -> [LiveListener] {
    let isDue = now < self.lookedAt || now.since(self.lookedAt) >= Self.pause
    let isLate = now < self.lookedAt || now.since(self.lookedAt) >= beat
    var views: [String: (chunk: ByteBuffer, bare: Data)] = [:]
    if !self.isEmpty, isDue && sequence != self.lookedSequence || isLate {
      self.lookedAt = now
      self.lookedSequence = sequence
      for vendor in Set(self.watching.values.map(\.vendor)) {
        guard let (text, bare) = Self.view(state, vendor, now) else { continue }
        views[vendor] = (BoardText.event("vendor", id: nil, ByteBuffer(bytes: text)), bare)
      }
    }
    var behind: [LiveListener] = []
    for (number, watching) in self.watching {
      let view = views[watching.vendor].flatMap { $0.bare == watching.told ? nil : $0 }
      guard let chunk = view?.chunk ?? (now >= watching.heardAt + beat ? BoardText.heartbeat(now) : nil) else { continue }
      self.watching[number]?.heardAt = now
      if let view { self.watching[number]?.told = view.bare }
      if !watching.listener.tell(chunk) {
        self.left(number)
        behind.append(watching.listener)
      }
    }
    return behind
  }

  /// As it is sent, and without the time at which it was put together.
  private static func view(_ state: MigrationState, _ vendor: String, _ now: Instant) -> (text: Data, bare: Data)? {
    guard var view = try? VendorView(state, vendor: vendor, pulje: nil, now: now), let text = try? ControlAPI.encode(view) else {
      return nil
    }
    view.now = Instant(milliseconds: 0)
    guard let bare = try? ControlAPI.encode(view) else { return nil }
    return (text, bare)
  }
}
