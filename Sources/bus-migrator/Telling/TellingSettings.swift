// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers

/// Who is told and how, as the configuration says now. A reload brings another one; whoever tells people waits for it here.
final class TellingSettings: Sendable {
  private let current: NIOLockedValueBox<TellConfiguration>
  private let changes: AsyncStream<Void>
  private let change: AsyncStream<Void>.Continuation

  init(_ configuration: TellConfiguration) {
    self.current = NIOLockedValueBox(configuration)
    (self.changes, self.change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  var configuration: TellConfiguration { self.current.withLockedValue { $0 } }

  func adopt(_ configuration: TellConfiguration) {
    self.current.withLockedValue { $0 = configuration }
    self.change.yield()
  }

  /// Returns when there is another one, or the task is cancelled. For one who waits.
  func waitForChange() async {
    for await _ in self.changes { return }
  }
}
