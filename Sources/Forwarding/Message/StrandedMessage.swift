// SPDX-License-Identifier: Apache-2.0

/// What a forwarder has to know of a message: found by stepping over its encoded bytes. The body is not read.
package struct StrandedMessage: Sendable, Equatable {
  /// Where the bare message begins, which is carried byte for byte.
  package var bareStart = 0
  package var priority: UInt8?
  /// Milliseconds.
  package var timeToLive: UInt32?
  package var hasHeader = false
  package var firstAcquirer = false
  package var deliveryCount: UInt32 = 0
  /// `x-delivery-count`, quorum queues of RabbitMQ 4.
  package var countedReturns: Int64 = 0
  /// `x-opt-enqueued-time`, in milliseconds since 1970.
  package var enqueuedTime: Int64?
  /// `x-opt-sequence-number`.
  package var sequenceNumber: Int64?
  package var messageID: String?
  /// Where the user-id stands in the properties, and where their size does.
  package var userID: UserIDPlace?
  /// In milliseconds since 1970.
  package var absoluteExpiryTime: Int64?
  /// `fromHerId`.
  package var sender: String?
  /// `enqueuedTimeUtc`, in milliseconds since 1970.
  package var enqueuedTimeUTC: Int64?
  /// Why a bus would end link or session over it, in words without content; nil when nothing speaks against it.
  package var problem: String?

  package struct UserIDPlace: Sendable, Equatable {
    package var value: Range<Int>
    package var size: Int
    package var width: Int
  }

  /// What the bus that is to take it ends link, session or connection over, beyond what all of them do.
  package struct TargetManners: Sendable, Hashable {
    /// Keys of annotations must be symbols that begin with `x-` (RabbitMQ 4).
    package var wantsExtensionKeys = true
    /// No array as the body (RabbitMQ 3 breaks the TCP connection).
    package var takesArrays = true
    package init() {}
  }

  package init(_ payload: [UInt8], manners: TargetManners = TargetManners()) {
    payload.withUnsafeBytes { raw in
      let bytes = EncodedBytes(raw)
      var position = 0
      var last: UInt8 = 0
      var hasBody = false
      self.bareStart = payload.count
      var foundBare = false
      while position < payload.count {
        guard let (descriptor, value) = Self.section(bytes, position), let next = bytes.skip(value) else {
          self.problem = self.problem ?? "its bytes are no sequence of sections"
          if !foundBare { self.bareStart = position }
          return
        }
        let repeats = descriptor == last && (descriptor == 0x75 || descriptor == 0x76)
        if descriptor <= last, !repeats { self.problem = self.problem ?? "its sections are out of order, or there twice" }
        if descriptor >= 0x73, !foundBare {
          foundBare = true
          self.bareStart = position
        }
        self.read(descriptor, bytes, value, manners, hasBody: hasBody)
        if (0x75...0x77).contains(descriptor) { hasBody = true }
        last = descriptor
        position = next
      }
      if !hasBody { self.problem = self.problem ?? "it has no body" }
    }
  }

  /// The descriptor of the section at `position`, and where its value begins.
  private static func section(_ bytes: EncodedBytes, _ position: Int) -> (UInt8, Int)? {
    guard bytes.byte(at: position) == 0, let code = bytes.byte(at: position + 1) else { return nil }
    switch code {
    case 0x53:
      guard let descriptor = bytes.byte(at: position + 2) else { return nil }
      return (descriptor, position + 3)
    case 0x80:
      guard let descriptor = bytes.uint64(at: position + 2), descriptor < 256 else { return nil }
      return (UInt8(descriptor), position + 10)
    case 0xa3, 0xb3:
      guard let name = bytes.variable(at: position + 1), let value = bytes.skip(position + 1) else { return nil }
      for (known, descriptor) in Self.names where name.equals(known) { return (descriptor, value) }
      return nil
    default: return nil
    }
  }

  private static let names: [(StaticString, UInt8)] = [
    ("amqp:header:list", 0x70), ("amqp:delivery-annotations:map", 0x71), ("amqp:message-annotations:map", 0x72),
    ("amqp:properties:list", 0x73), ("amqp:application-properties:map", 0x74), ("amqp:data:binary", 0x75),
    ("amqp:amqp-sequence:list", 0x76), ("amqp:amqp-value:*", 0x77), ("amqp:footer:map", 0x78),
  ]

  private mutating func read(
    _ descriptor: UInt8, _ bytes: EncodedBytes, _ value: Int, _ manners: TargetManners, hasBody: Bool
  ) {
    var fault: String?
    switch descriptor {
    case 0x70: fault = self.readHeader(bytes, value)
    case 0x71: break
    case 0x72: self.readAnnotations(bytes, value)
    case 0x73: fault = self.readProperties(bytes, value)
    case 0x74: fault = self.readApplicationProperties(bytes, value)
    case 0x75:
      let code = bytes.byte(at: value) ?? 0
      if code != 0xa0 && code != 0xb0 { fault = "a data section holds no binary" }
    case 0x76: if hasBody, self.problem == nil, bytes.compound(at: value, map: false) == nil { fault = "two kinds of body" }
    case 0x77:
      if hasBody { fault = "two kinds of body" }
      if !manners.takesArrays, let code = bytes.byte(at: value), code >= 0xe0 { fault = "its body is an array" }
    case 0x78: fault = Self.footerFault(bytes, value, manners)
    default: fault = "a section that AMQP does not know"
    }
    self.problem = self.problem ?? fault
  }

  private mutating func readHeader(_ bytes: EncodedBytes, _ value: Int) -> String? {
    guard let list = bytes.compound(at: value, map: false) else { return "its header is no list" }
    self.hasHeader = true
    var position = list.first
    for index in 0..<min(list.count, 5) {
      guard let next = list.inside.skip(position) else { return "its header is cut off" }
      let code = list.inside.byte(at: position) ?? 0x40
      switch index {
      case 1: if code == 0x50 { self.priority = list.inside.byte(at: position + 1) }
      case 2: self.timeToLive = list.inside.integer(at: position).flatMap { UInt32(exactly: $0) }
      case 3: self.firstAcquirer = code == 0x41 || (code == 0x56 && list.inside.byte(at: position + 1) == 1)
      case 4: self.deliveryCount = list.inside.integer(at: position).flatMap { UInt32(exactly: $0) } ?? 0
      default: break
      }
      position = next
    }
    return nil
  }

  /// Not carried on, so no fault of it counts.
  private mutating func readAnnotations(_ bytes: EncodedBytes, _ value: Int) {
    guard let map = bytes.compound(at: value, map: true) else { return }
    var position = map.first
    for _ in 0..<map.count / 2 {
      guard let entry = map.inside.skip(position), let next = map.inside.skip(entry) else { return }
      if let key = map.inside.variable(at: position) {
        if key.equals("x-opt-enqueued-time") {
          self.enqueuedTime = map.inside.integer(at: entry)
        } else if key.equals("x-opt-sequence-number") {
          self.sequenceNumber = map.inside.integer(at: entry)
        } else if key.equals("x-delivery-count") {
          self.countedReturns = map.inside.integer(at: entry) ?? 0
        }
      }
      position = next
    }
  }

  private mutating func readProperties(_ bytes: EncodedBytes, _ value: Int) -> String? {
    guard let list = bytes.compound(at: value, map: false) else { return "its properties are no list" }
    guard list.count <= 13 else { return "more properties than there are" }
    var position = list.first
    for index in 0..<list.count {
      guard let next = list.inside.skip(position) else { return "its properties are cut off" }
      switch index {
      case 0: self.messageID = Self.messageID(list.inside, position)
      case 1:
        if list.inside.byte(at: position) != 0x40 {
          self.userID = UserIDPlace(value: position..<next, size: value + 1, width: list.width)
        }
      case 8: self.absoluteExpiryTime = list.inside.integer(at: position)
      default: break
      }
      position = next
    }
    return position == list.inside.end ? nil : "its properties are longer than they say"
  }

  private static func messageID(_ bytes: EncodedBytes, _ position: Int) -> String? {
    guard let code = bytes.byte(at: position) else { return nil }
    func hex(_ raw: Slice<UnsafeRawBufferPointer>) -> String {
      raw.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
    switch code {
    case 0x98:
      let all = Array(hex(bytes.bytes[position + 1..<position + 17]))
      return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(all[$0]) }.joined(separator: "-")
    case 0xa0, 0xb0: return bytes.variable(at: position).map { hex($0[...]) }
    default: return bytes.text(at: position)
    }
  }

  private mutating func readApplicationProperties(_ bytes: EncodedBytes, _ value: Int) -> String? {
    guard let map = bytes.compound(at: value, map: true) else { return "its application properties are no map" }
    guard map.count % 2 == 0 else { return "its application properties hold a key without a value" }
    var position = map.first
    for _ in 0..<map.count / 2 {
      guard let entry = map.inside.skip(position), let next = map.inside.skip(entry) else {
        return "its application properties are cut off"
      }
      if let key = map.inside.variable(at: position) {
        if key.equals("fromHerId") {
          self.sender = map.inside.text(at: entry)
        } else if self.timeToLive != nil, key.equals("enqueuedTimeUtc") {
          self.enqueuedTimeUTC = map.inside.text(at: entry).flatMap(Self.milliseconds(ofSortable:))
        }
      }
      position = next
    }
    return position == map.inside.end ? nil : "its application properties are longer than they say"
  }

  private static func footerFault(_ bytes: EncodedBytes, _ value: Int, _ manners: TargetManners) -> String? {
    guard let map = bytes.compound(at: value, map: true) else { return "its footer is no map" }
    guard map.count % 2 == 0 else { return "its footer holds a key without a value" }
    var position = map.first
    for _ in 0..<map.count / 2 {
      guard let entry = map.inside.skip(position), let next = map.inside.skip(entry) else { return "its footer is cut off" }
      if manners.wantsExtensionKeys {
        let code = map.inside.byte(at: position)
        let key = map.inside.variable(at: position)
        guard code == 0xa3 || code == 0xb3, let key, key.count >= 2, key[0] == UInt8(ascii: "x"), key[1] == UInt8(ascii: "-")
        else { return "a key of its footer is no symbol that begins with x-" }
      }
      position = next
    }
    return nil
  }

  /// `yyyy-MM-ddTHH:mm:ss`, with or without a fraction, a `Z` or an offset of zero, as UTC. Nil for any other text.
  package static func milliseconds(ofSortable text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 19 else { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      var value: Int64 = 0
      for byte in bytes[range] {
        guard (48...57).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
      let minute = number(14..<16), let second = number(17..<19), bytes[4] == 45, bytes[7] == 45,
      bytes[10] == 84 || bytes[10] == 32, bytes[13] == 58, bytes[16] == 58, (1...12).contains(month), (1...31).contains(day),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    var rest = bytes[19...]
    if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst().drop { (48...57).contains($0) } }
    guard rest.isEmpty || Array(rest) == [90] || Array(rest) == Array("+00:00".utf8) else { return nil }
    // Days since 1970 of a date in the Gregorian calendar, years beginning in March.
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000
  }
}
