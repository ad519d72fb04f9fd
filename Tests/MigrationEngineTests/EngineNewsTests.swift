// SPDX-License-Identifier: Apache-2.0

import Migration
import NIOConcurrencyHelpers
import Testing

@testable import MigrationEngine

@Suite("News of the engine: whoever waits is woken, and nobody hangs", .timeLimit(.minutes(2)))
struct EngineNewsTests {
  private func turn(_ sequence: Int64, isStopping: Bool = false) -> EngineTurn {
    EngineTurn(now: Instant(milliseconds: 0), busy: 0, nextWake: nil, isStopping: isStopping, sequence: sequence)
  }

  @Test("what has happened already is not waited for; a turn without an event wakes nobody; an event does")
  func news() async {
    let told = NIOLockedValueBox(0)
    let news = EngineNews { told.withLockedValue { $0 += 1 } }
    news.turned(self.turn(3), state: MigrationState())
    await news.wait(after: 2)
    #expect(news.sequence == 3)
    await withTaskGroup(of: Int64.self) { group in
      for _ in 0..<4 {
        group.addTask {
          await news.wait(after: 3)
          return news.sequence
        }
      }
      news.turned(self.turn(3), state: MigrationState())
      news.turned(self.turn(4), state: MigrationState())
      for await seen in group { #expect(seen == 4) }
    }
    #expect(told.withLockedValue { $0 } == 2)
  }

  @Test("an engine that stops, a deadline and a cancellation let everybody go")
  func ends() async {
    let news = EngineNews()
    let waiting = Task { await news.wait(after: 9) }
    waiting.cancel()
    await waiting.value
    await news.wait(after: 9, within: .milliseconds(1), clock: SystemMigrationClock())
    async let last: Void = news.wait(after: 9)
    news.turned(self.turn(1, isStopping: true), state: MigrationState())
    await last
    await news.wait(after: 100)
  }
}
