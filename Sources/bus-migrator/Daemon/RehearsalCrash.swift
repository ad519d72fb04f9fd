// SPDX-License-Identifier: Apache-2.0

import MigrationEngine
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A rehearsal aid: with `TJENESTEBUSS_CRASH_AT` set, the process kills itself (SIGKILL) at the n-th durable write or outside
/// call since its start. `17` counts all points; `after-write:2` counts only the points of that name: `before-` or `after-`
/// with append, intent, read, write, preflight, ping or look. Without the variable it does nothing.
final class RehearsalCrash: CrashPoints {
  private let name: String?
  private let at: Int
  private let reachedCount = Mutex(0)

  /// - Returns: nil when the variable is not set.
  /// - Throws: when it is set to something else than a number or `name:number`.
  static func from(environment: [String: String]) throws -> RehearsalCrash? {
    guard let text = environment["TJENESTEBUSS_CRASH_AT"], !text.isEmpty else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let names = CrashPoint.Moment.allCases.flatMap { moment in
      CrashPoint.Deed.allCases.map { CrashPoint(moment: moment, deed: $0).description }
    }
    let name = parts.count == 2 ? String(parts[0]) : nil
    guard parts.count <= 2, let last = parts.last, let at = Int(last), at >= 1, name.map(names.contains) ?? true else {
      throw CommandLineError.argumentWrong(
        name: "TJENESTEBUSS_CRASH_AT", seen: text, wanted: "a number, or a point's name, a colon and a number")
    }
    return RehearsalCrash(name: name, at: at)
  }

  private init(name: String?, at: Int) {
    self.name = name
    self.at = at
  }

  func reached(_ point: CrashPoint) {
    if let name, name != point.description { return }
    let count = self.reachedCount.withLock { count in
      count += 1
      return count
    }
    if count == self.at { kill(getpid(), SIGKILL) }
  }
}
