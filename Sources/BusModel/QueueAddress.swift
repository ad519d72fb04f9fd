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
    self.host = host.lowercased()
    self.path = path
    self.queue = queue
  }

  /// - Throws: ``BusModelError`` `queueAddressMalformed` when host or queue is empty, there is no slash, or a blank in it.
  public init(text: String) throws(BusModelError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count >= 2, let host = parts.first, !host.isEmpty, let queue = parts.last, !queue.isEmpty,
      !text.contains(where: \.isWhitespace)
    else { throw .queueAddressMalformed(String(text.prefix(200))) }
    self.init(host: String(host), path: parts.dropFirst().dropLast().joined(separator: "/"), queue: String(queue))
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
