// SPDX-License-Identifier: Apache-2.0

/// Finds the dialect of a bus where the configuration does not say it. Pure: what to attach to comes out, what came of it goes
/// in.
///
/// A RabbitMQ says in its Open frame what it is, and then nothing is tried. Otherwise address v2 is tried before v1: a bus
/// that knows both would go on taking v1 only until its next version. Only receivers are attached, to addresses that declare
/// nothing, and no credit is granted.
public struct DialectProbing: Sendable, Hashable {
  /// What came of attaching a receiver to an address.
  public enum Answer: Sendable, Hashable {
    case attached
    /// The bus understood the address, and there is no such queue, or this user may not read it.
    case understood
    /// The bus does not know addresses of this form, or does not take them (`amqp_address_v1_not_permitted`).
    case formRefused
  }

  public enum Verdict: Sendable, Hashable {
    /// To be tried next.
    case tryNext(Dialect)
    case found(Dialect)
    /// None of what could be tried was understood: the dialect must be configured.
    case notFound
  }

  public private(set) var verdict: Verdict
  private var candidates: [Dialect]
  private let isRabbitMQ: Bool

  /// - Parameters: what the peer said of itself in its Open frame (`product`, `version`).
  public init(product: String?, version: String?) {
    let major = version?.split(separator: ".").first.flatMap { Int($0) }
    switch (product?.lowercased(), major) {
    case ("rabbitmq", let major?) where major >= 4: self.verdict = .found(.rabbitMQ4AddressV2)
    case ("rabbitmq", let major?) where major < 4: self.verdict = .found(.rabbitMQ3)
    case ("activemq", _): self.verdict = .found(.activeMQ)
    default: self.verdict = .tryNext(.rabbitMQ4AddressV2)
    }
    // What does not say its version and knows v1 only is taken for RabbitMQ 3: nothing is believed of it that 3 cannot do.
    // Bare names are not tried: RabbitMQ 3 and ActiveMQ would declare the queue.
    self.candidates = [.rabbitMQ3]
    self.isRabbitMQ = product?.lowercased() == "rabbitmq"
  }

  /// To be called with what came of the address of ``Verdict/tryNext(_:)``.
  public mutating func answered(_ answer: Answer) {
    guard case .tryNext(let dialect) = self.verdict else { return }
    switch answer {
    case .attached: self.verdict = .found(dialect)
    // Of a stranger it proves nothing: to Service Bus `/queues/q` is just a name that it does not have.
    case .understood where self.isRabbitMQ: self.verdict = .found(dialect)
    case .understood, .formRefused:
      self.verdict = self.candidates.isEmpty ? .notFound : .tryNext(self.candidates.removeFirst())
    }
  }
}
