// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TjenestebussTesting

@Suite("The fault matrix: eight faults of the network while sending, receiving, settling and closing", .timeLimit(.minutes(5)))
struct FaultMatrixTests {
  @Test("in-memory broker: nothing lost, every duplicate explained", arguments: FaultCell.all)
  func inMemory(_ cell: FaultCell) async throws { try await self.play(cell, on: .inMemory) }

  @Test("RabbitMQ 3.10: nothing lost, every duplicate explained", arguments: FaultMatrixTests.realCells)
  func rabbitMQ3(_ cell: FaultCell) async throws { try await self.play(cell, on: .rabbitMQ3) }

  @Test("RabbitMQ 4.0: nothing lost, every duplicate explained", arguments: FaultMatrixTests.realCells)
  func rabbitMQ4(_ cell: FaultCell) async throws { try await self.play(cell, on: .rabbitMQ4) }

  private static let environment = ProcessInfo.processInfo.environment

  /// On real brokers every kind of fault and every phase; with TJENESTEBUSS_FAULT_MATRIX=all each with each.
  static let realCells = environment["TJENESTEBUSS_FAULT_MATRIX"] == "all" ? FaultCell.all : FaultCell.some

  private func play(_ cell: FaultCell, on kind: FaultBus.Kind) async throws {
    let balance = try await FaultBus.with(kind) { bus in try await FaultRun.play(cell, on: bus) }
    #expect(balance.faults == [], "\(balance)")
    #expect(balance.accepted >= FaultRun.count)
    #expect(balance.received == balance.accepted)
    if Self.environment["TJENESTEBUSS_FAULT_REPORT"] != nil {
      print("fault matrix | \(kind.rawValue) | \(cell.testDescription) | \(balance)")
    }
  }
}
