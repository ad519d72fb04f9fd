// SPDX-License-Identifier: Apache-2.0

import AMQP

/// What a broker makes of the form of a message that a client sends. Pure.
///
/// As the recorded exchanges have it: the products differ in nearly every row.
package enum MessageForm {
  package enum Verdict: Sendable, Equatable {
    case taken
    /// Answered `accepted` and lost.
    case swallowed
    case rejected(AMQPCondition)
    case endsSession(AMQPCondition)
    case detachesLink(AMQPCondition)
    /// The TCP connection ends without a word.
    case cuts
  }

  package static func judge(_ payload: [UInt8], _ skim: MessageSkim, for product: BrokerProduct) -> Verdict {
    switch product {
    case .rabbitMQ310: self.rabbitMQ3(skim)
    case .rabbitMQ40: self.rabbitMQ40(payload, skim)
    case .rabbitMQ43: self.rabbitMQ43(payload, skim)
    case .activeMQ: payload.isEmpty ? .swallowed : .taken
    case .azureServiceBus, .serviceBusWindowsServer:
      skim.isWhole ? .taken : .rejected(AMQPCondition(AMQPCondition.decodeError, text: "the message cannot be read"))
    }
  }

  // MARK: RabbitMQ 3.10

  private static func rabbitMQ3(_ skim: MessageSkim) -> Verdict {
    guard skim.isWhole else { return .cuts }
    if skim.sections.isEmpty { return self.internalError("no sections") }
    if skim.sections.contains(where: { $0.descriptor == 0x71 }) { return .cuts }
    return self.isInOrder(skim, bodiesMix: true) && !self.hasTooManyFields(skim) && !self.hasOddMap(skim) ? .taken : .cuts
  }

  // MARK: RabbitMQ 4.0

  /// Reads as far as the first body section, and does not look behind it.
  private static func rabbitMQ40(_ payload: [UInt8], _ skim: MessageSkim) -> Verdict {
    let bare = skim.sections.drop { $0.isCarriage }
    let before = skim.sections.prefix { !$0.isBody }
    if self.hasReservedKeys(payload, before) { return self.internalError("reserved_annotation_key") }
    var seen: Set<UInt64> = []
    for section in bare.prefix(while: { !$0.isBody }) {
      switch section.descriptor {
      case 0x73?, 0x74?:
        guard seen.isDisjoint(with: [0x74]), let code = section.descriptor, seen.insert(code).inserted else {
          return self.internalError("badarg")
        }
      case 0x70?, 0x78?: break
      default: return self.internalError("unknown section")
      }
    }
    if self.hasTooManyFields(before) { return self.internalError("badarg") }
    if self.hasOddMap(before) { return self.internalError("function_clause") }
    // A body that is cut off is a body.
    let startsBody = skim.isWhole ? false : self.unreadStart(payload, skim).map { (0x75...0x77).contains($0) } ?? false
    return bare.contains { $0.isBody } || startsBody ? .taken : self.internalError("function_clause")
  }

  /// The descriptor of the section that could not be read to its end.
  private static func unreadStart(_ payload: [UInt8], _ skim: MessageSkim) -> UInt64? {
    let start = skim.sections.last?.range.upperBound ?? 0
    guard start + 2 < payload.count, payload[start] == 0, payload[start + 1] == 0x53 else { return nil }
    return UInt64(payload[start + 2])
  }

  // MARK: RabbitMQ 4.3

  private static func rabbitMQ43(_ payload: [UInt8], _ skim: MessageSkim) -> Verdict {
    guard skim.isWhole else { return self.decodeError("cannot be read") }
    if self.hasTooManyFields(skim) { return self.internalError("function_clause") }
    if self.hasOddMap(skim) { return self.decodeError("odd map") }
    if !self.isInOrder(skim, bodiesMix: false) { return self.decodeError("unexpected_message_section") }
    if !skim.sections.contains(where: \.isBody) { return self.decodeError("missing_amqp_message_body") }
    if self.hasReservedKeys(payload, skim.sections[...]) { return self.decodeError("reserved_annotation_key") }
    return .taken
  }

  // MARK: Parts

  private static func internalError(_ text: String) -> Verdict {
    .endsSession(AMQPCondition(AMQPCondition.internalError, text: text))
  }

  private static func decodeError(_ text: String) -> Verdict {
    .detachesLink(AMQPCondition(AMQPCondition.decodeError, text: "failed to parse message: \(text)"))
  }

  /// - Parameter bodiesMix: whether the body may hold sections of several kinds, and several amqp-values.
  private static func isInOrder(_ skim: MessageSkim, bodiesMix: Bool) -> Bool {
    var last: UInt64 = 0
    for section in skim.sections {
      guard let code = section.descriptor, (0x70...0x78).contains(code) else { return false }
      let repeats = section.isBody && (bodiesMix ? (0x75...0x77).contains(last) : code == last && code != 0x77)
      let follows = code > last && (bodiesMix || !(section.isBody && (0x75...0x77).contains(last)))
      guard follows || repeats else { return false }
      last = code
    }
    return true
  }

  private static func hasTooManyFields(_ skim: MessageSkim) -> Bool { self.hasTooManyFields(skim.sections[...]) }

  private static func hasTooManyFields(_ sections: ArraySlice<MessageSkim.Section>) -> Bool {
    sections.contains { section in
      switch section.descriptor {
      case 0x70?: (section.count ?? 0) > 5
      case 0x73?: (section.count ?? 0) > 13
      default: false
      }
    }
  }

  private static func hasOddMap(_ skim: MessageSkim) -> Bool { self.hasOddMap(skim.sections[...]) }

  private static func hasOddMap(_ sections: ArraySlice<MessageSkim.Section>) -> Bool {
    sections.contains { [0x71, 0x72, 0x74, 0x78].contains($0.descriptor) && !($0.count ?? 0).isMultiple(of: 2) }
  }

  /// Annotation keys must be symbols that begin with `x-`.
  private static func hasReservedKeys(_ payload: [UInt8], _ sections: ArraySlice<MessageSkim.Section>) -> Bool {
    sections.contains { section in
      guard section.descriptor == 0x72, case .map(let map)? = try? AMQPValue(decoding: Array(payload[section.value])) else {
        return false
      }
      return map.entries.contains { entry in
        if case .symbol(let name) = entry.key { !name.hasPrefix("x-") } else { true }
      }
    }
  }
}
