// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// What can be wrong before anything is asked of the core. Each has a code, and the program an exit code.
enum CommandLineError: ExplainedError, Hashable {
  case fileUnreadable(path: String, seen: String)
  case fileUnwritable(path: String, seen: String)
  case yamlBroken(path: String, line: Int?, seen: String)
  case keyUnknown(place: String, key: String, known: [String])
  case keyMissing(place: String, key: String)
  case valueWrong(place: String, seen: String, wanted: String)
  case credentials(place: String, seen: String)
  case daemonNotReachable(socket: String, seen: String)
  case answerUnreadable(seen: String)
  case socketUnusable(path: String, seen: String)
  case puljeNotNamed(names: [String])
  case argumentWrong(name: String, seen: String, wanted: String)
  case planBlocked(obstacles: Int)
  case wayNotConfigured(seen: String)
  case daemonRecovering(socket: String)
  case notAllowed(who: String, roles: String)
  case reasonMissing(verb: String)
  case keyReused(key: String, verb: String)
  case speaksForOthers(who: String, named: String)
  case tokenNotGood(seen: String)
  case routeNotThere
  case methodNotThere(seen: String, allowed: [String])
  case tooLarge(limit: Int)
  /// Of all that is being sent just now, together.
  case tooMuchAtOnce(limit: Int)
  case contentTypeWrong(seen: String)
  case environmentsDiffer(named: String, answered: String?)
  /// What the parser says of the command line.
  case commandLineWrong(seen: String)
  case settingUnknown(place: String, name: String, known: [String], isSecret: Bool)
  case refusedByDaemon(DaemonWord)
  case failedInDaemon(DaemonWord)
  case wrongForDaemon(DaemonWord)

  /// An error as the daemon has told it.
  struct DaemonWord: Hashable {
    var code: String
    var text: String
    var explanation: Explanation
  }

  var stableCode: String {
    switch self {
    case .fileUnreadable: "CLI-001"
    case .yamlBroken: "CLI-002"
    case .keyUnknown: "CLI-003"
    case .keyMissing: "CLI-004"
    case .valueWrong: "CLI-005"
    case .credentials: "CLI-006"
    case .fileUnwritable: "CLI-007"
    case .daemonNotReachable: "CLI-010"
    case .answerUnreadable: "CLI-011"
    case .socketUnusable: "CLI-012"
    case .puljeNotNamed: "CLI-013"
    case .argumentWrong: "CLI-014"
    case .planBlocked: "CLI-015"
    case .wayNotConfigured: "CLI-016"
    case .daemonRecovering: "CLI-017"
    case .notAllowed: "CLI-018"
    case .reasonMissing: "CLI-019"
    case .keyReused: "CLI-020"
    case .speaksForOthers: "CLI-021"
    case .tokenNotGood: "CLI-022"
    case .routeNotThere: "CLI-023"
    case .methodNotThere: "CLI-024"
    case .tooLarge: "CLI-025"
    case .tooMuchAtOnce: "CLI-030"
    case .contentTypeWrong: "CLI-026"
    case .environmentsDiffer: "CLI-027"
    case .commandLineWrong: "CLI-028"
    case .settingUnknown: "CLI-029"
    case .refusedByDaemon(let word), .failedInDaemon(let word), .wrongForDaemon(let word): word.code
    }
  }

  /// The file is read; a secret that it names is not.
  var isOfCredentials: Bool {
    if case .credentials = self { true } else { false }
  }

  /// Nobody answers for the history: it can be read, though.
  var isOfNoDaemon: Bool {
    switch self {
    case .daemonNotReachable, .daemonRecovering: true
    default: false
    }
  }

  var description: String {
    switch self {
    case .refusedByDaemon(let word), .failedInDaemon(let word), .wrongForDaemon(let word): return word.text
    default:
      let e = self.explanation
      return "[\(self.stableCode)] tried to \(e.tried); saw: \(e.seen). \(e.meaning) Next: \(e.next) (owner: \(e.owner.rawValue))"
    }
  }

  var explanation: Explanation {
    switch self {
    case .fileUnreadable(let path, let seen):
      Explanation(
        tried: "read \(path)", seen: seen, meaning: "Nothing was done.", next: "Check the path and who may read it.",
        owner: .caller)
    case .fileUnwritable(let path, let seen):
      Explanation(
        tried: "write \(path)", seen: seen, meaning: "Nothing was written; a file that was there before is as it was.",
        next: "Check the path, who may write there, and whether the disk has room.", owner: .host)
    case .yamlBroken(let path, let line, let seen):
      Explanation(
        tried: "read \(path)\(line.map { ", line \($0)" } ?? "")", seen: seen, meaning: "It is not YAML. Nothing was done.",
        next: "Mend the line.", owner: .caller)
    case .keyUnknown(let place, let key, let known):
      Explanation(
        tried: "read \(place)", seen: "the key \"\(key)\"",
        meaning: "No such key is known here; a misspelt one must not be passed over. Nothing was done.",
        next: (NearestWord.to(key, among: known).map { "Was \"\($0)\" meant? " } ?? "")
          + "Known here: \(known.joined(separator: ", ")).",
        owner: .caller)
    case .keyMissing(let place, let key):
      Explanation(
        tried: "read \(place)", seen: "no \"\(key)\"", meaning: "It is needed here. Nothing was done.", next: "Add it.",
        owner: .caller)
    case .valueWrong(let place, let seen, let wanted):
      Explanation(
        tried: "read \(place)", seen: seen, meaning: "That value does not fit here. Nothing was done.", next: "Write \(wanted).",
        owner: .caller)
    case .credentials(let place, let seen):
      Explanation(
        tried: "read the credentials for \(place)", seen: seen, meaning: "Without them nothing is tried. Nothing was done.",
        next: "Check the file and who may read it; it holds the secret and nothing else.", owner: .caller)
    case .daemonNotReachable(let socket, let seen):
      Explanation(
        tried: "reach the daemon at \(socket)", seen: seen, meaning: "No daemon answers there. Nothing was done.",
        next: "Start it (bus-migrator run), or check the socket's path and who may use it.", owner: .caller)
    case .answerUnreadable(let seen):
      Explanation(
        tried: "read the daemon's answer", seen: seen, meaning: "Daemon and command may be of different versions.",
        next: "Look at the status before doing anything again.", owner: .tjenestebuss)
    case .socketUnusable(let path, let seen):
      Explanation(
        tried: "make the control socket \(path)", seen: seen,
        meaning: "The daemon could not be reached there, so it does not start.",
        next: "Give another path, or stop what uses this one.", owner: .caller)
    case .puljeNotNamed(let names):
      Explanation(
        tried: "find the pulje that is meant",
        seen: names.isEmpty ? "there is none" : "there are \(names.joined(separator: ", "))",
        meaning: "It is not guessed. Nothing was done.", next: "Name it: --pulje NAME.", owner: .caller)
    case .argumentWrong(let name, let seen, let wanted):
      Explanation(
        tried: "read \(name)", seen: "\"\(seen)\"", meaning: "Nothing was done.", next: "Write \(wanted).", owner: .caller)
    case .planBlocked(let obstacles):
      Explanation(
        tried: "plan the pulje", seen: "\(obstacles) obstacles", meaning: "The pulje cannot be started as it stands.",
        next: "Remove them, then plan again.", owner: .caller)
    case .wayNotConfigured(let seen):
      Explanation(
        tried: "carry over what strands", seen: seen, meaning: "Nothing is carried.",
        next: "Add it to the configuration, start the daemon anew, then resume the order.", owner: .caller)
    case .daemonRecovering(let socket):
      Explanation(
        tried: "use the daemon at \(socket)", seen: "it has started and reads its history",
        meaning: "It takes commands in a moment, after millions of events in minutes. Nothing was done.",
        next: "Wait and do it again; systemctl status bus-migrator tells when it is ready.", owner: .tjenestebuss)
    case .notAllowed(let who, let roles):
      Explanation(
        tried: "do that by the control interface", seen: who, meaning: "Who asks may not. Nothing was done.",
        next: "Ask who runs the machine for the role: \(roles). A login's new group counts from its next log-in.", owner: .caller)
    case .reasonMissing(let verb):
      Explanation(
        tried: "carry out \(verb)", seen: "no reason",
        meaning: "Whatever is changed has a reason in the audit. Nothing was done.",
        next: "Say why (--because).", owner: .caller)
    case .keyReused(let key, let verb):
      Explanation(
        tried: "carry out \(verb) with the idempotency key \(key)", seen: "the key came with another command before",
        meaning: "A key stands for one command. Nothing was done.", next: "Give a new command a new key.", owner: .caller)
    case .speaksForOthers(let who, let named):
      Explanation(
        tried: "decide in the name of \(named)", seen: who,
        meaning: "A token speaks for the one it was given to, who must be among those named. Nothing was done.",
        next: "Leave the name out, or name the token's own holder among those who approve.", owner: .caller)
    case .tokenNotGood(let seen):
      Explanation(
        tried: "come in over TCP", seen: seen, meaning: "Nobody is let in without a token. Nothing was done.",
        next: "Send Authorization: Bearer TOKEN; who runs the machine gives tokens out (api.tokens in the configuration).",
        owner: .caller)
    case .routeNotThere:
      Explanation(
        tried: "find what was asked for", seen: "no such address", meaning: "Nothing was done.",
        next: "See docs/api/openapi.json for what there is.", owner: .caller)
    case .methodNotThere(let seen, let allowed):
      Explanation(
        tried: "ask by \(seen.prefix(20))", seen: "the address knows \(allowed.joined(separator: ", "))",
        meaning: "Nothing was done.", next: "Ask by one of these.", owner: .caller)
    case .tooLarge(let limit):
      Explanation(
        tried: "read what was sent", seen: "more than \(limit) bytes", meaning: "Nothing was done.",
        next: "Send less; a pulje of more parties is better sent as several.", owner: .caller)
    case .tooMuchAtOnce(let limit):
      Explanation(
        tried: "read what was sent", seen: "more than \(limit) bytes being sent by all together", meaning: "Nothing was done.",
        next: "Ask again in a moment, with the same idempotency key.", owner: .caller)
    case .contentTypeWrong(let seen):
      Explanation(
        tried: "read what was sent", seen: "content type \(seen)", meaning: "Only JSON is read. Nothing was done.",
        next: "Send it as application/json.", owner: .caller)
    case .environmentsDiffer(let named, let answered):
      Explanation(
        tried: "use the daemon of the environment \(named)",
        seen: answered.map { "the daemon that answers is of the environment \($0)" }
          ?? "the daemon that answers names no environment",
        meaning: "Environments are never mixed. Nothing was asked for, and nothing was done.",
        next:
          "Give the configuration of the environment that is meant (--config), or restart a daemon whose configuration has changed.",
        owner: .caller)
    case .commandLineWrong(let seen):
      Explanation(
        tried: "read the command line", seen: seen, meaning: "Nothing was done.", next: "See --help.", owner: .caller)
    case .settingUnknown(let place, let name, let known, let isSecret):
      Explanation(
        tried: "read \(place)", seen: "\"\(name)\", which names no key that can be given there",
        meaning: "A misspelt one must not be passed over. Nothing was done.",
        next: isSecret
          ? "Secrets are given by the file alone, best as -file or -credential: other people see a command line and an environment."
          : (NearestWord.to(name, among: known).map { "Was \"\($0)\" meant? " } ?? "") + "bus-migrator config keys lists them.",
        owner: .caller)
    case .refusedByDaemon(let word), .failedInDaemon(let word), .wrongForDaemon(let word): word.explanation
    }
  }
}
