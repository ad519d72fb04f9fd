// SPDX-License-Identifier: Apache-2.0

import Crypto
import Logging

/// A line of the log as systemd's journal takes it natively: fields of their own instead of one text, so that
/// `journalctl PULJE=pulje-7 OPERATOR=kari` finds what it names.
struct JournalEntry: Sendable, Hashable {
  /// The most bytes of one field: a journal that is told more than a datagram holds is told nothing.
  static let longestField = 8_192

  private(set) var fields: [(name: String, value: String)] = []

  static func == (one: Self, other: Self) -> Bool { one.bytes == other.bytes }
  func hash(into hasher: inout Hasher) { hasher.combine(self.bytes) }

  init(level: Logger.Level, message: String, metadata: Logger.Metadata, identifier: String) {
    self.add("MESSAGE", message)
    self.add("PRIORITY", "\(Self.priority(level))")
    self.add("SYSLOG_IDENTIFIER", identifier)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      self.add(Self.fieldNames[key] ?? Self.fieldName(key), "\(value)")
      if key == LogKey.kind.rawValue { self.add("MESSAGE_ID", Self.messageID(kind: "\(value)")) }
    }
  }

  private mutating func add(_ name: String, _ value: String) {
    self.fields.append((name, String(decoding: value.utf8.prefix(Self.longestField), as: UTF8.self)))
  }

  /// As sd_journal_send(3) writes it: `NAME=value`, and where the value has a line's end its length before it.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for (name, value) in self.fields {
      bytes += Array(name.utf8)
      let text = Array(value.utf8)
      if text.contains(UInt8(ascii: "\n")) {
        bytes.append(UInt8(ascii: "\n"))
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { bytes += $0 }
      } else {
        bytes.append(UInt8(ascii: "="))
      }
      bytes += text
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  /// What the journal calls our keys, where it is not their own name in capitals.
  private static let fieldNames = [
    LogKey.phase.rawValue: "STATE_TO", LogKey.phaseBefore.rawValue: "STATE_FROM", LogKey.code.rawValue: "REASON_CODE",
    LogKey.herID.rawValue: "HERID", LogKey.operation.rawValue: "OP_ID", LogKey.actor.rawValue: "OPERATOR",
  ]

  private static func fieldName(_ key: String) -> String {
    // A field's name is capitals, digits and underscores, and does not begin with one of the latter two.
    let name = String(
      key.uppercased().unicodeScalars.map { ("A"..."Z").contains($0) || ("0"..."9").contains($0) ? Character($0) : "_" })
    return name.first.map { $0.isLetter } ?? false ? String(name.prefix(64)) : "X\(name.prefix(60))"
  }

  /// The same for the same kind of event, for ever: `journalctl MESSAGE_ID=...`.
  static func messageID(kind: String) -> String {
    SHA256.hash(data: Array("bus-migrator:\(kind)".utf8)).prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// As syslog(3) counts.
  private static func priority(_ level: Logger.Level) -> Int {
    switch level {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}
