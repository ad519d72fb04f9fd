// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Migration
import MigrationEngine
import ServiceLifecycle
import UnixSignals

/// Reads the configuration once more at each SIGHUP (systemctl reload) and takes up what can change while work goes on: time limits, rates, hooks,
/// the log level. A sealed plan is never touched. A file that cannot be read, or is wrong anywhere, changes nothing.
struct PolicyReload: Service {
  /// What the daemon was started with.
  let started: MigratorConfiguration
  let read: @Sendable () throws -> MigratorConfiguration
  let take: @Sendable (MigratorConfiguration) async -> Void
  let notify: ServiceNotify
  let notifier: any Notifier
  let clock: any MigrationClock

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { await self.reload() }
  }

  func reload() async {
    self.notify.tell("RELOADING=1\nMONOTONIC_USEC=\(ServiceNotify.monotonicMicroseconds)")
    defer { self.notify.tell("READY=1") }
    let fresh: MigratorConfiguration
    do { fresh = try self.read() } catch {
      let words = (error as? any ExplainedError)?.description ?? String("\(error)".prefix(200))
      return self.tell(.alarm, "configuration.not-reloaded", "the configuration is as it was: \(words)")
    }
    await self.take(fresh)
    let keys = MigratorConfiguration.reloadable.sorted().joined(separator: ", ")
    let waiting = fresh.needingRestart(since: self.started)
    guard waiting.isEmpty else {
      let words = "\(keys) are taken up; what also differs needs a restart: \(waiting.joined(separator: ", "))"
      return self.tell(.warning, "configuration.reloaded", words)
    }
    self.tell(.information, "configuration.reloaded", "\(keys) are taken up")
  }

  private func tell(_ weight: Notice.Weight, _ kind: String, _ words: String) {
    self.notifier.notify(Notice(at: self.clock.now, weight: weight, kind: kind, words: words))
  }
}
