// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Migration
import MigrationEngine
import ServiceLifecycle

/// Once a night everything in the cache is compared with the register: what differs though nobody told, what others have changed of
/// what we wrote. The result is kept in the cache (`bus-migrator registry diff --last`) and told; what differs is then read into the
/// cache anew. A night that was slept through is made up for at the next start.
struct NightlyCompare: Service {
  let at: TimeOfDay
  let cache: AddressCache
  let register: any AddressRegisterReading
  /// What puljer have written.
  let written: @Sendable () async -> [HerID: RegistryComparison.Written]
  let notifier: any Notifier
  var clock: any MigrationClock = SystemMigrationClock()
  /// Questions at once. Few: nobody waits, and the register is shared.
  var concurrency = 4

  func run() async throws {
    await cancelWhenGracefulShutdown { await self.compareNightly() }
  }

  /// Until cancelled. Nothing that fails in here ends the daemon.
  private func compareNightly() async {
    var after: Instant
    do {
      after =
        try await self.cache.lastComparison().map { Instant(milliseconds: $0.endedAt.millisecondsSinceEpoch) } ?? self.clock.now
    } catch {
      self.tell(.warning, "what the last compare found cannot be read: \(Self.words(error))")
      after = self.clock.now
    }
    // A last compare in the future was made before the clock was set back.
    after = min(after, self.clock.now)
    while !Task.isCancelled {
      let due = self.at.next(after: after)
      guard await self.wait(until: due) else { return }
      await self.compare()
      after = self.clock.now
    }
  }

  /// In steps of an hour at most, so that a clock that is set is noticed.
  private func wait(until due: Instant) async -> Bool {
    while self.clock.now < due {
      guard (try? await self.clock.sleep(until: min(due, self.clock.now + .hours(1)))) != nil else { return false }
    }
    return !Task.isCancelled
  }

  private func compare() async {
    do {
      let begun = self.instant
      let entries = try await self.cache.parties()
      let result = try await RegistryComparison(register: PatientRegister(self.register), concurrency: self.concurrency)
        .compare(entries, written: await self.written())
      let report = ComparisonReport(result, begunAt: begun, endedAt: self.instant)
      try await self.cache.keep(report)
      self.tell(Self.weight(report), Self.words(report))
      let differing = Set(result.silent.map(\.herID)).union(result.foreign.map(\.herID)).sorted()
      if !differing.isEmpty {
        _ = try await RegistrySync(cache: self.cache, clock: ClockOfMigration(clock: self.clock))
          .parties(differing, from: PatientRegister(self.register), concurrency: self.concurrency)
      }
    } catch is CancellationError {
      return
    } catch {
      self.tell(.alarm, "the nightly compare with the register failed: \(Self.words(error))")
    }
  }

  private var instant: RegistryInstant { ClockOfMigration(clock: self.clock).now }

  private func tell(_ weight: Notice.Weight, _ words: String) {
    self.notifier.notify(Notice(at: self.clock.now, weight: weight, kind: "registry.compared", words: words))
  }

  private static func weight(_ report: ComparisonReport) -> Notice.Weight {
    if report.foreignCount > 0 { return .alarm }
    return report.isAgreed ? .information : .warning
  }

  static func words(_ report: ComparisonReport) -> String {
    func list(_ herIDs: [HerID?], _ count: Int) -> String {
      let shown = herIDs.prefix(10).map { $0?.description ?? "?" }.joined(separator: ", ")
      return count == 0 ? "" : " (HER-ID \(shown)\(count > 10 ? ", ..." : ""))"
    }
    return "\(report.compared) entries compared with the register: "
      + "\(report.silentCount) differ silently\(list(report.silent.map(\.herID), report.silentCount)), "
      + "\(report.foreignCount) that we wrote were changed by others\(list(report.foreign.map(\.herID), report.foreignCount)), "
      + "\(report.goneCount) are gone\(list(report.gone, report.goneCount)), "
      + "\(report.failureCount) could not be read\(list(report.failures.map(\.herID), report.failureCount))"
  }

  private static func words(_ error: any Error) -> String {
    guard let error = error as? AddressRegistryError else { return String("\(error)".prefix(200)) }
    return "[\(error.stableCode)] \(error.explanation.seen)"
  }
}

extension TimeOfDay {
  /// When the registry is compared unless somebody says otherwise: nobody changes entries then.
  static let usualCompare = TimeOfDay(hour: 3) ?? .midnight

  /// The first instant after this one at which clocks in Norway show this time. In the night when the hour does not come it is the
  /// moment at which they jump over it; in the night when it comes twice, the first.
  func next(after instant: Instant) -> Instant {
    let today = OsloTime.reading(at: instant).date
    let next = OsloTime.instant(today, self)
    if next > instant { return next }
    // A day after noon it is the next day, whatever was done to the clocks.
    let noon = OsloTime.instant(today, TimeOfDay(hour: 12) ?? .midnight)
    return OsloTime.instant(OsloTime.reading(at: noon + .hours(24)).date, self)
  }
}

/// The daemon's clock as the registry's.
struct ClockOfMigration: RegistryClock {
  let clock: any MigrationClock
  var now: RegistryInstant { RegistryInstant(millisecondsSinceEpoch: self.clock.now.milliseconds) }
}

extension MigrationState {
  /// What puljer have written, the last pulje of a party counting.
  var written: [HerID: RegistryComparison.Written] {
    var written: [HerID: RegistryComparison.Written] = [:]
    for pulje in self.ordered {
      for group in pulje.groups {
        for member in group.members where member.intents > 0 || group.wasTakenAlong(member) {
          written[member.herID] = .init(before: member.plan.before, after: member.plan.after)
        }
      }
    }
    return written
  }
}
