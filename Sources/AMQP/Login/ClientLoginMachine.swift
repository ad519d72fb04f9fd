// SPDX-License-Identifier: Apache-2.0

/// The client's side of SASL (spec 5.3). Pure: bytes in, bytes and a verdict out.
///
/// Ours and not Proton's, because Proton does not tell what the server offered, does not know of the TLS that NIO does around
/// it (EXTERNAL), and gives one and the same error for a wrong password and a broken server.
package struct ClientLoginMachine: Sendable {
  package enum Action: Equatable, Sendable {
    case write([UInt8])
    /// The AMQP layer begins; these bytes are its first.
    case loggedIn(offered: [String], remaining: [UInt8])
    case failed(Failure)
  }

  package enum Failure: Equatable, Sendable {
    /// What came is no AMQP at all.
    case notAMQP
    /// Another protocol of AMQP's kind: "AMQP 0.9.1".
    case otherProtocol(String)
    /// The server wants no SASL.
    case noSASL
    case notOffered(wanted: String, offered: [String])
    /// The server's outcome code (spec 5.3.3.6): 1 refused, 2 to 4 its own trouble.
    case refused(code: UInt8)
    /// A frame that has no place here.
    case unexpected(String)
  }

  /// What is being waited for, in words for an error.
  package enum Waiting: String, Sendable {
    case header = "the server's protocol header"
    case mechanisms = "the server's login mechanisms"
    case outcome = "the outcome of the login"
    case nothing = "nothing"
  }

  private enum State: Sendable {
    case header
    case mechanisms
    case outcome(offered: [String])
    case done
    case failed
  }

  private let login: AMQPLogin
  private let hostname: String
  private var parser = AMQPFrameParser(maximumFrameSize: 8_192)
  private var state = State.header
  /// What the server offered; empty before it has said.
  package private(set) var offered: [String] = []

  /// - Parameter hostname: what the server may choose a certificate or realm by.
  package init(_ login: AMQPLogin, hostname: String) {
    self.login = login
    self.hostname = hostname
  }

  package var waiting: Waiting {
    switch self.state {
    case .header: .header
    case .mechanisms: .mechanisms
    case .outcome: .outcome
    case .done, .failed: .nothing
    }
  }

  /// The first bytes of the connection.
  package func begin() -> [UInt8] { AMQPFrame.saslHeader }

  package mutating func receive(_ bytes: some Collection<UInt8>) -> [Action] {
    switch self.state {
    case .done, .failed: return []
    case .header, .mechanisms, .outcome: break
    }
    self.parser.append(bytes)
    var actions: [Action] = []
    while true {
      let frame: AMQPFrame?
      do {
        frame = try self.parser.next()
      } catch {
        let isFirst = if case .header = self.state { true } else { false }
        return actions + [self.fail(isFirst ? .notAMQP : .unexpected("bytes that are no frame"))]
      }
      guard let frame else {
        // Fewer than 8 bytes, or a frame that is not whole; but bytes that can never become a header are told at once.
        if case .header = self.state, !AMQPFrame.saslHeader.starts(with: self.parser.rest.prefix(4)) {
          actions.append(self.fail(.notAMQP))
        }
        return actions
      }
      actions.append(self.step(frame))
      switch self.state {
      case .done, .failed: return actions
      case .header, .mechanisms, .outcome: if actions.last == .write([]) { actions.removeLast() }
      }
    }
  }

  private mutating func step(_ frame: AMQPFrame) -> Action {
    switch (self.state, frame) {
    case (.header, .header(protocolID: 3, let version)) where version.first == 1:
      self.state = .mechanisms
      return .write([])
    case (.header, .header(protocolID: 0, let version)) where version.first == 1: return self.fail(.noSASL)
    case (.header, .header(_, let version)):
      return self.fail(.otherProtocol("AMQP " + version.map(String.init).joined(separator: ".")))
    case (.header, _): return self.fail(.notAMQP)
    case (.mechanisms, .performative(_, true, AMQPFrame.Code.saslMechanisms, let fields, _)):
      let offered = self.mechanisms(fields.first)
      self.offered = offered
      guard offered.contains(self.login.mechanism) else {
        return self.fail(.notOffered(wanted: self.login.mechanism, offered: offered))
      }
      self.state = .outcome(offered: offered)
      return .write(self.initial())
    case (.outcome(let offered), .performative(_, true, AMQPFrame.Code.saslOutcome, let fields, _)):
      guard case .ubyte(let code)? = fields.first else { return self.fail(.unexpected("an outcome without a code")) }
      guard code == 0 else { return self.fail(.refused(code: code)) }
      self.state = .done
      return .loggedIn(offered: offered, remaining: self.parser.rest)
    case (.outcome, .performative(_, true, 0x42, _, _)): return self.fail(.unexpected("a challenge"))
    case (.mechanisms, _), (.outcome, _): return self.fail(.unexpected("a frame that has no place in a login"))
    case (.done, _), (.failed, _): return .write([])
    }
  }

  private mutating func fail(_ failure: Failure) -> Action {
    self.state = .failed
    return .failed(failure)
  }

  /// One symbol or an array of them (spec 5.3.3.1). The server chose the text: it is kept short.
  private func mechanisms(_ field: AMQPValue?) -> [String] {
    let values: [AMQPValue] =
      switch field {
      case .array(let values)?: values
      case let value?: [value]
      case nil: []
      }
    return values.prefix(32).compactMap { $0.text.map { String($0.prefix(40)) } }
  }

  /// sasl-init: mechanism, initial response, hostname (spec 5.3.3.2).
  private func initial() -> [UInt8] {
    let response: [UInt8] =
      switch self.login {
      case .plain(let user, let password): password.withPlainText { [0] + Array(user.utf8) + [0] + Array($0.utf8) }
      // No other identity than the certificate's own. Empty, not absent: absent would have the server ask for it.
      case .external: []
      case .anonymous: Array("anonymous".utf8)
      }
    return AMQPFrame.encodedSASL(
      AMQPFrame.Code.saslInit, [.symbol(self.login.mechanism), .binary(response), .string(self.hostname)])
  }
}

extension ClientLoginMachine.Failure {
  func error(tried: String) -> AMQPError {
    func error(_ code: AMQPError.Code, _ seen: String) -> AMQPError {
      AMQPError(code, .connection, .remote, tried: tried, seen: seen)
    }
    switch self {
    case .notAMQP: return error(.protocolViolated, "the first bytes that came are no AMQP")
    case .otherProtocol(let name): return error(.protocolViolated, "the server speaks \(name) on this port, not AMQP 1.0")
    case .noSASL: return error(.protocolViolated, "the server does not want a login (SASL)")
    case .notOffered(let wanted, let offered):
      let all = offered.isEmpty ? "nothing" : offered.joined(separator: ", ")
      return error(.mechanismNotOffered, "\(wanted) is configured, the server offers \(all)")
    case .refused(code: 2): return error(.loginUnavailable, "SASL outcome 2: an error of the server's own")
    case .refused(code: 4): return error(.loginUnavailable, "SASL outcome 4: a passing error of the server's own")
    case .refused(let code): return error(.loginRefused, "SASL outcome \(code)")
    case .unexpected(let what): return error(.protocolViolated, "\(what) during the login")
    }
  }
}
