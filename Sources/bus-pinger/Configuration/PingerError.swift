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
  case outputUnwritable(path: String, seen: String)
  case listUnreadable(path: String, seen: String)
  /// `known` are the names of those that are there.
  case noSuchPulje(name: String, database: String, known: String)
  case databaseNotConfigured(path: String)
  case noSuchBus(name: String, known: String)
  case addressUnusable(text: String, seen: String)
  case nobodyToAsk(path: String)

  var stableCode: String {
    switch self {
    case .configurationUnreadable: "PING-101"
    case .configurationNotYAML: "PING-102"
    case .fieldInvalid: "PING-103"
    case .secretUnreadable: "PING-104"
    case .connectionStringInvalid: "PING-105"
    case .outputUnwritable: "PING-106"
    case .listUnreadable: "PING-107"
    case .noSuchPulje: "PING-108"
    case .databaseNotConfigured: "PING-109"
    case .noSuchBus: "PING-110"
    case .addressUnusable: "PING-111"
    case .nobodyToAsk: "PING-112"
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
    case .outputUnwritable(let path, let seen):
      Explanation(
        tried: "write to \(path)", seen: seen, meaning: "What was found could not be handed on.",
        next: "Check the folder's permissions and the space on the disk.", owner: .host)
    case .listUnreadable(let path, let seen):
      Explanation(
        tried: "read HER-IDs from \(path)", seen: seen, meaning: "There is nobody to check.",
        next: "Give a text file with one HER-ID a line, or - for standard input.", owner: .caller)
    case .noSuchPulje(let name, let database, let known):
      Explanation(
        tried: "find the pulje \(name) in \(database)", seen: known.isEmpty ? "no pulje at all" : "there are: \(known)",
        meaning: "Its parties are not known.", next: "Check the name with bus-migrator status.", owner: .caller)
    case .databaseNotConfigured(let path):
      Explanation(
        tried: "find the daemon's database", seen: "neither --database nor 'database' in \(path)",
        meaning: "Which parties are in a pulje stands nowhere else.",
        next: "Give --database FILE, or the daemon's own configuration file with --config.", owner: .caller)
    case .noSuchBus(let name, let known):
      Explanation(
        tried: "find the bus \(name) in the configuration", seen: "there are: \(known)", meaning: "It cannot be checked.",
        next: "Check the name.", owner: .caller)
    case .addressUnusable(let text, let seen):
      Explanation(
        tried: "read the address \(text)", seen: seen, meaning: "There is no queue to check.",
        next: "Give it as in the register: host/path/queue, with a host that stands at a bus in the configuration.",
        owner: .caller)
    case .nobodyToAsk(let path):
      Explanation(
        tried: "look up the party", seen: "\(path) names neither a cache nor a register (registry: cache, soap)",
        meaning: "There is nobody to ask where the party is.", next: "Configure one of them, or give --address.", owner: .caller)
    }
  }
}
