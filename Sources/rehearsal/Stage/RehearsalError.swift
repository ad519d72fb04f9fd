// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What can keep a rehearsal from being held. What it finds is no error but its result.
enum RehearsalError: ExplainedError {
  case brokersMissing(String)
  case declaring(String, status: Int)
  case migrator(command: String, exitCode: Int32, output: String)
  case tookTooLong(String)
  case history(after: String, seen: String)
  case notRebuilt(String)
  case forwarding(String, seen: String)
  case notListening([String])

  var stableCode: String {
    switch self {
    case .brokersMissing: "RUN-001"
    case .declaring: "RUN-002"
    case .migrator: "RUN-003"
    case .tookTooLong: "RUN-004"
    case .history: "RUN-005"
    case .notRebuilt: "RUN-006"
    case .forwarding: "RUN-007"
    case .notListening: "RUN-008"
    }
  }

  var explanation: Explanation {
    switch self {
    case .brokersMissing(let variables):
      Explanation(
        tried: "find the RabbitMQ brokers", seen: "\(variables) not set", meaning: "No brokers were started for this rehearsal.",
        next: "Use `make rehearse BROKERS=rabbitmq`, which starts them.", owner: .caller)
    case .declaring(let path, let status):
      Explanation(
        tried: "declare \(path)", seen: "HTTP status \(status)", meaning: "The broker refuses a queue, exchange or binding.",
        next: "See the broker's log in the rehearsal's folder.", owner: .bus)
    case .migrator(let command, let exitCode, let output):
      Explanation(
        tried: "run bus-migrator \(command)", seen: "exit code \(exitCode): \(output)", meaning: "The migration did not go on.",
        next: "See migrator.log in the rehearsal's folder.", owner: .tjenestebuss)
    case .tookTooLong(let what):
      Explanation(
        tried: "hold the rehearsal", seen: "\(what) took too long", meaning: "The story did not come to its end.",
        next: "See migrator.log in the rehearsal's folder for what it waits for.", owner: .tjenestebuss)
    case .history(let what, let seen):
      Explanation(
        tried: "read the history after \(what)", seen: seen,
        meaning: "The history does not hold what was durable before, or what has had an effect outside.",
        next: "See the database and migrator.log in the rehearsal's folder.", owner: .tjenestebuss)
    case .notRebuilt(let seen):
      Explanation(
        tried: "make the folder as a power cut leaves it", seen: seen,
        meaning: "The recording of what was written cannot be relied upon.",
        next: "See tools/power-cut.", owner: .tjenestebuss)
    case .forwarding(let tried, let seen):
      Explanation(
        tried: tried, seen: seen, meaning: "The proof of the forwarder did not come to its end.",
        next: "See carry.log in the proof's folder, and the brokers' logs.", owner: .tjenestebuss)
    case .notListening(let receivers):
      Explanation(
        tried: "have every system listen on its queues", seen: receivers.joined(separator: "; "),
        meaning: "Something keeps a system from a queue, and pings to it would tell nothing.",
        next: "See that no other rehearsal or practice ground uses these brokers: each has its own logins.", owner: .caller)
    }
  }
}
