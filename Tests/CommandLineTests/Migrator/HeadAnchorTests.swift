// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationEngine
import MigrationStore
import NIOConcurrencyHelpers
import Testing

@testable import bus_migrator

@Suite("The chain's head is written outside every hour", .timeLimit(.minutes(5)))
struct HeadAnchorTests {
  /// A clock that is where it is waited for, until its end: there it stands.
  private final class HourClock: MigrationClock {
    private let instant: NIOLockedValueBox<Instant>
    private let end: Instant
    let (stands, standing) = AsyncStream.makeStream(of: Void.self)

    init(_ start: Instant, end: Instant) {
      self.instant = NIOLockedValueBox(start)
      self.end = end
    }

    var now: Instant { self.instant.withLockedValue { $0 } }

    func sleep(until deadline: Instant) async throws {
      if deadline <= self.end { return self.instant.withLockedValue { $0 = max($0, deadline) } }
      self.standing.yield()
      try await Task.sleep(for: .seconds(86_400))
    }
  }

  private final class Told: Notifier {
    let notices = NIOLockedValueBox<[Notice]>([])
    func notify(_ notice: Notice) { self.notices.withLockedValue { $0.append(notice) } }
  }

  private static let start = Instant(milliseconds: 1_770_000_000_000)

  /// Runs until the clock stands, then stops it. The head has grown by one each time it is asked for.
  private func run(file: String, hours: Int64, recoversAfter: Int64 = 0) async throws -> Told {
    let clock = HourClock(Self.start, end: Self.start + .hours(hours))
    let told = Told()
    let asked = NIOLockedValueBox<Int64>(0)
    let anchor = HeadAnchor(
      file: file, interval: .hours(1),
      head: {
        let count = asked.withLockedValue { count in
          count += 1
          return count
        }
        return count <= recoversAfter ? nil : ChainHead(sequence: count, hash: String(repeating: "a", count: 64))
      }, notifier: told, clock: clock)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await anchor.run() }
      for await _ in clock.stands { break }
      group.cancelAll()
      try await group.waitForAll()
    }
    return told
  }

  @Test("at the start, every hour, and when it ends: a line in the file and a notice each")
  func hourly() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("anchor-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let told = try await self.run(file: file, hours: 3)
    #expect(try await HeadLine.heads(inFile: file).map(\.sequence) == [1, 2, 3, 4, 5])
    let notices = told.notices.withLockedValue { $0 }
    #expect(notices.allSatisfy { $0.kind == "audit.head" && $0.words.contains("chain head") })
    #expect(notices.map { $0.at.since(Self.start) } == [.hours(0), .hours(1), .hours(2), .hours(3), .hours(3)])
  }

  @Test("while the history is being read it is asked again within a minute, and nothing is written")
  func recovering() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("anchor-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let told = try await self.run(file: file, hours: 1, recoversAfter: 2)
    #expect(told.notices.withLockedValue { $0.first?.at } == Self.start + .minutes(2))
  }

  @Test("a file that cannot be written is told, and does not end the daemon")
  func notWritten() async throws {
    let told = try await self.run(file: "/nowhere/heads", hours: 1)
    #expect(
      told.notices.withLockedValue { $0.filter { $0.kind == "audit.head-not-written" }.map(\.weight) } == [
        .warning, .warning, .warning,
      ])
  }
}
