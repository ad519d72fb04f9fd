// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TjenestebussTesting

@Suite("The fault matrix: eight faults of the network, and nothing is lost", .timeLimit(.minutes(5)))
struct FaultMatrixTests {
  @Test("connections: send, receive, settle, close; every duplicate is explained", arguments: FaultPlay<ConnectionPhase>.all)
  func connections(_ play: FaultPlay<ConnectionPhase>) async throws {
    let balance = try await FaultBus.with(play.bus) { bus in try await FaultRun.play(play.cell, on: bus) }
    self.judge(balance, "connection", play)
  }

  @Test(
    "a client that comes back: send, withReceiver, process, shutdown; every duplicate is explained",
    arguments: FaultPlay<ClientPhase>.all)
  func clients(_ play: FaultPlay<ClientPhase>) async throws {
    let balance = try await FaultBus.with(play.bus) { bus in try await ClientFaultRun.play(play.cell, on: bus) }
    self.judge(balance, "client", play)
  }

  private func judge<Phase>(_ balance: DeliveryLedger.Balance, _ what: String, _ play: FaultPlay<Phase>) {
    #expect(balance.faults == [], "\(balance)")
    #expect(balance.accepted >= FaultStage.count)
    #expect(balance.received == balance.accepted)
    if ProcessInfo.processInfo.environment["TJENESTEBUSS_FAULT_REPORT"] != nil {
      print("fault matrix | \(what) | \(play.testDescription) | \(balance)")
    }
  }
}
