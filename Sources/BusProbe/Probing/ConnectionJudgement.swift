// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import TjenestebussClient

/// What logging in and opening showed, judged: steps 23 to 25. Pure.
enum ConnectionJudgement {
  /// What was tried further after the bus had cut the connection without a word.
  enum SecondTry: Sendable, Hashable {
    /// There was nothing else to try.
    case none
    /// The same login without the virtual host came in.
    case opensWithoutVirtualHost
    /// It did not come in either.
    case failsWithoutVirtualHost(AMQPError)
  }

  /// Who logs in where.
  struct Login: Sendable, Hashable {
    var user: String
    var mechanism = "PLAIN"
    var virtualHost: String?
    var timeout: Duration

    init(_ endpoint: BusEndpoint, timeout: Duration) {
      self.user = endpoint.connection.user
      self.virtualHost = endpoint.virtualHost
      self.timeout = timeout
    }

    init(user: String, virtualHost: String? = nil, timeout: Duration) {
      self.user = user
      self.virtualHost = virtualHost
      self.timeout = timeout
    }
  }

  static func opened(_ peer: AMQPPeer, _ login: Login, milliseconds: Double) -> [ProbeStep] {
    [
      ProbeStep(.loggedIn, Self.facts(login, offered: peer.mechanisms)),
      ProbeStep(
        .opened,
        [
          .product: .text("\(peer.product ?? peer.containerID) \(peer.version ?? "")".trimmingEnd),
          .container: .text(peer.containerID), .frame: .number(Int64(peer.maximumFrameSize)),
          .idle: .number(peer.idleTimeout.components.seconds),
        ], milliseconds: milliseconds),
    ]
  }

  /// - Parameters:
  ///   - spoken: what the port says by itself, where that was looked at: where the login did not get anywhere.
  static func failed(
    _ error: AMQPError, _ login: Login, spoken: ProtocolLook.Spoken?, second: SecondTry, milliseconds: Double
  ) -> [ProbeStep] {
    let offered = error.opening?.offeredMechanisms ?? []
    guard error.opening?.isLoggedIn == true else {
      // What the connection itself heard tells as much, and is all there is behind TLS.
      let heard = ProtocolLook.judge(error.opening?.firstBytes ?? [], isWhole: true).flatMap { $0 == .closed ? nil : $0 }
      return [Self.login(error, login, offered, spoken ?? heard, second, milliseconds)]
    }
    return [
      ProbeStep(.loggedIn, Self.facts(login, offered: offered)), Self.open(error, login, second, milliseconds),
    ]
  }

  private static func facts(_ login: Login, offered: [String]) -> [ProbeFact: ProbeValue] {
    [
      .user: .text(login.user), .mechanism: .text(login.mechanism),
      .offered: offered.isEmpty ? .term(.notTold) : .text(offered.joined(separator: ", ")),
      .seconds: .number(login.timeout.components.seconds),
      .virtualHost: login.virtualHost.map { .text($0) } ?? .term(.notTold),
    ]
  }

  private static func tried(_ second: SecondTry) -> ProbeValue {
    switch second {
    case .none: .term(.nothingElse)
    case .opensWithoutVirtualHost: .term(.opensWithoutVirtualHost)
    case .failsWithoutVirtualHost(let error): .words([.term(.failsWithoutVirtualHost), .error(error)])
    }
  }

  private static func login(
    _ error: AMQPError, _ login: Login, _ offered: [String], _ spoken: ProtocolLook.Spoken?, _ second: SecondTry,
    _ milliseconds: Double
  ) -> ProbeStep {
    func step(_ finding: ProbeFinding) -> ProbeStep {
      var facts = Self.facts(login, offered: offered)
      facts[.error] = .error(error)
      facts[.spoken] = spoken.map { .text($0.name) } ?? .term(.notTold)
      facts[.tried] = Self.tried(second)
      return ProbeStep(finding, facts, milliseconds: milliseconds)
    }
    switch error.code {
    case .loginRefused, .unauthorized: return step(.loginRefused)
    case .mechanismNotOffered: return step(.mechanismNotOffered)
    case .loginUnavailable: return step(.loginUnavailable)
    case .credentialsUnavailable: return step(.credentialsUnavailable)
    default: break
    }
    // Once mechanisms have come it is AMQP with a login, whatever broke then.
    guard offered.isEmpty else { return step(error.code == .connectTimedOut ? .loginSilent : .loginCut) }
    switch spoken {
    case .otherAMQP: return step(.otherAMQP)
    case .http, .other: return step(.notAMQP)
    case .tls: return step(.wantsTLS)
    case .amqpWithoutLogin: return step(.wantsNoLogin)
    case .silent: return step(.loginSilent)
    case .closed, .unreachable, .amqpWithLogin, nil: break
    }
    switch error.code {
    case .connectTimedOut: return step(.loginSilent)
    case .connectionLost, .connectionClosedByPeer: return step(.loginCut)
    default: return step(.loginFailed)
    }
  }

  private static func open(_ error: AMQPError, _ login: Login, _ second: SecondTry, _ milliseconds: Double) -> ProbeStep {
    var facts = Self.facts(login, offered: [])
    facts[.error] = .error(error)
    facts[.condition] = .condition(error)
    facts[.tried] = Self.tried(second)
    let finding: ProbeFinding =
      switch error.code {
      case _ where Self.isConnectionLimit(error): .connectionLimit
      case .unauthorized: .virtualHostRefused
      case .connectionClosedByPeer: .openClosed
      case .connectTimedOut, .peerSilent: .openSilent
      case .connectionLost where error.condition == nil || error.condition?.name == AMQPCondition.framingError:
        second == .opensWithoutVirtualHost ? .openCutByVirtualHost : .openCutSilently
      default: .openFailed
      }
    return ProbeStep(finding, facts, milliseconds: milliseconds)
  }

  /// Whether the bus cut the connection and gave no reason: then a second try may tell more.
  static func isSilentCut(_ error: AMQPError) -> Bool {
    error.opening?.isLoggedIn == true && error.code == .connectionLost
  }

  /// By the condition of AMQP, or by RabbitMQ's own words under another one.
  private static func isConnectionLimit(_ error: AMQPError) -> Bool {
    guard error.origin == .remote, let condition = error.condition else { return false }
    if condition.name == AMQPCondition.resourceLimitExceeded { return true }
    let words = condition.text?.lowercased() ?? ""
    return words.contains("connection limit") || words.contains("connection_limit") || words.contains("too many connections")
  }

  /// Step 24 once more, told by the first attach: the bus answered Open, and closed for a reason of the connection's own.
  static func closed(_ error: AMQPError, virtualHost: String?) -> ProbeStep? {
    guard error.scope == .connection, error.origin == .remote, error.condition != nil else { return nil }
    let finding: ProbeFinding =
      if Self.isConnectionLimit(error) { .connectionLimit } else if error.code == .unauthorized { .virtualHostRefused } else {
        .openClosed
      }
    return ProbeStep(
      finding,
      [
        .condition: .condition(error), .error: .error(error), .virtualHost: virtualHost.map { .text($0) } ?? .term(.notTold),
      ])
  }

  /// Step 25, told by the first attach: a session is begun for it. Nil where the failure is the link's own: the session was there.
  static func begin(sessions: Int?, failure: AMQPError?) -> ProbeStep? {
    guard let failure else { return ProbeStep(.begun, [.sessions: sessions.map { .number($0) } ?? .term(.notTold)]) }
    let facts: [ProbeFact: ProbeValue] = [.error: .error(failure), .condition: .condition(failure)]
    if Self.isSessionLimit(failure) { return ProbeStep(.sessionLimit, facts) }
    // RabbitMQ up to 4.0 ends the session over a link that it refuses: what names the link is the link's fault.
    let ofLink = [
      AMQPCondition.notFound, AMQPCondition.unauthorizedAccess, AMQPCondition.invalidField, AMQPCondition.notImplemented,
      AMQPCondition.decodeError, AMQPCondition.entityDisabled, AMQPCondition.resourceDeleted, AMQPCondition.notAllowed,
    ]
    guard failure.code == .sessionEnded, !ofLink.contains(failure.condition?.name ?? "") else { return nil }
    return ProbeStep(failure.condition == nil ? .sessionFailed : .sessionRefused, facts)
  }

  private static func isSessionLimit(_ error: AMQPError) -> Bool {
    if error.code == .tooManyLinks { return error.seen.contains("sessions") }
    let words = error.condition?.text?.lowercased() ?? ""
    return ["channel number", "channel_max", "too many sessions", "session limit"].contains { words.contains($0) }
  }
}
