// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The last pings on this machine, and whether one more may go. Pure; ``PingRation`` keeps it in a file that every process shares.
struct PingRationRules: Sendable, Hashable {
  struct Record: Sendable, Hashable {
    var herID: Int32
    /// Milliseconds since 1970 by the machine's clock.
    var at: Int64
  }

  enum Answer: Sendable, Hashable {
    case go
    /// The party was pinged a moment ago: wait for so long.
    case lately(milliseconds: Int64)
    /// More pings in the interval than are kept: nobody could say whether this party's is among them.
    case tooMany
  }

  /// How far apart pings of one party are, in milliseconds.
  var interval: Int64
  /// The most records that are kept; in one interval no more than so many pings go.
  static let limit = 20_000

  /// Decides, and notes the ping where it may go.
  func ask(_ herID: Int32, at now: Int64, _ records: inout [Record]) -> Answer {
    // What is written in the future was written before the clock was set back: it says nothing, and must not block for long.
    records.removeAll { now - $0.at >= self.interval || $0.at - now > self.interval }
    if let last = records.filter({ $0.herID == herID }).map(\.at).max() {
      return .lately(milliseconds: min(self.interval, max(1, self.interval - (now - last))))
    }
    guard records.count < Self.limit else { return .tooMany }
    records.append(Record(herID: herID, at: now))
    return .go
  }

  static let recordSize = 12

  static func encoded(_ records: [Record]) -> [UInt8] {
    records.flatMap { record in
      withUnsafeBytes(of: record.herID.littleEndian, Array.init) + withUnsafeBytes(of: record.at.littleEndian, Array.init)
    }
  }

  /// A last record that is not whole was cut by a crash, and is not believed.
  static func decoded(_ bytes: [UInt8]) -> [Record] {
    stride(from: 0, through: bytes.count - Self.recordSize, by: Self.recordSize).map { start in
      func number(_ range: Range<Int>) -> UInt64 {
        range.reversed().reduce(0) { $0 << 8 | UInt64(bytes[start + $1]) }
      }
      return Record(
        herID: Int32(truncatingIfNeeded: number(0..<4)), at: Int64(truncatingIfNeeded: number(4..<12)))
    }
  }
}
