// SPDX-License-Identifier: Apache-2.0

/// Reads along with a TLS handshake as far as it is in the clear: which version and cipher the server chose, and whether it asked
/// for a client certificate (RFC 5246, RFC 8446). Pure; it explains, and decides nothing.
struct HandshakeWatch: Sendable, Hashable {
  /// The server has answered with a ServerHello.
  private(set) var hasServerHello = false
  /// The cipher suite of the ServerHello.
  private(set) var cipher: UInt16?
  /// The server asked for a client certificate. Seen up to TLS 1.2; from 1.3 on it is encrypted.
  private(set) var asksForCertificate = false
  /// An alert that came in the clear.
  private(set) var alert: UInt8?
  /// The first bytes, to tell what is no TLS at all.
  private(set) var firstBytes: [UInt8] = []

  private var records: [UInt8] = []
  private var handshake: [UInt8] = []
  private var isOver = false
  /// A handshake in the clear is a few KiB; more is not looked at.
  private static let limit = 65_536

  init() {}

  mutating func receive(_ bytes: some Collection<UInt8>) {
    if self.firstBytes.count < 64 { self.firstBytes += bytes.prefix(64 - self.firstBytes.count) }
    guard !self.isOver else { return }
    self.records += bytes
    guard self.records.count <= Self.limit else { return self.end() }
    while self.records.count >= 5 {
      let length = Int(self.records[3]) << 8 | Int(self.records[4])
      guard self.records.count >= 5 + length else { return }
      let body = Array(self.records[5..<(5 + length)])
      switch self.records[0] {
      case 22: self.handshake += body
      case 21:
        if body.count == 2 { self.alert = body[1] }
        return self.end()
      default: return self.end()
      }
      self.records.removeFirst(5 + length)
      self.readMessages()
    }
  }

  private mutating func end() {
    self.isOver = true
    self.records = []
    self.handshake = []
  }

  private mutating func readMessages() {
    while self.handshake.count >= 4 {
      let length = Int(self.handshake[1]) << 16 | Int(self.handshake[2]) << 8 | Int(self.handshake[3])
      guard self.handshake.count >= 4 + length else { return }
      let body = Array(self.handshake[4..<(4 + length)])
      switch self.handshake[0] {
      case 2: self.readServerHello(body)
      case 13: self.asksForCertificate = true
      default: break
      }
      self.handshake.removeFirst(4 + length)
    }
  }

  /// Version, 32 bytes of random, session id, cipher suite.
  private mutating func readServerHello(_ body: [UInt8]) {
    guard body.count >= 35 else { return }
    let at = 35 + Int(body[34])
    guard body.count >= at + 2 else { return }
    self.hasServerHello = true
    self.cipher = UInt16(body[at]) << 8 | UInt16(body[at + 1])
  }

  /// The cipher suite as IANA calls it, else its number; nil before the ServerHello.
  var cipherName: String? {
    self.cipher.map { Self.names[$0] ?? "0x" + String($0, radix: 16) }
  }

  private static let names: [UInt16: String] = [
    0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0xc02b: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02c: "ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02f: "ECDHE-RSA-AES128-GCM-SHA256",
    0xc030: "ECDHE-RSA-AES256-GCM-SHA384", 0xcca8: "ECDHE-RSA-CHACHA20-POLY1305", 0xcca9: "ECDHE-ECDSA-CHACHA20-POLY1305",
    0xc013: "ECDHE-RSA-AES128-SHA", 0xc014: "ECDHE-RSA-AES256-SHA", 0x009c: "AES128-GCM-SHA256", 0x009d: "AES256-GCM-SHA384",
    0x002f: "AES128-SHA", 0x0035: "AES256-SHA",
  ]
}
