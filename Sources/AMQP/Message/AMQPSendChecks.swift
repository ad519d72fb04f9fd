// SPDX-License-Identifier: Apache-2.0

/// What a message is checked for before it leaves.
///
/// Each is something for which one of the buses ends the session, breaks the TCP connection or loses the message, often
/// without a word of why: a mistake in one message then costs all that were under way on the link.
public struct AMQPSendChecks: Sendable, Hashable {
  /// Which bodies may go.
  public enum Body: Sendable, Hashable {
    /// Exactly one data section, as health messages have it and every bus and client takes it.
    case oneDataSection
    /// Any one kind of body, but not none: RabbitMQ 4 ends the session over a message without body.
    case anyKind
    /// Anything. A message without a body is written with one empty data section.
    case unchecked
  }

  /// Which user-id may go. RabbitMQ ends session or link over one that is not the connection's user.
  public enum UserID: Sendable, Hashable {
    case absent
    /// Absent, or this one: the user of the connection.
    case only(String)
    case unchecked
  }

  public var body: Body
  public var userID: UserID
  /// Keys of annotations and footer must be symbols that begin with `x-`: RabbitMQ 4 ends session or link over others.
  public var annotationKeys: Bool
  /// There must be a header, and with it a statement whether the message is durable: without one RabbitMQ 3 and 4.3 keep it
  /// in memory only, RabbitMQ 4.0 on disk.
  public var header: Bool
  /// No delivery annotations: RabbitMQ 3 breaks the TCP connection over them, RabbitMQ 4 drops them.
  public var noDeliveryAnnotations: Bool
  /// The encoded size against what the peer stated for the link.
  public var size: Bool

  public init(
    body: Body = .oneDataSection, userID: UserID = .absent, annotationKeys: Bool = true, header: Bool = true,
    noDeliveryAnnotations: Bool = true, size: Bool = true
  ) {
    self.body = body
    self.userID = userID
    self.annotationKeys = annotationKeys
    self.header = header
    self.noDeliveryAnnotations = noDeliveryAnnotations
    self.size = size
  }

  /// All of it: what passes is taken by every bus we know.
  public static let standard = AMQPSendChecks()
  /// As ``standard``, with any kind of body: for requests and other people's formats.
  public static let anyBody = AMQPSendChecks(body: .anyKind)
  /// Nothing is checked: for probes that want to see what a bus does.
  public static let none = AMQPSendChecks(
    body: .unchecked, userID: .unchecked, annotationKeys: false, header: false, noDeliveryAnnotations: false, size: false)
}

/// What a message has that it must not be sent with.
public enum AMQPSendProblem: Sendable, Hashable {
  /// Larger than the peer takes, in bytes.
  case tooLarge(size: Int, limit: UInt64)
  case noHeader
  case deliveryAnnotations
  /// A key of annotations or footer that is no symbol, or does not begin with `x-`.
  case annotationKey(section: String, key: String)
  case userID
  case noBody
  /// Not exactly one data section: what it is instead.
  case body(String)

  /// In words, without content of the message.
  var words: String {
    switch self {
    case .tooLarge(let size, let limit): "\(size) bytes encoded, the bus takes \(limit)"
    case .noHeader: "no header, so nobody states that it is durable"
    case .deliveryAnnotations: "delivery annotations"
    case .annotationKey(let section, let key): "in the \(section) the key \(key): keys are symbols that begin with x-"
    case .userID: "a user-id that is not the connection's user"
    case .noBody: "no body section"
    case .body(let kind): "\(kind) instead of one data section"
    }
  }
}

extension AMQPMessage {
  /// All that stands against sending the message.
  ///
  /// - Parameters:
  ///   - size: of the encoded message; nil when it has not been encoded, then it is not looked at.
  ///   - maximumSize: the largest message the peer takes, in bytes; nil when it stated none.
  public func sendProblems(
    _ checks: AMQPSendChecks = .standard, encodedSize size: Int? = nil, maximumSize: UInt64? = nil
  ) -> [AMQPSendProblem] {
    var problems: [AMQPSendProblem] = []
    if checks.size, let size, let maximumSize, UInt64(size) > maximumSize {
      problems.append(.tooLarge(size: size, limit: maximumSize))
    }
    if checks.header, self.header == nil { problems.append(.noHeader) }
    if checks.noDeliveryAnnotations, !self.deliveryAnnotations.isEmpty { problems.append(.deliveryAnnotations) }
    if checks.annotationKeys {
      problems += Self.keyProblems("delivery annotations", self.deliveryAnnotations)
      problems += Self.keyProblems("message annotations", self.messageAnnotations)
      problems += Self.keyProblems("footer", self.footer)
    }
    switch checks.userID {
    case .absent: if self.properties.userID != nil { problems.append(.userID) }
    case .only(let user):
      if let userID = self.properties.userID, userID != Array(user.utf8) { problems.append(.userID) }
    case .unchecked: break
    }
    return problems + self.bodyProblems(checks.body)
  }

  /// - Throws: ``AMQPError`` `messageTooLarge` or `messageNotSendable`, which names all problems; nothing of the content.
  public func checkSendable(
    _ checks: AMQPSendChecks = .standard, encodedSize size: Int? = nil, maximumSize: UInt64? = nil, to address: String = ""
  ) throws(AMQPError) {
    let problems = self.sendProblems(checks, encodedSize: size, maximumSize: maximumSize)
    guard let first = problems.first else { return }
    let code: AMQPError.Code = if case .tooLarge = first { .messageTooLarge } else { .messageNotSendable }
    throw AMQPError(
      code, .delivery, .local, tried: address.isEmpty ? "send a message" : "send a message to \(address)",
      seen: problems.map(\.words).joined(separator: "; "))
  }

  private static func keyProblems(_ section: String, _ map: AMQPMap) -> [AMQPSendProblem] {
    map.entries.compactMap { entry in
      if case .symbol(let key) = entry.key, key.hasPrefix("x-") { return nil }
      let shown: String
      switch entry.key {
      case .symbol(let key): shown = "\(key.prefix(60))"
      case .string(let key): shown = "\"\(key.prefix(60))\" (a string)"
      default: shown = "of another type"
      }
      return .annotationKey(section: section, key: shown)
    }
  }

  private func bodyProblems(_ rule: AMQPSendChecks.Body) -> [AMQPSendProblem] {
    switch (rule, self.body) {
    case (.unchecked, _): return []
    case (_, .absent), (_, .dataSections([])), (_, .sequence([])): return [.noBody]
    case (.anyKind, _): return []
    case (.oneDataSection, .dataSections(let sections)):
      return sections.count == 1 ? [] : [.body("\(sections.count) data sections")]
    case (.oneDataSection, .sequence): return [.body("a sequence")]
    case (.oneDataSection, .value): return [.body("a value")]
    }
  }
}
