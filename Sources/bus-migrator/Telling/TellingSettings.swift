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

  /// The same once more changes nothing: what is on its way is not sent again because a certificate was renewed.
  func adopt(_ configuration: TellConfiguration) {
    let isNew = self.current.withLockedValue { current in
      defer { current = configuration }
      return current != configuration
    }
    if isNew { self.change.yield() }
  }

  /// Returns when there is another one, or the task is cancelled. For one who waits.
  func waitForChange() async {
    for await _ in self.changes { return }
  }
}
