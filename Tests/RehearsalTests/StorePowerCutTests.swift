// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationStore
import PowerCut
import Testing

@testable import rehearsal

@Suite("A power cut at any moment takes nothing from the event store that it has said to be durable")
struct StorePowerCutTests {
  /// `POWER_CUT_PREFIXES=all`: every prefix, every way to lose, several draws; else a sample of them.
  private static let isWhole = ProcessInfo.processInfo.environment["POWER_CUT_PREFIXES"] == "all"

  /// Cuts the power after each `stride`-th operation.
  private func cuts(
    _ operations: [DiskOperation], stride: Int, losses: [Disk.Loss], draws: Int
  ) async -> (tried: Int, troubles: [String]) {
    // In memory where that can be had: what the checks sync themselves takes no time there.
    let memory = FileManager.default.isWritableFile(atPath: "/dev/shm") ? URL(fileURLWithPath: "/dev/shm") : nil
    let folder = (memory ?? FileManager.default.temporaryDirectory).appendingPathComponent("cut-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var disk = Disk([:])
    var tried = 0
    var troubles: [String] = []
    for (index, operation) in operations.enumerated() {
      disk.take(operation)
      guard index % stride == 0 || index == operations.count - 1 else { continue }
      let durable = RecordedHistory.durable(disk)
      for loss in losses {
        for draw in 0..<(loss == .everything || loss == .nothing ? 1 : draws) {
          var random = Seeded(UInt64(index) << 8 | UInt64(draw))
          let files = disk.afterPowerCut(loss, using: &random)
          tried += 1
          if let trouble = await RecordedHistory.trouble(with: files, durable: durable, in: folder) {
            troubles.append("cut after operation \(index), lost \(loss), draw \(draw): \(trouble)")
          }
        }
      }
    }
    return (tried, troubles)
  }

  @Test("every prefix of what a short history does to its files, and any part of what was not synced")
  func prefixes() async throws {
    let recorded = try await RecordedHistory.record()
    #expect(recorded.operations.count > 100)
    #expect(
      recorded.operations.contains {
        if case .renamed(_, to: RecordedHistory.database + ".checkpoint") = $0 { true } else { false }
      })
    let (tried, troubles) = await self.cuts(
      recorded.operations, stride: Self.isWhole ? 1 : 5, losses: Disk.Loss.allCases, draws: Self.isWhole ? 8 : 1)
    #expect(tried > (Self.isWhole ? 3_000 : 150))
    #expect(troubles.isEmpty, "\(troubles.count) of \(tried): \(troubles.prefix(5).joined(separator: "\n"))")
    if Self.isWhole { print("power cuts of a short history: \(tried), in trouble: \(troubles.count)") }
  }

  @Test("and of a history so long that the log is carried over in mid-work")
  func checkpoints() async throws {
    let recorded = try await RecordedHistory.record(["--appends", "60", "--reopen", "1000", "--length", "300000"])
    let carriedOver = recorded.operations.dropLast(20).contains { operation in
      if case .wrote(RecordedHistory.database, let offset, _) = operation { offset > 0 } else { false }
    }
    #expect(carriedOver, "no checkpoint in mid-work")
    let (tried, troubles) = await self.cuts(
      recorded.operations, stride: Self.isWhole ? 11 : recorded.operations.count / 3, losses: Disk.Loss.allCases, draws: 1)
    #expect(tried >= 15)
    #expect(troubles.isEmpty, "\(troubles.count) of \(tried): \(troubles.prefix(5).joined(separator: "\n"))")
    if Self.isWhole { print("power cuts of a long history: \(tried), in trouble: \(troubles.count)") }
  }

  @Test("the proof can fail: with syncs swallowed, or those of commits alone (synchronous=NORMAL), events are lost")
  func sabotage() async throws {
    let operations = try await RecordedHistory.record().operations
    let none = operations.filter { operation in
      switch operation {
      case .synced, .folderSynced: false
      default: true
      }
    }
    var relaxed: [DiskOperation] = []
    for (operation, next) in zip(operations, operations.dropFirst()) {
      let isHead =
        switch next {
        case .wrote("heads", _, _), .created("heads"): true
        default: false
        }
      // What comes right before the head was kept outside: the sync that made the append durable.
      if operation == .synced(RecordedHistory.database + "-wal"), isHead { continue }
      relaxed.append(operation)
    }
    #expect(relaxed.count < operations.count - 5)
    for tampered in [none, relaxed] {
      let (tried, troubles) = await self.cuts(tampered, stride: 20, losses: [.everything, .writes], draws: 2)
      #expect(troubles.contains { $0.contains("were durable") }, "\(tried) tried")
    }
  }
}
