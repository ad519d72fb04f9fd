// SPDX-License-Identifier: Apache-2.0

/// A queue as the address register names it: `host/path/queue`, such as `sb.test.nhn.no/DigitalDialog/93238_async`.
///
/// Host comparison ignores case (DNS does); path and queue keep theirs (the buses do). A queue name is never built
/// from a HER-ID when the register gives one: parties below an organisation inherit its queues.
public struct QueueAddress: Sendable, Hashable, Codable, CustomStringConvertible {
  /// Lower case, without port.
  public let host: String
  /// Namespace on Service Bus, exchange on RabbitMQ. May hold further slashes; empty when the address has none.
  public let path: String
  /// The short queue name: what stands after the last slash.
  public let queue: String

  public init(host: String, path: String, queue: String) {
    self.init(lowerCaseHost: host.lowercased(), path: path, queue: queue)
  }

  /// - Parameter lowerCaseHost: taken as it is: it was an address's host before.
  package init(lowerCaseHost: String, path: String, queue: String) {
    self.host = lowerCaseHost
    self.path = path
    self.queue = queue
  }

  /// - Throws: ``BusModelError`` `queueAddressMalformed` when host or queue is empty, there is no slash, or a blank in it.
  public init(text: String) throws(BusModelError) {
    guard let address = Self.readPlainly(text) ?? Self.read(text) else {
      throw .queueAddressMalformed(String(text.prefix(200)))
    }
    self = address
  }

  /// The everyday form, ASCII without blanks and capitals in the host, read by bytes: a register of 100,000 parties has
  /// hundreds of thousands of them. Nil for anything else, which ``read(_:)`` judges.
  private static func readPlainly(_ text: String) -> QueueAddress? {
    var text = text
    return text.withUTF8 { bytes -> QueueAddress? in
      var first: Int?
      var last = 0
      for (index, byte) in bytes.enumerated() {
        guard byte > 0x20, byte < 0x7F else { return nil }
        if byte == UInt8(ascii: "/") {
          if first == nil { first = index }
          last = index
        } else if first == nil, byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") {
          return nil
        }
      }
      guard let first, first > 0, last + 1 < bytes.count else { return nil }
      let path = first == last ? "" : String(decoding: bytes[(first + 1)..<last], as: UTF8.self)
      return QueueAddress(
        lowerCaseHost: String(decoding: bytes[..<first], as: UTF8.self), path: path,
        queue: String(decoding: bytes[(last + 1)...], as: UTF8.self))
    }
  }

  private static func read(_ text: String) -> QueueAddress? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count >= 2, let host = parts.first, !host.isEmpty, let queue = parts.last, !queue.isEmpty,
      !text.contains(where: \.isWhitespace)
    else { return nil }
    return QueueAddress(host: String(host), path: parts.dropFirst().dropLast().joined(separator: "/"), queue: String(queue))
  }

  public var description: String {
    self.path.isEmpty ? "\(self.host)/\(self.queue)" : "\(self.host)/\(self.path)/\(self.queue)"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      try self.init(text: container.decode(String.self))
    } catch let error as BusModelError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.description)
  }
}
