// SPDX-License-Identifier: Apache-2.0

import Migration
import MigrationEngine
import MigrationStore
import ServiceLifecycle

/// Writes the head of the history's chain outside the database: at the start, every so often, and when the daemon stops. To a file,
/// and as a notice, which goes to the journal: whoever rewrites the history must rewrite both (I-19).
struct HeadAnchor: Service {
  let file: String
  let interval: TimeSpan
  /// Where the history ends now; nil while it is being recovered.
  let head: @Sendable () async -> ChainHead?
  let notifier: any Notifier
  var clock: any MigrationClock = SystemMigrationClock()

  func run() async throws {
    await cancelWhenGracefulShutdown { await self.anchorUntilCancelled() }
    // Stopped after the engine: what it did last is in it.
    await self.anchor()
  }

  private func anchorUntilCancelled() async {
    while !Task.isCancelled {
      // The history is being read when the daemon starts; then it is asked again soon.
      let pause = await self.anchor() ? self.interval : min(self.interval, .minutes(1))
      guard (try? await self.clock.sleep(until: self.clock.now + pause)) != nil else { return }
    }
  }

  /// A head that cannot be written is told; it does not end the daemon.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  private func anchor() async -> Bool {
    guard let head = await self.head() else { return false }
    let line = HeadLine(at: self.clock.now, head: head)
    self.notifier.notify(
      Notice(at: line.at, weight: .information, kind: "audit.head", words: "chain head \(head.sequence) \(head.hash)"))
    do { try await line.append(toFile: self.file) } catch {
      let words = "the chain's head could not be written to \(self.file): \(String("\(error)".prefix(200)))"
      self.notifier.notify(Notice(at: line.at, weight: .warning, kind: "audit.head-not-written", words: words))
    }
    return true
  }
}
