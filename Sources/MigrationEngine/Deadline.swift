// SPDX-License-Identifier: Apache-2.0

import Migration

/// Ends `work` at a deadline by cancelling it. The answer is waited for either way, so that nothing is left running.
///
/// - Returns: nil when the deadline came first and the work had no answer.
func within<Value: Sendable>(
  _ span: TimeSpan, clock: any MigrationClock, _ work: @escaping @Sendable () async -> Value
) async -> Value? {
  await withTaskGroup(of: Value?.self) { group in
    group.addTask { await work() }
    group.addTask {
      try? await clock.sleep(until: clock.now + span)
      return nil
    }
    let first = await group.next() ?? nil
    group.cancelAll()
    if let first { return first }
    // What was cancelled may have come to an answer all the same.
    for await late in group { if let late { return late } }
    return nil
  }
}
