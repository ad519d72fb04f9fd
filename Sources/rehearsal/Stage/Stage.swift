// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import AsyncHTTPClient
import BusModel
import Disclosure
import Foundation
import TjenestebussClient
import TjenestebussTesting

/// One rehearsal from the first queue to the ledger.
struct Stage: Sendable {
  struct Settings: Sendable {
    var directory: URL
    var migrator: URL
    var minimumSent: Int
    var sabotage: Sabotage.Kind?
    /// What happens to the daemon meanwhile; nil when nothing does.
    var interruption: Interruption?
    /// How many seconds the parties are watched on the target bus: long enough for what is to happen to the daemon then.
    var watch = 8
  }

  /// What a rehearsal comes to.
  struct Result: Sendable {
    var balance: Ledger.Balance
    /// Where everything stands at the end.
    var end: EndState
    /// What is wrong apart from the ledger; empty when nothing is.
    var faults: [String]
    /// How the daemon died, each time.
    var deaths: [DaemonLives.Death]

    var isGood: Bool { self.balance.isClean && self.faults.isEmpty }
  }

  static let registerPassword = Secret("register")

  private let settings: Settings
  private let buses: any RehearsalBuses
  private let terminal: Terminal
  private let story: Story

  init(_ settings: Settings, buses: any RehearsalBuses, terminal: Terminal) {
    self.settings = settings
    self.buses = buses
    self.terminal = terminal
    self.story = Story.told(source: buses.source.endpoint.bus, staleFor: .seconds(12))
  }

  func hold(http: HTTPClient) async throws -> Result {
    let source = self.buses.source.endpoint
    let target = self.buses.target.endpoint
    self.terminal.say("source bus \(source.name): \(source)")
    self.terminal.say("target bus \(target.name): \(target)")
    try await self.buses.declare(queues: self.story.queues)
    let credentials = RegisterCredentials(user: "register", password: Self.registerPassword)
    let configuration = AddressRegisterServer.Configuration(credentials: credentials, buses: [source.bus, target.bus])
    return try await AddressRegisterServer.withServer(configuration: configuration, records: self.story.records) { server in
      let register = try SOAPAddressRegister(
        endpoint: try await server.readerEndpoint(), credentials: credentials, http: http)
      return try await self.hold(server: server, register: register)
    }
  }

  private func hold(server: AddressRegisterServer, register: SOAPAddressRegister) async throws -> Result {
    let logs = try IdentityLogs(directory: self.settings.directory)
    let traffic = try await Traffic(
      story: self.story, buses: self.buses, register: register, directory: self.settings.directory, logs: logs,
      pace: .milliseconds(100), sabotage: Sabotage(self.settings.sabotage))
    let play = MigrationPlay(
      story: self.story, buses: self.buses, server: server, settings: self.settings, terminal: self.terminal)
    let outcome = try await withThrowingTaskGroup(of: MigrationPlay.Outcome?.self) { group in
      group.addTask {
        try await traffic.receive()
        return nil
      }
      group.addTask {
        try await traffic.waitUntilReceiving()
        self.terminal.say("all \(traffic.systems.count) systems listen")
        let outcome = try await self.sendWhile(traffic, logs) { try await play.perform(traffic: traffic, logs: logs) }
        await self.settle(logs)
        return outcome
      }
      // A system that cannot receive any more ends the rehearsal at once, with its error.
      while let ended = try await group.next() {
        guard let outcome = ended else { continue }
        group.cancelAll()
        return outcome
      }
      throw RehearsalError.tookTooLong("the rehearsal")
    }
    self.terminal.say("all systems have stopped; looking for what is left on the queues")
    try await self.recordLeftovers(logs)
    let balance = try logs.close(minimumSent: self.settings.minimumSent)
    return Result(
      balance: balance, end: EndState(outcome.summary, records: server.records, changes: server.changes),
      faults: self.faults(in: server), deaths: outcome.deaths)
  }

  /// The systems send while `work` goes on, and until enough was sent.
  private func sendWhile<Value: Sendable>(
    _ traffic: Traffic, _ logs: IdentityLogs, _ work: @Sendable @escaping () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await traffic.send() }
      defer { traffic.stop() }
      let value = try await work()
      while logs.acceptedCount < self.settings.minimumSent {
        self.terminal.progress("the pulje is done; sending on until enough was sent", "\(logs.acceptedCount) sent")
        try await Task.sleep(for: .milliseconds(500))
      }
      traffic.stop()
      try await group.waitForAll()
      return value
    }
  }

  /// Gives what is on its way the time to arrive: until nothing is outstanding, or nothing has come for half a minute.
  private func settle(_ logs: IdentityLogs) async {
    var last = logs.outstanding.count
    var quiet = 0
    while last > 0, quiet < 60 {
      self.terminal.progress("sending has stopped; waiting for the last messages", "\(last) on their way")
      try? await Task.sleep(for: .milliseconds(500))
      let now = logs.outstanding.count
      quiet = now == last ? quiet + 1 : 0
      last = now
    }
  }

  private func recordLeftovers(_ logs: IdentityLogs) async throws {
    for (site, queue, message) in try await self.buses.leftovers(on: self.story.queues, quiet: .seconds(3)) {
      // The migrator's own pings expire by themselves and are nobody's mail.
      guard let health = try? HealthMessage(reading: message), health.subject != PingForm.defaultSubject else { continue }
      logs.left(
        IdentityRecord(
          id: health.messageID, from: health.from, to: health.to, bus: site.endpoint.name.text, queue: queue,
          atMilliseconds: SystemRegistryClock().now.millisecondsSinceEpoch, system: "queue", outcome: nil))
    }
  }

  /// Whether the register holds what the story says it must.
  private func faults(in server: AddressRegisterServer) -> [String] {
    var faults: [String] = []
    for before in self.story.records {
      let herID = before.herID
      let moves = self.story.members.contains(herID) && herID != self.story.rolledBack
      guard let now = server.record(herID), let expected = moves ? try? before.moved(to: self.buses.target.endpoint.bus) : before
      else {
        faults.append("HER-ID \(herID) has no entry in the register any more")
        continue
      }
      if now.hash != expected.hash {
        faults.append("HER-ID \(herID) should be \(moves ? "on the target bus" : "exactly as it was"), and is not")
      }
    }
    let operations = server.changes.map(\.operationID)
    if operations.contains(where: { $0 == nil }) { faults.append("the register was changed without an operation id") }
    return faults
  }
}
