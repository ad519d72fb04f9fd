// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What this process uses of the machine: for tests that run alone in it.
struct ProcessUse: CustomStringConvertible {
  /// In kilobytes, after free memory was given back to the system.
  let resident: Int
  let descriptors: Int
  let threads: Int

  static func now() throws -> ProcessUse {
    // What was freed and kept for later would count as used.
    if let symbol = dlsym(nil, "malloc_trim") { _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)(0) }
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    func value(_ name: String) -> Int {
      let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
      return line.flatMap { $0.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } } ?? 0
    }
    return ProcessUse(
      resident: value("VmRSS"), descriptors: try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count,
      threads: value("Threads"))
  }

  var description: String { "\(self.resident) kB resident, \(self.descriptors) descriptors, \(self.threads) threads" }
}
