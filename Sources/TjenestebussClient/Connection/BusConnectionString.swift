// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// How to reach a bus and log in, as operators write it in one line.
///
/// Two kinds are read:
///
/// - `amqps://user:password@host:5671/exchange` (and `amqp://` without encryption). User, password and path are URL-escaped.
///   Default ports 5671 and 5672. The path is the exchange on RabbitMQ, the namespace on Service Bus; it is case-sensitive,
///   stands only in link addresses and is never a RabbitMQ virtual host (see ``BusEndpoint/virtualHost``).
/// - `Endpoint=sb://host/namespace;StsEndpoint=..;RuntimePort=9354;ManagementPort=9355;OAuthUsername=..;OAuthPassword=..`, as
///   systems of the .NET protocol have it. What is used: host and namespace of the endpoint, user name and password (also
///   `SharedAccessKeyName` and `SharedAccessKey`), all of them as they stand, unescaped. The connection is made by **AMQP 1.0
///   over TLS on port 5671**, or on the port that stands in the endpoint itself. `RuntimePort`, `ManagementPort` and
///   `StsEndpoint` belong to the .NET protocol and are read but not used.
///
/// Printing it never shows the password: `amqps://user:<redacted>@host:5671/path`. Errors show no piece of the text, since
/// what is malformed may be the password.
public struct BusConnectionString: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var host: String
  public var port: Int
  /// Whether the connection is encrypted (TLS 1.2 or later, server verified).
  public var encrypted: Bool
  public var user: String
  public var password: Secret
  /// Exchange or namespace; empty for none.
  public var path: String

  public init(host: String, port: Int? = nil, encrypted: Bool = true, user: String, password: Secret, path: String = "") {
    self.host = host
    self.port = port ?? (encrypted ? 5671 : 5672)
    self.encrypted = encrypted
    self.user = user
    self.password = password
    self.path = path
  }

  /// Reads either kind. Blanks around it are ignored.
  ///
  /// - Throws: ``TjenestebussError``, codes TB-101 to TB-109.
  public init(_ text: String) throws(TjenestebussError) {
    let trimmed = text.trimmingBlanks
    if trimmed.isEmpty { throw .connectionStringEmpty }
    let lowered = trimmed.prefix(8).lowercased()
    if lowered.hasPrefix("amqps://") {
      try self.init(url: trimmed.dropFirst(8), encrypted: true)
    } else if lowered.hasPrefix("amqp://") {
      try self.init(url: trimmed.dropFirst(7), encrypted: false)
    } else if trimmed.hasPart(beginningWith: "Endpoint=") {
      try self.init(keysAndValues: trimmed)
    } else {
      throw .connectionStringKindUnknown
    }
  }

  public var description: String {
    let host = self.host.contains(":") ? "[\(self.host)]" : self.host
    let path = self.path.isEmpty ? "" : "/\(self.path)"
    return "\(self.encrypted ? "amqps" : "amqp")://\(self.user):<redacted>@\(host):\(self.port)\(path)"
  }

  public var debugDescription: String { self.description }
  public var customMirror: Mirror { Mirror(self, children: ["text": self.description]) }
}

extension StringProtocol {
  var trimmingBlanks: String {
    var text = self[...]
    while let first = text.first, first.isWhitespace { text = text.dropFirst() }
    while let last = text.last, last.isWhitespace { text = text.dropLast() }
    return String(text)
  }

  /// Whether a part between semicolons begins with `key`, in any case.
  func hasPart(beginningWith key: String) -> Bool {
    self.split(separator: ";").contains { $0.trimmingBlanks.lowercased().hasPrefix(key.lowercased()) }
  }
}
