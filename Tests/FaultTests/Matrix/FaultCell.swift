// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TjenestebussTesting

/// One cell of a matrix: what happens to the network, and while what is done.
struct FaultCell<Phase: FaultPhase>: Sendable {
  let kind: FaultKind
  let phase: Phase

  static var all: [FaultCell] {
    FaultKind.allCases.flatMap { kind in Phase.allCases.map { FaultCell(kind: kind, phase: $0) } }
  }

  /// Every kind once, every phase twice.
  static var some: [FaultCell] {
    zip(FaultKind.allCases, Array(Phase.allCases) + Array(Phase.allCases)).map { FaultCell(kind: $0, phase: $1) }
  }

  var fault: NetworkFault { self.kind.fault(byteLimit: self.phase.byteLimit) }

  var directions: ProxyDirections { self.kind == .byteLimit ? self.phase.limited : .both }
}

/// A cell on one bus.
struct FaultPlay<Phase: FaultPhase>: Sendable, CustomTestStringConvertible {
  let bus: FaultBus.Kind
  let cell: FaultCell<Phase>

  var testDescription: String { "\(self.bus.rawValue): \(self.cell.kind.rawValue) while \(self.cell.phase.rawValue)" }

  /// On the in-memory broker each fault with each phase. On real brokers every fault and every phase; with
  /// TJENESTEBUSS_FAULT_MATRIX=all each with each.
  static var all: [FaultPlay] {
    let isWhole = ProcessInfo.processInfo.environment["TJENESTEBUSS_FAULT_MATRIX"] == "all"
    return FaultCell.all.map { FaultPlay(bus: .inMemory, cell: $0) }
      + FaultBus.Kind.real.flatMap { bus in (isWhole ? FaultCell.all : FaultCell.some).map { FaultPlay(bus: bus, cell: $0) } }
  }
}
