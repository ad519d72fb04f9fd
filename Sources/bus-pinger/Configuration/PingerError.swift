// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What keeps the pinger from beginning.
enum PingerError: ExplainedError, Hashable {
  case configurationUnreadable(path: String, seen: String)
  case configurationNotYAML(path: String, seen: String)
  /// `field` is the path inside the file, such as `buses[1].dialect`.
  case fieldInvalid(path: String, field: String, problem: String)
  case secretUnreadable(path: String, field: String, seen: String)
  /// The connection string of a bus; the cause's words hold no piece of it.
  case connectionStringInvalid(path: String, field: String, code: String, Explanation)

  var stableCode: String {
    switch self {
    case .configurationUnreadable: "PING-101"
    case .configurationNotYAML: "PING-102"
    case .fieldInvalid: "PING-103"
    case .secretUnreadable: "PING-104"
    case .connectionStringInvalid: "PING-105"
    }
  }

  var explanation: Explanation {
    switch self {
    case .configurationUnreadable(let path, let seen):
      Explanation(
        tried: "read the configuration \(path)", seen: seen, meaning: "Without it there is no bus to check.",
        next: "Give the file with --config or $BUS_PINGER_CONFIG; config/bus-pinger.example.yaml shows one.", owner: .caller)
    case .configurationNotYAML(let path, let seen):
      Explanation(
        tried: "read the configuration \(path)", seen: seen, meaning: "It is not YAML.",
        next: "Correct the place named; blanks at the beginning of lines count.", owner: .caller)
    case .fieldInvalid(let path, let field, let problem):
      Explanation(
        tried: "read the configuration \(path)", seen: "\(field): \(problem)", meaning: "The configuration cannot work.",
        next: "Correct the field; config/bus-pinger.example.yaml explains each.", owner: .caller)
    case .secretUnreadable(let path, let field, let seen):
      Explanation(
        tried: "read the secret that \(field) of \(path) names", seen: seen, meaning: "Without it there is no login.",
        next: "Check the file's path and permissions.", owner: .host)
    case .connectionStringInvalid(let path, let field, let code, let cause):
      Explanation(
        tried: "read \(field) of \(path)", seen: "[\(code)] \(cause.seen)", meaning: cause.meaning, next: cause.next,
        owner: cause.owner)
    }
  }
}
