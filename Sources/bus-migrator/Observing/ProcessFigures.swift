// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension MetricsPicture.Process {
  /// As the system tells it; what it does not tell is left out.
  static func current(startedAt: Instant) -> Self {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first
    let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    var usage = rusage()
    #if canImport(Darwin)
      let isTold = getrusage(RUSAGE_SELF, &usage) == 0
    #else
      let isTold = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0
    #endif
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return Self(
      startedAt: startedAt, residentBytes: pages.flatMap { Int($0) }.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) },
      openDescriptors: descriptors, processorSeconds: isTold ? seconds(usage.ru_utime) + seconds(usage.ru_stime) : nil)
  }
}
