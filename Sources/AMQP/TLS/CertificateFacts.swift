// SPDX-License-Identifier: Apache-2.0

/// Whose a certificate is and who issued it, read from its DER bytes (RFC 5280 section 4.1) to explain why it was refused.
///
/// Only ever read after BoringSSL has decided; nothing is trusted because of it.
package struct CertificateFacts: Hashable, Sendable {
  package var subject: String
  package var issuer: String
  package var isSelfIssued: Bool
  /// DNS names and IP addresses it is for; the subject's common name does not count any more.
  package var names: [String]
  package var beginsAt: Int64
  package var endsAt: Int64

  /// Nil when the bytes are no certificate.
  package init?(der: [UInt8], beginsAt: Int64, endsAt: Int64) {
    var whole = DERReader(der[...])
    guard var certificate = whole.enter(0x30), var body = certificate.enter(0x30) else { return nil }
    _ = body.enter(0xa0)  // version
    // Serial number, signature algorithm; validity and the public key are passed over further below.
    guard body.enter(0x02) != nil, body.enter(0x30) != nil, let issuer = body.enter(0x30), body.enter(0x30) != nil,
      let subject = body.enter(0x30), body.enter(0x30) != nil
    else { return nil }
    self.subject = CertificateFacts.text(of: subject)
    self.issuer = CertificateFacts.text(of: issuer)
    self.isSelfIssued = Array(issuer.bytes) == Array(subject.bytes)
    self.names = []
    self.beginsAt = beginsAt
    self.endsAt = endsAt
    while let (tag, inside) = body.next() {
      if tag == 0xa3 { self.names = CertificateFacts.names(inExtensions: inside) }
    }
  }

  /// A distinguished name's common name, else its organisation, else that it has none.
  private static func text(of name: DERReader) -> String {
    var parts = name
    var organisation: String?
    while var set = parts.enter(0x31) {
      while var pair = set.enter(0x30) {
        guard let type = pair.enter(0x06), let (_, value) = pair.next() else { break }
        let text = self.shown(value.bytes)
        if type.bytes.elementsEqual([0x55, 0x04, 0x03]) { return text }
        if type.bytes.elementsEqual([0x55, 0x04, 0x0a]) { organisation = text }
      }
    }
    return organisation ?? "a certificate without a common name"
  }

  private static func names(inExtensions wrapped: DERReader) -> [String] {
    var wrapped = wrapped
    guard var extensions = wrapped.enter(0x30) else { return [] }
    while var one = extensions.enter(0x30) {
      guard let type = one.enter(0x06), type.bytes.elementsEqual([0x55, 0x1d, 0x11]) else { continue }
      _ = one.enter(0x01)  // critical
      guard var octets = one.enter(0x04), var list = octets.enter(0x30) else { return [] }
      var names: [String] = []
      while names.count < 20, let (tag, value) = list.next() {
        if tag == 0x82 { names.append(self.shown(value.bytes)) }
        if tag == 0x87 { names.append(self.address(Array(value.bytes))) }
      }
      return names
    }
    return []
  }

  private static func address(_ bytes: [UInt8]) -> String {
    if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
    let groups = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    return groups.map { String($0, radix: 16) }.joined(separator: ":")
  }

  /// A stranger chose this text: what is no printable ASCII becomes a question mark, and it is kept short.
  private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    let printable = bytes.prefix(100).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: printable, as: UTF8.self)
  }
}

/// Walks over DER values. What does not fit ends the walk.
struct DERReader {
  private(set) var bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// The next value, whatever its tag.
  mutating func next() -> (tag: UInt8, inside: DERReader)? {
    guard self.bytes.count >= 2 else { return nil }
    let tag = self.bytes[self.bytes.startIndex]
    var rest = self.bytes.dropFirst()
    guard let first = rest.popFirst() else { return nil }
    var length = Int(first)
    if first >= 0x80 {
      let width = Int(first & 0x7f)
      guard (1...4).contains(width), rest.count >= width else { return nil }
      length = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(width)
    }
    guard length <= rest.count else { return nil }
    self.bytes = rest.dropFirst(length)
    return (tag, DERReader(rest.prefix(length)))
  }

  /// The next value's inside when it has this tag; otherwise nil, and the reader stays where it is.
  mutating func enter(_ tag: UInt8) -> DERReader? {
    guard self.bytes.first == tag else { return nil }
    return self.next()?.inside
  }
}
