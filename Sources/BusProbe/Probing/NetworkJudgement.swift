// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What the network steps saw, judged: steps 20 to 22. Pure.
enum NetworkJudgement {
  static func names(_ answer: NameLookUp.Answer, host: String, milliseconds: Double) -> ProbeStep {
    switch answer {
    case .found(let addresses):
      ProbeStep(
        .namesFound, seen: "\(host): " + addresses.compactMap(\.ipAddress).joined(separator: ", "), milliseconds: milliseconds)
    case .unknown: ProbeStep(.namesUnknown, seen: "\(host): no such name", milliseconds: milliseconds)
    case .failed(let why): ProbeStep(.namesFailed, seen: "\(host): \(why)", milliseconds: milliseconds)
    }
  }

  static func reach(_ answers: [(address: String, answer: PortReach.Answer, milliseconds: Double)], port: Int) -> ProbeStep {
    let words: String = answers.map { one -> String in
      let what: String =
        switch one.answer {
        case .reached: "\(Int(one.milliseconds.rounded())) ms"
        case .refused: "refused"
        case .unanswered: "no answer"
        case .failed(let why): why
        }
      return "\(one.address):\(port) \(what)"
    }.joined(separator: "; ")
    let best = answers.filter { $0.answer == .reached }.map(\.milliseconds).min()
    if answers.allSatisfy({ $0.answer == .reached }), best != nil {
      return ProbeStep(.reached, seen: words, milliseconds: best)
    }
    if best != nil { return ProbeStep(.reachedSome, seen: words, milliseconds: best) }
    return ProbeStep(answers.contains { $0.answer == .refused } ? .refused : .unanswered, seen: words)
  }

  static func certificate(
    _ answer: CertificateLook.Answer, nowSeconds: Int64, warningDays: Int, milliseconds: Double
  ) -> ProbeStep {
    func days(_ seen: CertificateLook.Seen) -> Int64? { seen.endsAt.map { ($0 - nowSeconds) / 86_400 } }
    switch answer {
    case .good(let seen):
      let left = days(seen)
      let words = [seen.version, left.map { "certificate good for \($0) days" }].compactMap(\.self).joined(separator: ", ")
      let endsSoon = left.map { $0 < Int64(warningDays) } ?? false
      return ProbeStep(endsSoon ? .certificateEndsSoon : .encrypted, seen: words, milliseconds: milliseconds)
    case .refused(let isName, let words, let seen):
      if isName { return ProbeStep(.certificateWrongName, seen: words, milliseconds: milliseconds) }
      if let seen, let endsAt = seen.endsAt, endsAt < nowSeconds {
        return ProbeStep(
          .certificateExpired, seen: "ended \((nowSeconds - endsAt) / 86_400) days ago", milliseconds: milliseconds)
      }
      if let seen, let beginsAt = seen.beginsAt, beginsAt > nowSeconds {
        return ProbeStep(
          .certificateExpired, seen: "begins in \((beginsAt - nowSeconds) / 86_400) days", milliseconds: milliseconds)
      }
      return ProbeStep(.certificateUntrusted, seen: words, milliseconds: milliseconds)
    case .failed(let words):
      return ProbeStep(.encryptionFailed, seen: String(words.prefix(200)), milliseconds: milliseconds)
    }
  }
}
