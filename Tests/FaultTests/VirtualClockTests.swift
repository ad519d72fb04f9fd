// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

@Suite("A clock that tests move", .timeLimit(.minutes(5)))
struct VirtualClockTests {
  @Test("nobody wakes before the time, and everybody at it, earliest first, then in the order of lying down")
  func order() async throws {
    let clock = VirtualClock()
    let woken = NIOLockedValueBox<[String]>([])
    for (name, milliseconds) in [("c", 30), ("a", 10), ("b1", 20), ("b2", 20)] as [(String, Int64)] {
      _ = clock.wake(at: clock.milliseconds + milliseconds) { woken.withLockedValue { $0.append("\(name) at \(clock.now)") } }
    }
    clock.advance(by: .milliseconds(9))
    #expect(woken.withLockedValue { $0 } == [])
    clock.advance(by: .milliseconds(11))
    #expect(woken.withLockedValue { $0 } == ["a at 0.01 seconds", "b1 at 0.02 seconds", "b2 at 0.02 seconds"])
    #expect(clock.advanceToNext())
    #expect(woken.withLockedValue { $0.last } == "c at 0.03 seconds")
    #expect(!clock.advanceToNext())
    #expect(clock.now == VirtualClock.Instant(offset: .milliseconds(30)))
  }

  @Test("a task sleeps until its time, five minutes in no time")
  func sleep() async throws {
    let clock = VirtualClock()
    let task = Task { try await Task.sleep(for: .seconds(300), clock: clock) }
    try await clock.waitForSleepers(1)
    #expect(clock.nextDeadline == VirtualClock.Instant(offset: .seconds(300)))
    clock.advance(by: .seconds(300))
    try await task.value
    #expect(clock.sleeperCount == 0)
    // Past already.
    try await clock.sleep(until: VirtualClock.Instant(offset: .seconds(1)))
  }

  @Test("a cancelled task wakes at once, and sleeps no more")
  func cancelled() async throws {
    let clock = VirtualClock()
    let asleep = Task { try await clock.sleep(for: .seconds(1)) }
    try await clock.waitForSleepers(1)
    asleep.cancel()
    await #expect(throws: CancellationError.self) { try await asleep.value }
    #expect(clock.sleeperCount == 0)
    let beforehand = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await clock.sleep(for: .seconds(1))
    }
    await #expect(throws: CancellationError.self) { try await beforehand.value }
    let watcher = Task { try await clock.waitForSleepers(9) }
    watcher.cancel()
    await #expect(throws: CancellationError.self) { try await watcher.value }
  }

  @Test("an alarm that was taken back does not ring; one for a time that has passed rings at once")
  func alarms() {
    let clock = VirtualClock(milliseconds: 1_000)
    let rung = NIOLockedValueBox(0)
    let cancel = clock.wake(at: 2_000) { rung.withLockedValue { $0 += 1 } }
    cancel()
    clock.advance(by: .seconds(5))
    #expect(rung.withLockedValue { $0 } == 0)
    #expect(clock.milliseconds == 6_000)
    _ = clock.wake(at: 3_000) { rung.withLockedValue { $0 += 1 } }
    #expect(rung.withLockedValue { $0 } == 1)
  }

  @Test("who is woken may lie down again, within the same stretch of time")
  func again() {
    let clock = VirtualClock()
    let ticks = NIOLockedValueBox<[Int64]>([])
    let start = clock.milliseconds
    @Sendable func tick() {
      ticks.withLockedValue { $0.append(clock.milliseconds - start) }
      if clock.milliseconds - start < 40 { _ = clock.wake(at: clock.milliseconds + 10, tick) }
    }
    _ = clock.wake(at: start + 10, tick)
    clock.advance(by: .milliseconds(35))
    #expect(ticks.withLockedValue { $0 } == [10, 20, 30])
    #expect(clock.milliseconds - start == 35)
    clock.advance(by: .milliseconds(5))
    #expect(clock.nextDeadline == nil)
  }
}
