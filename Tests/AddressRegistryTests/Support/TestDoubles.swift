// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import NIOConcurrencyHelpers

/// A clock that stands until it is moved.
final class TestClock: RegistryClock {
  private let instant: NIOLockedValueBox<RegistryInstant>
  init(_ instant: RegistryInstant = start) { self.instant = NIOLockedValueBox(instant) }
  var now: RegistryInstant { self.instant.withLockedValue { $0 } }
  func advance(by duration: Duration) { self.instant.withLockedValue { $0 = $0.advanced(by: duration) } }
}

/// Holds tasks until it is opened; a cancelled one leaves.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
    var lastID = 0
  }
  private let state = NIOLockedValueBox(State())

  func open() {
    let waiters = self.state.withLockedValue { state in
      state.isOpen = true
      defer { state.waiters.removeAll() }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }

  func pass() async throws {
    let id = self.state.withLockedValue { state in
      state.lastID += 1
      return state.lastID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Void, any Error>) in
        let open = self.state.withLockedValue { state in
          if !state.isOpen { state.waiters[id] = waiter }
          return state.isOpen
        }
        if open { waiter.resume() }
        if Task.isCancelled { self.leave(id) }
      }
    } onCancel: {
      self.leave(id)
    }
  }

  private func leave(_ id: Int) {
    self.state.withLockedValue { $0.waiters.removeValue(forKey: id) }?.resume(throwing: CancellationError())
  }
}

/// A register in memory that counts questions and answers as told.
final class ScriptedRegister: AddressRegisterReading {
  private struct State {
    var records: [HerID: PartyRecord]
    var failure: AddressRegistryError?
    var questions = 0
  }
  private let state: NIOLockedValueBox<State>
  private let gate: Gate?

  init(_ records: [PartyRecord], gate: Gate? = nil) {
    self.state = NIOLockedValueBox(State(records: Dictionary(records.map { ($0.herID, $0) }) { _, last in last }))
    self.gate = gate
  }

  var questions: Int { self.state.withLockedValue { $0.questions } }
  func put(_ record: PartyRecord) { self.state.withLockedValue { $0.records[record.herID] = record } }
  /// Fails every question from now on; nil ends that.
  func fail(with error: AddressRegistryError?) { self.state.withLockedValue { $0.failure = error } }

  func party(_ herID: HerID) async throws -> PartyRecord {
    self.state.withLockedValue { $0.questions += 1 }
    try await self.gate?.pass()
    return try self.state.withLockedValue { state in
      if let failure = state.failure { throw failure }
      guard let record = state.records[herID] else { throw AddressRegistryError.partyUnknown(herID, askedRegister: true) }
      return record
    }
  }
}

/// A folder of its own for the time of `body`.
func withTemporaryFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("address-registry-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder.path)
}

/// An open cache in a folder of its own.
func withCache<Value>(_ body: (AddressCache) async throws -> Value) async throws -> Value {
  try await withTemporaryFolder { folder in
    let cache = try await AddressCache.open(path: folder + "/cache.sqlite", access: .readWrite)
    let value = try await body(cache)
    try await cache.close()
    return value
  }
}
