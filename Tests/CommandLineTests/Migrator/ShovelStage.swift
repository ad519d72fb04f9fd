// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Forwarding
import Migration
import MigrationEngine
import NIOConcurrencyHelpers

@testable import bus_migrator

/// What happens to shovels, in order: what the history keeps, and what the node is asked.
final class ShovelDeeds: Sendable {
  private let all = NIOLockedValueBox<[String]>([])
  var list: [String] { self.all.withLockedValue { $0 } }
  func note(_ deed: String) { self.all.withLockedValue { $0.append(deed) } }

  /// Returns when the list is as asked. The test's time limit bounds it.
  func wait(_ isThere: ([String]) -> Bool) async throws {
    while !isThere(self.list) { try await Task.sleep(for: .milliseconds(2)) }
  }
}

/// A node that runs shovels, with a management interface that can be away.
actor StagedShovelNode: ShovelNode {
  nonisolated let virtualHost = "/"
  private let deeds: ShovelDeeds
  private var isDown = false
  private var refuses: Int?
  private var keepsRunning = false
  private var losesAnswers = false
  private var shovels: Set<String> = []
  private var running: Set<String> = []
  private var settledCounts: [ShovelManagement.Settled] = []

  init(_ deeds: ShovelDeeds) { self.deeds = deeds }

  func set(down: Bool) { self.isDown = down }
  func set(refuses: Int?) { self.refuses = refuses }
  /// A shovel runs on though its definition is gone.
  func set(keepsRunning: Bool) {
    self.keepsRunning = keepsRunning
    if !keepsRunning { self.running.formIntersection(self.shovels) }
  }
  /// What is declared is taken in, and the answer never comes.
  func set(losesAnswers: Bool) { self.losesAnswers = losesAnswers }
  func set(settled: [ShovelManagement.Settled]) { self.settledCounts = settled }
  func put(_ name: String) {
    self.shovels.insert(name)
    self.running.insert(name)
  }
  var names: [String] { self.shovels.sorted() }

  private func check(_ tried: String) throws(ShovelError) {
    if self.isDown { throw .unreachable(tried: tried, seen: "connection refused") }
    if let status = self.refuses { throw .refused(tried: tried, status: status) }
  }

  func declare(_ shovel: ShovelDefinition) async throws(ShovelError) {
    try self.check("declare")
    self.deeds.note("declare")
    self.put(shovel.name)
    if self.losesAnswers { throw .unreachable(tried: "declare", seen: "time-out") }
  }

  func remove(_ name: String) async throws(ShovelError) {
    self.deeds.note(self.isDown ? "remove: no answer" : "remove")
    try self.check("remove")
    self.shovels.remove(name)
    if !self.keepsRunning { self.running.remove(name) }
  }

  func declared() async throws(ShovelError) -> [String] {
    try self.check("list")
    return self.names
  }

  func standing() async throws(ShovelError) -> [ShovelManagement.Standing] {
    try self.check("watch")
    return self.running.sorted().map { ShovelManagement.Standing(name: $0, state: "running", sourceQueue: nil) }
  }

  func hasQueue(_ queue: String) async throws(ShovelError) -> Bool {
    try self.check("find")
    return true
  }

  func settled(of queue: String) async throws(ShovelError) -> [ShovelManagement.Settled] {
    try self.check("count")
    return self.settledCounts
  }
}

/// A history in memory.
final class StagedShovelHistory: ShovelHistory {
  let deeds: ShovelDeeds
  private let before: [MigrationState.RecordedShovel]
  private let refusal: Refusal?

  init(_ deeds: ShovelDeeds, left: [MigrationState.RecordedShovel] = [], refusal: Refusal? = nil) {
    self.deeds = deeds
    self.before = left
    self.refusal = refusal
  }

  func left() async -> [MigrationState.RecordedShovel] { self.before }
  func intend(_ recorded: MigrationState.RecordedShovel) async throws {
    if let refusal { throw refusal }
    self.deeds.note("intended")
  }
  func stays(_ recorded: MigrationState.RecordedShovel, code: String, seen: String) async { self.deeds.note("stays \(code)") }
  func gone(_ recorded: MigrationState.RecordedShovel) async { self.deeds.note("gone") }
}

/// Time that passes as fast as it is waited for.
final class LeapingClock: MigrationClock {
  private let time = NIOLockedValueBox(Instant(milliseconds: 1_780_000_000_000))
  var now: Instant { self.time.withLockedValue { $0 } }
  func sleep(until deadline: Instant) async throws {
    try await Task.sleep(for: .milliseconds(1))
    self.time.withLockedValue { $0 = max($0, deadline) }
  }
}

final class HeardNotices: Notifier {
  private let all = NIOLockedValueBox<[Notice]>([])
  var list: [Notice] { self.all.withLockedValue { $0 } }
  func notify(_ notice: Notice) { self.all.withLockedValue { $0.append(notice) } }
}
