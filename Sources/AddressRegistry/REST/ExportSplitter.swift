// SPDX-License-Identifier: Apache-2.0

/// Cuts an export into its parties while it comes in: an object with a list `CommunicationParties` and some values beside it. Holds
/// one party at a time, so that an export of any length needs little memory. Pure: bytes in, parties out.
struct ExportSplitter {
  /// No party is longer; an organisation comes without those below it.
  static let partyLimit = 4 * 1_024 * 1_024

  private enum Place {
    case beforeDocument
    /// A name or the end of the object may come.
    case beforeName(isFirst: Bool)
    case inName
    case beforeColon
    case beforeValue
    case inValue
    case behindValue
    /// In the list: a party or its end may come.
    case beforeParty(isFirst: Bool)
    case inParty
    case behindParty
    case behindDocument
  }

  private var place = Place.beforeDocument
  private var held: [UInt8] = []
  private var name: [UInt8] = []
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  private var names: Set<String> = []
  private var position = 0
  private(set) var hadList = false
  /// The values beside the list, by name in small letters, as JSON.
  private(set) var values: [String: [UInt8]] = [:]

  typealias Unreadable = JSONDocumentReader.Unreadable

  private func problem(_ what: String) -> Unreadable {
    Unreadable(description: "a broken export (\(what) at byte \(self.position))")
  }

  /// Takes the next bytes.
  ///
  /// - Returns: the parties that became whole with them, each as JSON.
  mutating func take(_ bytes: some Sequence<UInt8>) throws(Unreadable) -> [[UInt8]] {
    var parties: [[UInt8]] = []
    for byte in bytes {
      self.position += 1
      switch self.place {
      case .inParty:
        if try self.hold(byte) {
          parties.append(self.held)
          self.held.removeAll(keepingCapacity: true)
          self.place = .behindParty
        }
      case .inValue:
        if self.depth == 0, !self.isInString, self.endsScalar(byte) {
          try self.keepValue()
          try self.take(punctuation: byte)
        } else if try self.hold(byte) {
          try self.keepValue()
        }
      case .inName:
        if byte == UInt8(ascii: "\""), !self.isEscaped {
          self.place = .beforeColon
        } else {
          self.isEscaped = byte == UInt8(ascii: "\\") && !self.isEscaped
          self.name.append(byte)
          guard self.name.count <= 1_000 else { throw self.problem("a name without end") }
        }
      default: try self.take(punctuation: byte)
      }
    }
    return parties
  }

  /// - Throws: when the document is not whole.
  func finish() throws(Unreadable) {
    guard case .behindDocument = self.place else { throw self.problem("cut off") }
    guard self.hadList else { throw self.problem("no CommunicationParties in it") }
  }

  private mutating func take(punctuation byte: UInt8) throws(Unreadable) {
    if byte == 32 || byte == 10 || byte == 13 || byte == 9 { return }
    switch (self.place, byte) {
    case (.beforeDocument, UInt8(ascii: "{")): self.place = .beforeName(isFirst: true)
    // A byte order mark.
    case (.beforeDocument, 0xEF) where self.position == 1, (.beforeDocument, 0xBB) where self.position == 2,
      (.beforeDocument, 0xBF) where self.position == 3:
      break
    case (.beforeName, UInt8(ascii: "\"")):
      self.name.removeAll(keepingCapacity: true)
      self.isEscaped = false
      self.place = .inName
    case (.beforeName(isFirst: true), UInt8(ascii: "}")), (.behindValue, UInt8(ascii: "}")): self.place = .behindDocument
    case (.behindValue, UInt8(ascii: ",")): self.place = .beforeName(isFirst: false)
    case (.beforeColon, UInt8(ascii: ":")): self.place = .beforeValue
    case (.beforeValue, _): try self.begin(byte)
    case (.beforeParty(isFirst: true), UInt8(ascii: "]")), (.behindParty, UInt8(ascii: "]")): self.place = .behindValue
    case (.behindParty, UInt8(ascii: ",")): self.place = .beforeParty(isFirst: false)
    case (.beforeParty, UInt8(ascii: "{")):
      self.place = .inParty
      self.depth = 0
      _ = try self.hold(byte)
    default: throw self.problem("something that has no place there")
    }
  }

  private mutating func begin(_ byte: UInt8) throws(Unreadable) {
    guard let name = String(validating: self.name, as: UTF8.self)?.lowercased(), self.names.insert(name).inserted else {
      throw self.problem("one name twice")
    }
    self.depth = 0
    self.isInString = false
    self.isEscaped = false
    self.held.removeAll(keepingCapacity: true)
    if name == "communicationparties", byte == UInt8(ascii: "[") {
      self.hadList = true
      self.place = .beforeParty(isFirst: true)
      return
    }
    self.place = .inValue
    if try self.hold(byte) { try self.keepValue() }
  }

  /// Whether a number or word ends with what comes now.
  private func endsScalar(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == 32 || byte == 10 || byte == 13 || byte == 9
  }

  private mutating func keepValue() throws(Unreadable) {
    guard let name = String(validating: self.name, as: UTF8.self)?.lowercased() else { throw self.problem("no UTF-8") }
    self.values[name] = self.held
    self.held.removeAll(keepingCapacity: true)
    self.place = .behindValue
  }

  /// Takes a byte of a value.
  ///
  /// - Returns: whether an object, list or string came to its end with it.
  private mutating func hold(_ byte: UInt8) throws(Unreadable) -> Bool {
    self.held.append(byte)
    guard self.held.count <= Self.partyLimit else { throw self.problem("a value of more than \(Self.partyLimit) bytes") }
    if self.isInString {
      if self.isEscaped {
        self.isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        self.isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        self.isInString = false
        return self.depth == 0
      }
      return false
    }
    switch byte {
    case UInt8(ascii: "\""): self.isInString = true
    case UInt8(ascii: "{"), UInt8(ascii: "["): self.depth += 1
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      self.depth -= 1
      guard self.depth >= 0 else { throw self.problem("an end without beginning") }
      return self.depth == 0
    default: break
    }
    return false
  }
}
