// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TjenestebussClient

@Suite("Leaving and handler slots")
struct WorkUnderWayTests {
  @Test("Leaving waits for the last call, and lets no new one begin")
  func waits() async {
    let work = WorkUnderWay()
    #expect(work.begin())
    #expect(work.begin())
    work.close()
    #expect(!work.begin())
    async let waited: Void = work.waitForTheLast(within: .seconds(3_600))
    work.end()
    work.end()
    await waited
  }

  @Test("It does not wait when there is nothing, nor longer than its limit, nor when cancelled")
  func bounded() async {
    let idle = WorkUnderWay()
    idle.close()
    await idle.waitForTheLast(within: .seconds(3_600))

    let stuck = WorkUnderWay()
    #expect(stuck.begin())
    stuck.close()
    await stuck.waitForTheLast(within: .milliseconds(1))
    let task = Task { await stuck.waitForTheLast(within: .seconds(3_600)) }
    task.cancel()
    await task.value
  }

  @Test("So many handlers at once and no more; a cancelled wait takes no slot")
  func slots() async {
    let slots = HandlerSlots(2)
    #expect(await slots.take())
    #expect(slots.takeNow())
    #expect(!slots.takeNow())
    let cancelled = Task { await slots.take() }
    cancelled.cancel()
    #expect(await cancelled.value == false)
    slots.giveBack()
    #expect(slots.takeNow())
    async let waiting = slots.take()
    slots.giveBack()
    #expect(await waiting)
    #expect(!slots.takeNow())
  }

  @Test("Those who wait for a slot get it in the order in which they came; who was cancelled is passed over")
  func inOrder() async {
    let slots = HandlerSlots(1)
    #expect(slots.takeNow())
    let order = Shared<[Int]>([])
    await withTaskGroup(of: Void.self) { group in
      for number in 1...3 {
        group.addTask {
          guard await slots.take() else { return }
          order.withLock { $0.append(number) }
          slots.giveBack()
        }
        while slots.waitingCount < number { await Task.yield() }
      }
      slots.giveBack()
    }
    #expect(order.withLock { $0 } == [1, 2, 3])
  }
}
