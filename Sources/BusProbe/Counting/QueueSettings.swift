// SPDX-License-Identifier: Apache-2.0

/// What a queue does with messages that nobody fetches, where it does anything: by its arguments or, over HTTP, a policy. AMQP `/management`
/// does not show policies: there nil means that it is not told.
public struct QueueSettings: Sendable, Hashable {
  /// To which exchange messages go on that expire or are refused, without their time to live: behind it they lie for good. The empty name is
  /// the default exchange.
  public var deadLetterExchange: String?
  /// The most messages that may wait.
  public var maximumMessages: Int?
  /// What the full queue does with one more: refuses it; else it drops the oldest, for good or to the dead letters.
  public var refusesWhenFull: Bool

  public init(deadLetterExchange: String? = nil, maximumMessages: Int? = nil, refusesWhenFull: Bool = false) {
    self.deadLetterExchange = deadLetterExchange
    self.maximumMessages = maximumMessages
    self.refusesWhenFull = refusesWhenFull
  }

  /// By RabbitMQ's names; an argument goes before the policy, but of two limits the lower one holds.
  ///
  /// - Returns: nil where there is nothing of the kind.
  init?(arguments: (_ name: String) -> Value?, policy: (_ name: String) -> Value? = { _ in nil }) {
    func text(_ name: String) -> String? {
      if case .text(let text)? = arguments("x-\(name)") ?? policy(name) { text } else { nil }
    }
    let limits = [arguments("x-max-length"), policy("max-length")].compactMap { value -> Int? in
      if case .number(let number)? = value { Int(exactly: number) } else { nil }
    }
    self.init(
      deadLetterExchange: text("dead-letter-exchange"), maximumMessages: limits.min(),
      refusesWhenFull: text("overflow")?.hasPrefix("reject-publish") ?? false)
    if self.deadLetterExchange == nil, self.maximumMessages == nil { return nil }
  }

  /// What an argument may be; others are passed over.
  enum Value: Sendable, Hashable {
    case text(String)
    case number(Int64)
  }
}

extension QueueSettings.Value: Decodable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int64.self) {
      self = .number(number)
    } else {
      self = .text(try container.decode(String.self))
    }
  }
}

/// Arguments as the management interface writes them: an object, an empty list where there are none, null where they are not known yet.
struct QueueArguments: Decodable, Equatable {
  var values: [String: QueueSettings.Value] = [:]

  init(from decoder: any Decoder) throws {
    guard let container = try? decoder.container(keyedBy: Name.self) else { return }
    for name in container.allKeys {
      // Lists, tables and truth values are none of those that are looked for.
      self.values[name.stringValue] = try? container.decode(QueueSettings.Value.self, forKey: name)
    }
  }

  private struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
