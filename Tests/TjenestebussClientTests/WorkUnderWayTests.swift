// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TjenestebussClient

@Suite("Leaving")
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
}
