// SPDX-License-Identifier: Apache-2.0

/// A message between two parties, in the form both buses carry and receivers check (`docs/message-form.md`).
///
/// Its description never holds the body.
public struct HealthMessage: Sendable, Hashable, CustomStringConvertible {
  /// Unique, chosen by the sender: the key by which a receiver recognises a message it has had already.
  public var messageID: String
  public var from: HerID
  public var to: HerID
  /// The message function ("Label"), opaque to us: `DIALOG_INNBYGGER_EKONTAKT`, `APPREC`.
  public var subject: String
  public var contentType: String
  /// `applicationTimeStamp`: UTC, to the second.
  public var timestamp: MessageTimestamp
  /// Nil means: the message id, as senders on the buses do.
  public var correlationID: String?
  /// The sender's own short queue name of the same kind; not set on a synchronous reply.
  public var replyTo: String?
  /// Milliseconds the bus may keep it; nil for no limit. Zero is refused: it would expire at once.
  public var timeToLiveMilliseconds: UInt32?
  public var cpaID: String?
  /// Further application properties, all of them texts, none of the names above.
  public var properties: [String: String]
  /// Encrypted or plain bytes: exactly one data section on the wire, also when empty.
  public var body: [UInt8]

  public init(
    messageID: String, from: HerID, to: HerID, subject: String, contentType: String = "text/plain", timestamp: MessageTimestamp,
    correlationID: String? = nil, replyTo: String? = nil, timeToLiveMilliseconds: UInt32? = nil, cpaID: String? = nil,
    properties: [String: String] = [:], body: [UInt8]
  ) {
    self.messageID = messageID
    self.from = from
    self.to = to
    self.subject = subject
    self.contentType = contentType
    self.timestamp = timestamp
    self.correlationID = correlationID
    self.replyTo = replyTo
    self.timeToLiveMilliseconds = timeToLiveMilliseconds
    self.cpaID = cpaID
    self.properties = properties
    self.body = body
  }

  public var description: String {
    "message \(self.messageID) \(self.subject) from \(self.from) to \(self.to), \(self.body.count) bytes"
  }

  /// The application property names of the form, in their exact case.
  public enum PropertyName {
    public static let from = "fromHerId"
    public static let to = "toHerId"
    public static let timestamp = "applicationTimeStamp"
    public static let cpaID = "cpaId"
    public static let enqueued = "enqueuedTimeUtc"
  }
}

/// A UTC instant to the second, as `applicationTimeStamp` carries it: `yyyy-MM-ddTHH:mm:ssZ`.
public struct MessageTimestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let secondsSinceEpoch: Int64

  public init(secondsSinceEpoch: Int64) { self.secondsSinceEpoch = secondsSinceEpoch }

  public static func < (lhs: Self, rhs: Self) -> Bool { lhs.secondsSinceEpoch < rhs.secondsSinceEpoch }

  /// Civil date from days, after Howard Hinnant's algorithm; Foundation is not needed for one format.
  public var description: String {
    func pad(_ n: Int64, _ width: Int) -> String {
      let text = String(n)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let days = (self.secondsSinceEpoch >= 0 ? self.secondsSinceEpoch : self.secondsSinceEpoch - 86_399) / 86_400
    let second = self.secondsSinceEpoch - days * 86_400
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return
      "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(second / 3_600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))Z"
  }
}
