// SPDX-License-Identifier: Apache-2.0

/// How a client of the server role wants to be known.
package enum ServerCredentials: Equatable, Sendable {
  case plain(user: String, password: String)
  case anonymous
  /// By the TLS layer's certificate; nil when that names nobody.
  case external(user: String?)
  /// No SASL layer at all.
  case none
}

/// The server's side of SASL (spec 5.3). Pure: bytes in, bytes and decisions out.
///
/// Proton's own server side cannot check a password, so SASL is done before its engine sees a byte.
package struct ServerLoginMachine: Sendable {
  package enum Action: Equatable, Sendable {
    case write([UInt8])
    /// Ask whether these may enter, then call ``decided(_:)``.
    case decide(ServerCredentials)
    /// Login is done; these bytes are for the AMQP layer.
    case done(remaining: [UInt8])
    case close
  }

  private enum State: Sendable {
    case header
    case initial
    case deciding(ServerCredentials)
    case done
    case failed
  }

  private let mechanisms: [String]
  private var parser = AMQPFrameParser()
  private var state = State.header

  /// - Parameter mechanisms: what is offered, in order: "PLAIN", "ANONYMOUS", "AMQPLAIN", "EXTERNAL".
  package init(mechanisms: [String]) { self.mechanisms = mechanisms }

  package mutating func receive(_ bytes: [UInt8]) -> [Action] {
    if case .done = self.state { return [.done(remaining: bytes)] }
    self.parser.append(bytes)
    return self.advance()
  }

  /// The answer to ``Action/decide(_:)``.
  package mutating func decided(_ mayEnter: Bool) -> [Action] {
    guard case .deciding(let credentials) = self.state else { return [] }
    guard mayEnter else {
      self.state = .failed
      return credentials == .none
        ? [.write(AMQPFrame.saslHeader), .close]
        : [.write(AMQPFrame.encodedSASL(AMQPFrame.Code.saslOutcome, [.ubyte(1)])), .close]
    }
    self.state = .done
    guard credentials != .none else { return [.done(remaining: AMQPFrame.amqpHeader + self.parser.rest)] }
    return [.write(AMQPFrame.encodedSASL(AMQPFrame.Code.saslOutcome, [.ubyte(0)])), .done(remaining: self.parser.rest)]
  }

  private mutating func advance() -> [Action] {
    var actions: [Action] = []
    while let frame = self.nextFrame() {
      switch (self.state, frame) {
      case (.header, .header(protocolID: 3, _)):
        self.state = .initial
        let offered = AMQPValue.array(self.mechanisms.map(AMQPValue.symbol))
        actions.append(
          .write(AMQPFrame.saslHeader + AMQPFrame.encodedSASL(AMQPFrame.Code.saslMechanisms, [offered])))
      case (.header, .header(protocolID: 0, _)):
        self.state = .deciding(.none)
        return actions + [.decide(.none)]
      case (.initial, .performative(_, true, AMQPFrame.Code.saslInit, let fields, _)):
        guard let credentials = self.credentials(fields) else {
          self.state = .failed
          return actions + [.write(AMQPFrame.encodedSASL(AMQPFrame.Code.saslOutcome, [.ubyte(1)])), .close]
        }
        self.state = .deciding(credentials)
        return actions + [.decide(credentials)]
      default:
        self.state = .failed
        // Another protocol: answer with what we speak, and close (spec 2.2).
        return actions + [.write(AMQPFrame.saslHeader), .close]
      }
    }
    return actions
  }

  private mutating func nextFrame() -> AMQPFrame? {
    switch self.state {
    case .header, .initial: break
    case .deciding, .done, .failed: return nil
    }
    do {
      return try self.parser.next()
    } catch {
      // Not AMQP at all: handled as a frame that fits no state.
      return .empty(channel: .max)
    }
  }

  private func credentials(_ fields: [AMQPValue]) -> ServerCredentials? {
    guard let mechanism = fields.first?.text, self.mechanisms.contains(mechanism) else { return nil }
    switch mechanism {
    // Azure's own: as ANONYMOUS, and who it is comes by `$cbs`.
    case "ANONYMOUS", "MSSBCBS": return .anonymous
    case "EXTERNAL": return .external(user: nil)
    case "AMQPLAIN":
      guard fields.count > 1, case .binary(let response) = fields[1] else { return nil }
      return AMQPlain.credentials(response)
    case "PLAIN":
      guard fields.count > 1, case .binary(let response) = fields[1] else { return nil }
      let parts = response.split(separator: 0, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return nil }
      return .plain(user: String(decoding: parts[1], as: UTF8.self), password: String(decoding: parts[2], as: UTF8.self))
    default: return nil
    }
  }
}

/// RabbitMQ's own mechanism: a table of AMQP 0-9-1 with LOGIN and PASSWORD.
private enum AMQPlain {
  static func credentials(_ response: [UInt8]) -> ServerCredentials? {
    var rest = response[...]
    var texts: [String: String] = [:]
    while let nameLength = rest.popFirst() {
      let name = String(decoding: rest.prefix(Int(nameLength)), as: UTF8.self)
      rest = rest.dropFirst(Int(nameLength))
      guard rest.popFirst() == UInt8(ascii: "S"), rest.count >= 4 else { return nil }
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      guard length <= rest.count else { return nil }
      texts[name] = String(decoding: rest.prefix(length), as: UTF8.self)
      rest = rest.dropFirst(length)
    }
    guard let user = texts["LOGIN"], let password = texts["PASSWORD"] else { return nil }
    return .plain(user: user, password: password)
  }
}
