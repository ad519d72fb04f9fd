// SPDX-License-Identifier: Apache-2.0

/// The terminus address that a link attaches to, per dialect (sources: `docs/addresses.md`).
public struct LinkAddress: Sendable, Hashable, CustomStringConvertible {
  public let text: String
  public var description: String { self.text }

  /// An address as somebody else wrote it.
  public init(text: String) { self.text = text }

  /// The target a sender attaches to.
  ///
  /// - Parameter path: the namespace or exchange of the bus; empty for none.
  public static func sending(to queue: String, path: String, dialect: Dialect) -> LinkAddress {
    switch dialect {
    case .serviceBusWindowsServer:
      LinkAddress(text: path.isEmpty ? queue : "\(path)/\(queue)")
    case .azureServiceBus, .activeMQ:
      LinkAddress(text: queue)
    case .rabbitMQ3, .rabbitMQ4AddressV1:
      // Without an exchange `/amq/queue/` and not the bare name: the bare name would declare the queue.
      LinkAddress(text: path.isEmpty ? "/amq/queue/\(queue)" : "/exchange/\(path)/\(queue)")
    case .rabbitMQ4AddressV2:
      LinkAddress(
        text: path.isEmpty ? "/queues/\(percentEncoded(queue))" : "/exchanges/\(percentEncoded(path))/\(percentEncoded(queue))")
    }
  }

  /// The source a receiver attaches to. Never an address that would declare the queue.
  public static func receiving(from queue: String, path: String, dialect: Dialect) -> LinkAddress {
    switch dialect {
    case .serviceBusWindowsServer:
      LinkAddress(text: path.isEmpty ? queue : "\(path)/\(queue)")
    case .azureServiceBus, .activeMQ:
      LinkAddress(text: queue)
    case .rabbitMQ3, .rabbitMQ4AddressV1:
      LinkAddress(text: "/amq/queue/\(queue)")
    case .rabbitMQ4AddressV2:
      LinkAddress(text: "/queues/\(percentEncoded(queue))")
    }
  }

  /// Percent-encodes all but RFC 3986's unreserved characters, as address v2 demands.
  package static func percentEncoded(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF")
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        encoded.append("%")
        encoded.append(hex[Int(byte >> 4)])
        encoded.append(hex[Int(byte & 15)])
      }
    }
    return encoded
  }
}
