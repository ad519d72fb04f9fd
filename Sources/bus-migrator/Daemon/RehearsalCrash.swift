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
/// call since its start, and says on standard error which that was. `17` counts all points; `after-write:2` counts only the
/// points of that name: `before-` or `after-` with append, intent, read, write, preflight, ping, look or hook. Of several, with
/// commas between them, the first to be reached strikes. Without the variable it does nothing.
final class RehearsalCrash: CrashPoints {
  private struct Target {
    /// nil: any point.
    var name: String?
    var left: Int
  }

  private let targets: Mutex<[Target]>

  /// - Returns: nil when the variable is not set.
  /// - Throws: when it is set to something else than numbers and `name:number`.
  static func from(environment: [String: String]) throws -> RehearsalCrash? {
    guard let text = environment["TJENESTEBUSS_CRASH_AT"], !text.isEmpty else { return nil }
    let names = CrashPoint.Moment.allCases.flatMap { moment in
      CrashPoint.Deed.allCases.map { CrashPoint(moment: moment, deed: $0).description }
    }
    let targets = try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
      let parts = word.split(separator: ":", omittingEmptySubsequences: false)
      let name = parts.count == 2 ? String(parts[0]) : nil
      guard parts.count <= 2, let last = parts.last, let at = Int(last), at >= 1, name.map(names.contains) ?? true else {
        throw CommandLineError.argumentWrong(
          name: "TJENESTEBUSS_CRASH_AT", seen: text,
          wanted: "a number, or a point's name, a colon and a number; or several of these with commas")
      }
      return Target(name: name, left: at)
    }
    return RehearsalCrash(targets)
  }

  private init(_ targets: [Target]) { self.targets = Mutex(targets) }

  func reached(_ point: CrashPoint) {
    let name = point.description
    let strikes = self.targets.withLock { targets in
      for index in targets.indices where targets[index].name.map({ $0 == name }) ?? true { targets[index].left -= 1 }
      return targets.contains { $0.left == 0 }
    }
    guard strikes else { return }
    // Straight to the descriptor: nothing that is buffered would come out any more.
    let words = "dies at \(name)\n"
    _ = words.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    kill(getpid(), SIGKILL)
  }
}
