// SPDX-License-Identifier: Apache-2.0

import Disclosure

extension BusConnectionString {
  /// What follows `amqps://` or `amqp://`.
  init(url rest: Substring, encrypted: Bool) throws(TjenestebussError) {
    let authority = rest.prefix { $0 != "/" }
    let rawPath = rest.dropFirst(authority.count).dropFirst()
    // A raw / in the password cuts it in two; then an @ is left over behind the cut.
    if rawPath.contains("@") {
      throw .connectionStringMalformed(part: .password, problem: "a / in user or password must be written %2F")
    }
    if rest.contains(where: { $0 == "?" || $0 == "#" }) {
      throw .connectionStringMalformed(part: .path, problem: "no ? or # may stand in it; in a password write %3F and %23")
    }
    guard let at = authority.lastIndex(of: "@") else { throw .connectionStringPartMissing(.user) }
    let login = authority[..<at]
    if login.contains("@") {
      throw .connectionStringMalformed(part: .password, problem: "an @ in user or password must be written %40")
    }
    guard let colon = login.firstIndex(of: ":") else { throw .connectionStringPartMissing(.password) }
    let user = try Self.unescaped(login[..<colon], .user)
    let password = try Self.unescaped(login[login.index(after: colon)...], .password)
    if user.isEmpty { throw .connectionStringPartMissing(.user) }
    if password.isEmpty { throw .connectionStringPartMissing(.password) }
    let (host, port) = try Self.hostAndPort(authority[authority.index(after: at)...])
    let path = try Self.unescaped(rawPath.last == "/" ? rawPath.dropLast() : rawPath, .path)
    self.init(host: host, port: port, encrypted: encrypted, user: user, password: Secret(password), path: path)
  }

  /// `host`, `host:port` or `[address]:port`.
  static func hostAndPort(_ text: Substring) throws(TjenestebussError) -> (host: String, port: Int?) {
    var host = text
    var portText: Substring?
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else {
        throw .connectionStringMalformed(part: .host, problem: "a [ without its ]")
      }
      host = text[text.index(after: text.startIndex)..<end]
      let after = text[text.index(after: end)...]
      if !after.isEmpty {
        guard after.first == ":" else {
          throw .connectionStringMalformed(part: .host, problem: "something other than :port behind the ]")
        }
        portText = after.dropFirst()
      }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      portText = text[text.index(after: colon)...]
    }
    if host.isEmpty { throw .connectionStringPartMissing(.host) }
    guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .connectionStringMalformed(part: .host, problem: "blanks or letters that no host name has")
    }
    guard let portText else { return (String(host), nil) }
    guard portText.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(portText), (1...65_535).contains(port) else {
      throw .connectionStringPortInvalid
    }
    return (String(host), port)
  }

  /// Undoes URL-escapes. A `+` stays a `+`.
  static func unescaped(_ text: Substring, _ part: ConnectionStringPart) throws(TjenestebussError) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(Self.nibble), let low = rest.popFirst().flatMap(Self.nibble) else {
        throw .connectionStringEscapeInvalid(part)
      }
      bytes.append(high << 4 | low)
    }
    guard let unescaped = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw .connectionStringEscapeInvalid(part)
    }
    return unescaped
  }

  private static func nibble(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
