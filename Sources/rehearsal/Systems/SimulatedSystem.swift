// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Synchronization
import TjenestebussClient

/// One EPJ at work: sends to everyone else without pause, and receives from its queues on the buses it listens on.
///
/// It is built as a vendor would build it: on `TjenestebussClient`, with an address cache of its own.
final class SimulatedSystem: Sendable {
  let system: Story.System
  private let sending: TjenestebussClient
  /// Of a system that does not come up on the target bus: what it receives by at first, and what it receives by too once
  /// it is mended.
  private let onlySource: TjenestebussClient?
  private let late: TjenestebussClient?
  private let cache: AddressCache
  private let addressees: [HerID]
  private let logs: IdentityLogs
  private let pace: Duration
  private let sabotage: Sabotage
  private let stopsSending = Atomic(false)
  private let targetIsUp = Gate()

  /// - Parameters:
  ///   - pace: the wait between two messages of one HER-ID.
  init(
    _ system: Story.System, source: BusEndpoint, target: BusEndpoint, register: any AddressRegisterReading, cacheFile: String,
    addressees: [HerID], logs: IdentityLogs, pace: Duration, sabotage: Sabotage
  ) async throws {
    self.system = system
    self.cache = try await AddressCache.open(path: cacheFile, access: .readWrite)
    let resolver = AddressResolver(
      cache: self.cache, register: register, settings: AddressResolver.Settings(maximumAge: system.addressAge))
    func client(_ buses: [BusEndpoint]) throws -> TjenestebussClient {
      try TjenestebussClient(
        TjenestebussConfiguration(
          buses: buses, product: system.name, sendTimeout: .seconds(20), redeliveryDelay: .seconds(1),
          // The ledger is to see every copy that a bus hands out.
          duplicates: nil, missingQueueRetry: .seconds(1)),
        routes: resolver)
    }
    self.sending = try client([source, target])
    self.onlySource = system.comesUpOnTarget ? nil : try client([source])
    self.late = system.comesUpOnTarget ? nil : try client([target])
    self.addressees = addressees.filter { !system.herIDs.contains($0) }
    self.logs = logs
    self.pace = pace
    self.sabotage = sabotage
  }

  /// Works until the task is cancelled.
  func run() async throws {
    var queues: [OwnQueue] = []
    for herID in self.system.herIDs {
      let queue = OwnQueue(name: try await self.sending.queueName(of: herID, kind: .asynchronous), kind: .asynchronous)
      if !queues.contains(queue) { queues.append(queue) }
    }
    try await withThrowingTaskGroup(of: Void.self) { [queues] group in
      group.addTask { await self.sending.run() }
      if let onlySource = self.onlySource, let late = self.late {
        group.addTask { await onlySource.run() }
        group.addTask { try await self.receive(from: queues, by: onlySource) }
        group.addTask { await late.run() }
        group.addTask {
          await self.targetIsUp.wait()
          try Task.checkCancellation()
          try await self.receive(from: queues, by: late)
        }
      } else {
        group.addTask { try await self.receive(from: queues, by: self.sending) }
      }
      try await group.waitForAll()
    }
  }

  /// Waits until it listens on its queues: on both buses, or on the source alone when it does not come up on the target.
  func waitUntilReceiving() async throws {
    let client = self.onlySource ?? self.sending
    for herID in self.system.herIDs {
      let queue = try await self.sending.queueName(of: herID, kind: .asynchronous)
      for bus in client.configuration.buses {
        for await status in client.statusChanges where status[bus.name, queue] == .receiving { break }
      }
    }
    try Task.checkCancellation()
  }

  /// Those of its queues on which it ought to listen and does not, in words.
  func receiversMissing() async throws -> [String] {
    let client = self.onlySource ?? self.sending
    var missing: [String] = []
    for herID in self.system.herIDs {
      let queue = try await self.sending.queueName(of: herID, kind: .asynchronous)
      for bus in client.configuration.buses {
        switch client.status[bus.name, queue] {
        case .receiving: break
        case .waiting(_, let error): missing.append("\(queue) on \(bus.name): \(error.stableCode)")
        case .connecting, nil: missing.append("\(queue) on \(bus.name): connecting")
        case .queueMissing: missing.append("\(queue) on \(bus.name): no such queue")
        case .ended(let error): missing.append("\(queue) on \(bus.name): ended, \(error.stableCode)")
        }
      }
    }
    return missing
  }

  /// Its vendor mends it: it listens on the target bus too from now on.
  func comeUpOnTarget() { self.targetIsUp.open() }

  // MARK: Sending

  /// Sends for each of its HER-IDs until ``stopSending()``; returns when the last outcome is known.
  func sendWithoutPause() async {
    await withTaskGroup(of: Void.self) { group in
      for herID in self.system.herIDs {
        group.addTask {
          while !self.stopsSending.load(ordering: .relaxed), !Task.isCancelled {
            if let addressee = self.addressees.randomElement() { await self.send(from: herID, to: addressee) }
            // The pace of the simulated office, not a wait for anything.
            try? await Task.sleep(for: self.pace)
          }
        }
      }
    }
  }

  func stopSending() { self.stopsSending.store(true, ordering: .relaxed) }

  /// One message, and one line of the log for what became of it.
  func send(from: HerID, to: HerID) async {
    let message = HealthMessage(
      messageID: UUID().uuidString.lowercased(), from: from, to: to, subject: "DIALOG_INNBYGGER_TEST", timestamp: .now,
      body: Array("<MsgHead/>".utf8))
    await self.send(message)
    if self.sabotage.takes(.duplicateOne) { await self.send(message) }
  }

  private func send(_ message: HealthMessage) async {
    let result = await self.sending.send(message, kind: .asynchronous)
    let outcome: IdentityRecord.Outcome =
      switch result.outcome {
      case .accepted: .accepted
      case .rejected: .rejected
      case .released: .released
      case .modified: .modified
      case .unknown: .unknown
      case .notSent: .notSent
      }
    self.logs.sent(
      self.record(
        message, bus: result.route?.bus.text ?? "none", queue: result.route?.address.queue ?? "none", outcome: outcome))
  }

  // MARK: Receiving

  private func receive(from queues: [OwnQueue], by client: TjenestebussClient) async throws {
    try await client.receive(from: queues) { received in
      if self.sabotage.takes(.dropOne) { return }
      self.logs.received(self.record(received.message, bus: received.bus.text, queue: received.queue, outcome: nil))
    }
  }

  private func record(
    _ message: HealthMessage, bus: String, queue: String, outcome: IdentityRecord.Outcome?
  ) -> IdentityRecord {
    IdentityRecord(
      id: message.messageID, from: message.from, to: message.to, bus: bus, queue: queue,
      atMilliseconds: SystemRegistryClock().now.millisecondsSinceEpoch, system: self.system.name, outcome: outcome)
  }
}
