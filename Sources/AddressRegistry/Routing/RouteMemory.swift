// SPDX-License-Identifier: Apache-2.0

import BusModel
import NIOConcurrencyHelpers

/// The route table that many tasks ask and few write, and how far it has followed the file.
///
/// Other processes may write the file. Whoever asks more than ``lookInterval`` after the file was last looked at is sent the long
/// way, where it is looked at first: so a move that another process has read is followed within that time.
final class RouteMemory: Sendable {
  /// How long another process's write may go unseen.
  static let lookInterval: Duration = .milliseconds(250)
  private static let lookMilliseconds: Int64 = 250

  private struct State {
    var table = RouteTable(buses: [])
    /// The number of the file's last write that the table has taken in; nil before the first look.
    var change: Int64?
    var lookedAt = RegistryInstant(millisecondsSinceEpoch: 0)
    /// Grows whenever something is taken out or news come in: what was read before must not be put back.
    var epoch = 0
    /// How many readings of the whole file are under way, and what was taken out meanwhile: they may have read it before that.
    var loads = 0
    var removed: Set<HerID> = []
  }

  private let state = NIOLockedValueBox(State())

  var count: Int { self.state.withLockedValue { $0.table.count } }

  /// A route that was read at `oldest` or later; nil when there is none, or the file has to be looked at first.
  func route(
    _ herID: HerID, _ kind: QueueKind, _ buses: [Bus], now: RegistryInstant, oldest: RegistryInstant
  ) -> CachedRoute? {
    self.state.withLockedValue { state in
      guard state.table.buses == buses, let route = state.table.route(herID, kind) else { return nil }
      let read = route.readAt.millisecondsSinceEpoch
      let sinceLook = now.millisecondsSinceEpoch - state.lookedAt.millisecondsSinceEpoch
      guard read >= oldest.millisecondsSinceEpoch, read <= now.millisecondsSinceEpoch, sinceLook >= 0,
        sinceLook <= Self.lookMilliseconds
      else { return nil }
      return route
    }
  }

  /// What a look at the file needs to know.
  struct Look: Sendable {
    var change: Int64?
    var epoch: Int
  }

  /// Nil when the file was looked at a moment ago, for these buses.
  func lookIfDue(_ buses: [Bus], now: RegistryInstant) -> Look? {
    self.state.withLockedValue { state in
      if state.table.buses != buses {
        state.table = RouteTable(buses: buses)
        state.change = nil
        state.epoch += 1
        return Look(change: nil, epoch: state.epoch)
      }
      let sinceLook = now.since(state.lookedAt)
      if state.change != nil, sinceLook >= .zero, sinceLook <= Self.lookInterval { return nil }
      return Look(change: state.change, epoch: state.epoch)
    }
  }

  /// The file was looked at: these entries are newer than what the table has; nil when they are too many to be worth it.
  func looked(_ look: Look, _ entries: [RegistryEntry]?, change: Int64, at now: RegistryInstant, allows: (RegistryEntry) -> Bool)
  {
    self.state.withLockedValue { state in
      // Of looks that were under way together one counts: another may have read the file earlier than that one.
      guard state.epoch == look.epoch, state.change == look.change else { return }
      // What was read before these news must not be put in after them.
      if entries?.isEmpty != true { state.epoch += 1 }
      if entries == nil { state.table.removeAll() }
      for entry in entries ?? [] { if allows(entry) { state.table.put(entry) } else { state.table.remove(entry.record.herID) } }
      state.change = change
      state.lookedAt = now
    }
  }

  /// The whole file is about to be read. ``loaded(_:change:readAt:isChanged:)`` or ``loadFailed()`` must follow.
  func beginLoad(_ buses: [Bus]) {
    self.state.withLockedValue { state in
      state.loads += 1
      guard state.table.buses != buses else { return }
      state.table = RouteTable(buses: buses)
      state.change = nil
      state.epoch += 1
    }
  }

  func loadFailed() { self.state.withLockedValue { Self.loadEnded(&$0) } }

  /// The whole file was read. What was looked up while it was being read does not stand in the way: whatever the file holds that is
  /// newer than this reading is news at the next look. Parties that were taken out meanwhile, or of which a change was heard, are
  /// left out.
  ///
  /// - Parameter readAt: when the reading of the file began.
  /// - Returns: whether it was taken in; not, when routes for other buses have been asked for meanwhile.
  func loaded(_ table: RouteTable, change: Int64, readAt: RegistryInstant, isChanged: (HerID) -> Bool) -> Bool {
    self.state.withLockedValue { state in
      let removed = state.removed
      Self.loadEnded(&state)
      guard state.table.buses == table.buses else { return false }
      // A look has read the file later than this: until the next one nobody is to be led by the earlier.
      let isOvertaken = state.change.map { $0 > change } ?? false
      state.table = table
      state.table.remove { removed.contains($0) || isChanged($0) }
      state.change = change
      state.lookedAt = isOvertaken ? RegistryInstant(millisecondsSinceEpoch: 0) : readAt
      state.epoch += 1
      return true
    }
  }

  private static func loadEnded(_ state: inout State) {
    state.loads -= 1
    if state.loads == 0 { state.removed = [] }
  }

  /// An entry that was read or saved here, unless the table has heard of a later reading since.
  func put(_ entry: RegistryEntry, ifStill epoch: Int) {
    self.state.withLockedValue { state in
      guard state.epoch == epoch, state.change != nil else { return }
      if let there = state.table.readAt(entry.record.herID), there > entry.readAt { return }
      state.table.put(entry)
    }
  }

  var epoch: Int { self.state.withLockedValue { $0.epoch } }

  func remove(_ herID: HerID) {
    self.state.withLockedValue { state in
      state.epoch += 1
      state.table.remove(herID)
      if state.loads > 0 { state.removed.insert(herID) }
    }
  }
}
