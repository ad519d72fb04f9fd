// SPDX-License-Identifier: Apache-2.0

/// Takes server-sent events out of the bytes that carry them, wherever these are cut.
struct EventStreamReader: Sendable {
  enum Item: Sendable, Hashable {
    case event(name: String, id: Int64?, data: [UInt8])
    /// A comment: the sender lives.
    case heartbeat
  }

  private var line: [UInt8] = []
  private var name = ""
  private var id: Int64?
  private var data: [UInt8]?

  /// - Returns: what has come whole with `bytes`.
  mutating func take(_ bytes: some Sequence<UInt8>) -> [Item] {
    var items: [Item] = []
    for byte in bytes {
      guard byte == UInt8(ascii: "\n") else {
        self.line.append(byte)
        continue
      }
      if let item = self.endLine() { items.append(item) }
      self.line.removeAll(keepingCapacity: true)
    }
    return items
  }

  private mutating func endLine() -> Item? {
    if self.line.last == UInt8(ascii: "\r") { self.line.removeLast() }
    guard let first = self.line.first else {
      defer { (self.name, self.id, self.data) = ("", nil, nil) }
      return self.data.map { .event(name: self.name, id: self.id, data: $0) }
    }
    if first == UInt8(ascii: ":") { return .heartbeat }
    let parts = self.line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    var value = parts.count > 1 ? parts[1] : []
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    switch String(decoding: parts[0], as: UTF8.self) {
    case "event": self.name = String(decoding: value, as: UTF8.self)
    case "id": self.id = Int64(String(decoding: value, as: UTF8.self))
    case "data": self.data = (self.data.map { $0 + [UInt8(ascii: "\n")] } ?? []) + value
    default: break
    }
    return nil
  }
}
