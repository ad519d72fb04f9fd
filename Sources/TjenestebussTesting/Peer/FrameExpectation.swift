// SPDX-License-Identifier: Apache-2.0

import AMQP

/// What the next frame of the client has to be, for a script of a ``ScriptedPeer``.
///
/// What is not said may be as it likes.
///
/// ```swift
/// .expect(.attach(role: .receiver, address: "/queues/93238_async").with(.rcvSettleMode, .ubyte(0)))
/// ```
public struct FrameExpectation: Sendable {
  /// The client's role on a link.
  public enum Role: String, Sendable, Hashable { case sender, receiver }

  let kind: PeerFrame.Kind
  private var fields: [(field: PeerFrame.Field, value: AMQPValue)] = []
  private var rules: [(text: String, isMet: @Sendable (PeerFrame) -> Bool)] = []

  /// Any frame of this performative.
  public init(_ kind: PeerFrame.Kind) { self.kind = kind }

  /// The same, and this field has this value. Numbers of different width are different values.
  public func with(_ field: PeerFrame.Field, _ value: AMQPValue) -> FrameExpectation {
    var copy = self
    copy.fields.append((field, value))
    return copy
  }

  /// The same, and this holds of the frame. - Parameter text: how a diff calls it: "a tag of 4 bytes".
  public func and(_ text: String, _ isMet: @escaping @Sendable (PeerFrame) -> Bool) -> FrameExpectation {
    var copy = self
    copy.rules.append((text, isMet))
    return copy
  }

  // MARK: The performatives

  /// - Parameter hostname: as the client's configuration has it; RabbitMQ takes a virtual host here.
  public static func open(containerID: String? = nil, hostname: String? = nil) -> FrameExpectation {
    FrameExpectation(.open).with(.containerID, containerID).with(.hostname, hostname)
  }

  public static var begin: FrameExpectation { FrameExpectation(.begin) }

  /// - Parameters:
  ///   - role: the client's.
  ///   - address: of the target for a sender, of the source for a receiver.
  public static func attach(role: Role? = nil, address: String? = nil) -> FrameExpectation {
    var expectation = FrameExpectation(.attach)
    if let role { expectation = expectation.with(.role, .boolean(role == .receiver)) }
    guard let address else { return expectation }
    return expectation.and("address \"\(address)\"") { frame in
      PeerMemory.address(of: frame[frame[.role] == .boolean(true) ? .source : .target]) == address
    }
  }

  public static func flow(credit: UInt32? = nil, drain: Bool? = nil) -> FrameExpectation {
    FrameExpectation(.flow).with(.linkCredit, credit).with(.drain, drain)
  }

  /// - Parameter messageID: of the message that begins in this frame, by its encoded properties.
  public static func transfer(messageID: String? = nil, settled: Bool? = nil) -> FrameExpectation {
    let expectation = FrameExpectation(.transfer).with(.settled, settled)
    guard let messageID else { return expectation }
    return expectation.and("message-id \"\(messageID)\"") { frame in
      (try? AMQPMessage(decoding: frame.payload))?.properties.messageID == .string(messageID)
    }
  }

  /// - Parameters:
  ///   - outcome: what the client says of its delivery; nil for any.
  ///   - first: delivery id; a disposition about several has this as the first of them.
  ///   - last: an absent `last` stands for `first`.
  public static func disposition(
    _ outcome: PeerOutcome? = nil, first: UInt32? = nil, last: UInt32? = nil, settled: Bool? = nil
  ) -> FrameExpectation {
    var expectation = FrameExpectation(.disposition).with(.first, first).with(.settled, settled)
    if let last {
      expectation = expectation.and("last \(last)") {
        $0[.last] == .uint(last) || ($0[.last] == .null && $0[.first] == .uint(last))
      }
    }
    guard let outcome else { return expectation }
    return expectation.and("state \(outcome.name)") { PeerOutcome.descriptor(of: $0[.state]) == outcome.descriptor }
  }

  public static func detach(closed: Bool? = nil, error: String? = nil) -> FrameExpectation {
    FrameExpectation(.detach).with(.closed, closed).error(error)
  }

  /// - Parameter error: the condition's name.
  public static func end(error: String? = nil) -> FrameExpectation { FrameExpectation(.end).error(error) }

  /// - Parameter error: the condition's name.
  public static func close(error: String? = nil) -> FrameExpectation { FrameExpectation(.close).error(error) }

  public static func saslInit(mechanism: String? = nil) -> FrameExpectation {
    FrameExpectation(.saslInit).with(.mechanism, mechanism.map(AMQPValue.symbol))
  }

  private func with(_ field: PeerFrame.Field, _ text: String?) -> FrameExpectation {
    self.with(field, text.map(AMQPValue.string))
  }
  private func with(_ field: PeerFrame.Field, _ number: UInt32?) -> FrameExpectation {
    self.with(field, number.map(AMQPValue.uint))
  }
  private func with(_ field: PeerFrame.Field, _ value: AMQPValue?) -> FrameExpectation {
    value.map { self.with(field, $0) } ?? self
  }

  /// An absent flag is false (specification: the default of each).
  private func with(_ field: PeerFrame.Field, _ flag: Bool?) -> FrameExpectation {
    guard let flag else { return self }
    return self.and("\(field.rawValue) \(flag)") { ($0[field] == .boolean(true)) == flag }
  }

  private func error(_ name: String?) -> FrameExpectation {
    guard let name else { return self }
    return self.and("error \(name)") { frame in
      guard case .described(_, .list(let fields)) = frame[.error] else { return false }
      return fields.first?.text == name
    }
  }

  // MARK: Judging

  /// What was expected, in words.
  var text: String {
    let all = self.fields.map { "\($0.field.rawValue) \(PeerFrame.shown($0.value))" } + self.rules.map(\.text)
    return all.isEmpty ? self.kind.rawValue : "\(self.kind.rawValue) with \(all.joined(separator: ", "))"
  }

  /// What is otherwise in this frame, one line each; empty when it is what was expected.
  func differences(in frame: PeerFrame) -> [String] {
    guard frame.kind == self.kind else { return ["expected \(self.kind.rawValue), came \(frame.kind.rawValue)"] }
    let fields = self.fields.filter { frame[$0.field] != $0.value }
      .map { "\($0.field.rawValue): expected \(PeerFrame.shown($0.value)), came \(PeerFrame.shown(frame[$0.field]))" }
    return fields + self.rules.filter { !$0.isMet(frame) }.map { "expected \($0.text)" }
  }
}

/// An outcome as it stands in a disposition (specification 3.4).
public enum PeerOutcome: Sendable, Hashable {
  case accepted
  case rejected(AMQPCondition? = nil)
  case released
  case modified(deliveryFailed: Bool = false, undeliverableHere: Bool = false)
  /// Not terminal: how far a receiver has got.
  case received(section: UInt32, offset: UInt64)

  var descriptor: UInt64 {
    switch self {
    case .received: 0x23
    case .accepted: 0x24
    case .rejected: 0x25
    case .released: 0x26
    case .modified: 0x27
    }
  }

  var name: String {
    switch self {
    case .received: "received"
    case .accepted: "accepted"
    case .rejected: "rejected"
    case .released: "released"
    case .modified: "modified"
    }
  }

  var value: AMQPValue {
    let fields: [AMQPValue] =
      switch self {
      case .accepted, .released: []
      case .rejected(let condition): condition.map { [PeerMemory.error($0)] } ?? []
      case .modified(let failed, let here): [.boolean(failed), .boolean(here)]
      case .received(let section, let offset): [.uint(section), .ulong(offset)]
      }
    return .described(descriptor: .ulong(self.descriptor), value: .list(fields))
  }

  static func descriptor(of state: AMQPValue) -> UInt64? {
    guard case .described(let descriptor, _) = state, let number = descriptor.integer else { return nil }
    return UInt64(exactly: number)
  }
}
