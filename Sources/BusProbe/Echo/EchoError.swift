// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import TjenestebussClient

/// Why the echoes of our pings are not handed to us by who reads the reply queue.
public enum EchoError: ExplainedError, Hashable {
  /// What there is too much of.
  public enum Bound: String, Sendable, Hashable, Codable {
    case waits, pings, seconds
  }

  /// Nobody answers on the daemon's socket.
  case daemonUnreachable(socket: String, seen: String)
  case answerUnreadable(socket: String, seen: String)
  /// The daemon has no reply queue on this bus.
  case busNotRead(BusName)
  /// The daemon's own receiver on the reply queue is not attached.
  case daemonNotListening(BusName, TjenestebussError.Cause)
  case tooMuch(Bound, limit: Int)
  /// The daemon ended, or the way to it was cut, before the wait was over.
  case daemonGone(socket: String)
  /// Echoes of our subject are none to it.
  case otherSubject(theirs: String, ours: String)
  /// Somebody else waits for the echo of a ping of this id.
  case awaitedAlready(String)
  /// What the daemon said, in its own words.
  case told(code: String, Explanation)

  public var stableCode: String {
    switch self {
    case .daemonUnreachable: "PROBE-121"
    case .answerUnreadable: "PROBE-122"
    case .busNotRead: "PROBE-123"
    case .daemonNotListening: "PROBE-124"
    case .tooMuch: "PROBE-125"
    case .daemonGone: "PROBE-126"
    case .otherSubject: "PROBE-127"
    case .awaitedAlready: "PROBE-128"
    case .told(let code, _): code
    }
  }

  public var explanation: Explanation {
    let silence = "Whether the party's system answers cannot be seen this way; that says nothing about the party."
    return switch self {
    case .daemonUnreachable(let socket, let seen):
      Explanation(
        tried: "ask the daemon at \(socket) for echoes", seen: seen, meaning: silence,
        next: "See that bus-migrator runs, and that this user may use its socket (echo-socket).", owner: .host)
    case .answerUnreadable(let socket, let seen):
      Explanation(
        tried: "ask the daemon at \(socket) for echoes", seen: seen,
        meaning: "It is another program, or a version that does not hand over echoes. \(silence)",
        next: "Compare the versions of bus-migrator and bus-pinger.", owner: .host)
    case .busNotRead(let bus):
      Explanation(
        tried: "wait for echoes on bus \(bus)", seen: "the daemon reads no reply queue on a bus of that name", meaning: silence,
        next: "Give the bus the same name in both files, and a ping-reply-queue in the daemon's.", owner: .caller)
    case .daemonNotListening(let bus, let cause):
      Explanation(
        tried: "wait for echoes on bus \(bus)",
        seen: "the daemon cannot read its reply queue: [\(cause.code)] \(cause.explanation.seen)",
        meaning: "\(cause.explanation.meaning) \(silence)", next: cause.explanation.next, owner: cause.explanation.owner)
    case .tooMuch(let bound, let limit):
      Explanation(
        tried: "wait for echoes", seen: "more than the \(limit) \(bound.rawValue) that are allowed at once",
        meaning: "So many are waited for already, or for so long. \(silence)", next: "Try again when others have ended.",
        owner: .caller)
    case .daemonGone(let socket):
      Explanation(
        tried: "wait for an echo", seen: "the daemon at \(socket) ended the wait before its time",
        meaning: "The echo may have come without our seeing it. \(silence)", next: "See that bus-migrator runs, and ping again.",
        owner: .host)
    case .otherSubject(let theirs, let ours):
      Explanation(
        tried: "wait for echoes", seen: "the daemon's pings have the subject \(theirs), ours \(ours)",
        meaning: "It does not know our echoes as such. \(silence)", next: "Give both files the same ping subject.", owner: .caller
      )
    case .awaitedAlready(let ping):
      Explanation(
        tried: "wait for the echo of ping \(ping)", seen: "somebody waits for it already",
        meaning: "An echo is handed to one alone. \(silence)", next: "Ping under an id of its own.", owner: .caller)
    case .told(_, let explanation): explanation
    }
  }
}
