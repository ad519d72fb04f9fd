// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOCore

/// What the network steps saw, judged: steps 20 to 22. Pure.
enum NetworkJudgement {
  static func names(_ answer: NameLookUp.Answer, host: String, milliseconds: Double) -> ProbeStep {
    func step(_ finding: ProbeFinding, _ facts: [ProbeFact: ProbeValue] = [:]) -> ProbeStep {
      ProbeStep(finding, facts.merging([.host: .text(host)]) { first, _ in first }, milliseconds: milliseconds)
    }
    switch answer {
    case .found(let addresses):
      return step(.namesFound, [.addresses: .text(addresses.compactMap(\.ipAddress).joined(separator: ", "))])
    case .unknown: return step(.namesUnknown)
    case .noAddress: return step(.namesNoAddress)
    case .serverFailed(let server, let code):
      return step(.namesServerFailed, [.servers: .text(server), .error: .text(code)])
    case .serverSilent(let servers, let timeout):
      return step(
        .namesServerSilent,
        [.servers: .text(servers.joined(separator: ", ")), .seconds: .number(timeout.components.seconds)])
    case .failed(let why): return step(.namesFailed, [.error: .text(why)])
    }
  }

  static func reach(_ answers: [(address: String, answer: PortReach.Answer, milliseconds: Double)], port: Int) -> ProbeStep {
    let words: [ProbeValue] = answers.map { one in
      let what: ProbeValue =
        switch one.answer {
        case .reached: "\(Int(one.milliseconds.rounded())) ms"
        case .refused: .term(.refused)
        case .unanswered: .term(.noAnswer)
        case .unreachable: .term(.notReachable)
        case .failed(let why): .text(why)
        }
      return .words(["\(one.address):\(port)", what])
    }
    let best = answers.filter { $0.answer == .reached }.map(\.milliseconds).min()
    let finding: ProbeFinding =
      if best != nil {
        answers.allSatisfy { $0.answer == .reached } ? .reached : .reachedSome
      } else if answers.contains(where: { $0.answer == .refused }) {
        .refused
      } else if answers.contains(where: { $0.answer == .unanswered }) {
        .unanswered
      } else {
        .unreachable
      }
    return ProbeStep(finding, [.answers: .list(words)], milliseconds: best)
  }

  static func certificate(
    _ answer: CertificateLook.Answer, spoken: ProtocolLook.Spoken? = nil, nowSeconds: Int64, warningDays: Int,
    timeout: Duration, milliseconds: Double
  ) -> ProbeStep {
    switch answer {
    case .good(let seen):
      let left = seen.certificate.map { ($0.endsAt - nowSeconds) / 86_400 }
      var facts: [ProbeFact: ProbeValue] = [.version: .text(seen.version), .days: left.map { .number($0) } ?? .term(.notTold)]
      facts[.cipher] = seen.cipher.map { .text($0) }
      let endsSoon = left.map { $0 < Int64(warningDays) } ?? false
      return ProbeStep(endsSoon ? .certificateEndsSoon : .encrypted, facts, milliseconds: milliseconds)
    case .silent:
      return ProbeStep(.handshakeSilent, [.seconds: .number(timeout.components.seconds)], milliseconds: milliseconds)
    case .failed(let error, let watch):
      return Self.encryption(error, watch: watch, spoken: spoken, nowSeconds: nowSeconds, milliseconds: milliseconds)
    }
  }

  /// The step of an error of TLS, whoever met it: the look at the certificate, or the connection itself.
  static func encryption(
    _ error: AMQPError, watch: HandshakeWatch? = nil, spoken: ProtocolLook.Spoken? = nil, nowSeconds: Int64,
    milliseconds: Double? = nil
  ) -> ProbeStep {
    func step(_ finding: ProbeFinding, _ facts: [ProbeFact: ProbeValue] = [:]) -> ProbeStep {
      ProbeStep(finding, facts.merging([.error: .error(error)]) { first, _ in first }, milliseconds: milliseconds)
    }
    switch error.code {
    case .certificateRefused:
      switch error.certificateProblem {
      case .expired(let time):
        return step(
          .certificateExpired, [.date: .text(CertificateTime.text(time)), .days: .number((nowSeconds - time) / 86_400)])
      case .notYetValid(let time):
        return step(
          .certificateNotYetValid, [.date: .text(CertificateTime.text(time)), .days: .number((time - nowSeconds) / 86_400)])
      case .selfSigned(let subject): return step(.certificateSelfSigned, [.subject: .text(subject)])
      case .unknownIssuer(let issuer): return step(.certificateUnknownAuthority, [.issuer: .text(issuer)])
      case .wrongName(let wanted, let presented):
        let names: ProbeValue = presented.isEmpty ? .term(.notTold) : .text(presented.joined(separator: ", "))
        return step(.certificateWrongName, [.wanted: .text(wanted), .presented: names])
      case .unspecified, nil: return step(.certificateUntrusted)
      }
    case .tlsVersionRefused: return step(.versionRefused)
    case .clientCertificateRequired: return step(.clientCertificateWanted)
    case .clientCertificateRefused: return step(.clientCertificateRefused)
    case .notTLS: return step(.notTLS, [.spoken: spoken.map { .text($0.name) } ?? .term(.notTold)])
    case .tlsFailed:
      // The alert handshake_failure stands for both: what was asked for before it tells them apart.
      if watch?.asksForCertificate == true { return step(.clientCertificateWanted) }
      if watch?.alert == 40 { return step(.noCommonCipher) }
      guard Self.isCut(error) else { return step(.encryptionFailed) }
      return Self.cut(spoken, step)
    case .connectionLost: return Self.cut(spoken, step)
    default: return step(.encryptionFailed)
    }
  }

  /// Whether the handshake was cut: by what does not speak TLS at all, as RabbitMQ's plain port does it, or by something between.
  static func isCut(_ error: AMQPError) -> Bool {
    error.code == .connectionLost || (error.code == .tlsFailed && error.seen.contains("closed the connection"))
  }

  private static func cut(
    _ spoken: ProtocolLook.Spoken?, _ step: (ProbeFinding, [ProbeFact: ProbeValue]) -> ProbeStep
  ) -> ProbeStep {
    switch spoken {
    case .amqpWithLogin?, .amqpWithoutLogin?, .otherAMQP?, .http?: step(.notTLS, [.spoken: .text(spoken?.name ?? "")])
    default: step(.handshakeCut, [:])
    }
  }

  /// Whether a failure to open is one of encryption.
  static func isEncryption(_ error: AMQPError) -> Bool {
    [.certificateRefused, .tlsFailed, .clientCertificateRequired, .clientCertificateRefused, .tlsVersionRefused, .notTLS]
      .contains(error.code)
  }
}

extension ProbeValue {
  /// A failure's stable code with the peer's own words, or what was seen on this side.
  static func error(_ error: AMQPError) -> ProbeValue {
    .text("[\(error.stableCode)] \(error.condition?.description ?? error.seen)".trimmingEnd)
  }

  /// The peer's own words, else the code with what was seen on this side.
  static func condition(_ error: AMQPError) -> ProbeValue { error.condition.map { .text($0.description) } ?? .error(error) }
}

extension String {
  var trimmingEnd: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
