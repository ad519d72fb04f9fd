// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Migration

/// What can be wrong with the history.
public enum StoreError: ExplainedError, Hashable {
  case notOpened(path: String, seen: String)
  case inUse(path: String, holder: String)
  case fenced(path: String, own: Int64, newest: Int64)
  case notOurs(path: String, seen: String)
  case newerSchema(path: String, found: Int64, known: Int64)
  case damaged(path: String, seen: String)
  case chainBroken(path: String, sequence: Int64, seen: String)
  case unknownEvent(path: String, sequence: Int64, kind: String, version: Int64)
  case inconsistent(path: String, sequence: Int64, kind: String)
  case notWritten(path: String, seen: String)
  case readOnly(path: String, seen: String)
  case closed(path: String)
  case absent(path: String)
  case headDiffers(path: String, expected: String, seen: String)
  case headsUnreadable(path: String, line: Int)
  case invariantBroken(path: String, sequence: Int64, breach: Breach)
  case checkpointNotWritten(path: String, seen: String)
  case checkpointDiffers(path: String, sequence: Int64)
  case backupNotMade(path: String, seen: String)
  case backupDamaged(path: String, seen: String)
  case ofOtherEnvironment(path: String, environment: String, wanted: String)
  case restoreWouldForget(path: String, there: Int64, restored: Int64)

  public var stableCode: String {
    switch self {
    case .notOpened: "STORE-001"
    case .inUse: "STORE-002"
    case .fenced: "STORE-003"
    case .notOurs: "STORE-004"
    case .newerSchema: "STORE-005"
    case .damaged: "STORE-006"
    case .chainBroken: "STORE-007"
    case .unknownEvent: "STORE-008"
    case .inconsistent: "STORE-009"
    case .notWritten: "STORE-010"
    case .readOnly: "STORE-011"
    case .closed: "STORE-012"
    case .absent: "STORE-013"
    case .headDiffers: "STORE-014"
    case .invariantBroken: "STORE-015"
    case .headsUnreadable: "STORE-016"
    case .checkpointNotWritten: "STORE-017"
    case .checkpointDiffers: "STORE-018"
    case .backupNotMade: "STORE-019"
    case .backupDamaged: "STORE-020"
    case .restoreWouldForget: "STORE-021"
    case .ofOtherEnvironment: "STORE-022"
    }
  }

  public var explanation: Explanation {
    switch self {
    case .notOpened(let path, let seen):
      Explanation(
        tried: "open the database \(path)", seen: seen, meaning: "The history cannot be read; nothing is done without it.",
        next: "Check that the folder exists and that this user may read and write there.", owner: .host)
    case .inUse(let path, let holder):
      Explanation(
        tried: "take the database \(path) for this daemon", seen: "it is held by \(holder)",
        meaning: "Two daemons on one history would write over each other; this one has changed nothing.",
        next: "Stop the other one first, or give this one a database of its own.", owner: .caller)
    case .fenced(let path, let own, let newest):
      Explanation(
        tried: "write to the database \(path)", seen: "token \(own), while \(newest) has been given out",
        meaning: "Another daemon has taken over; this one must not write any more.",
        next: "Nothing: this daemon stops. Look at the status of the other.", owner: .caller)
    case .notOurs(let path, let seen):
      Explanation(
        tried: "open the database \(path)", seen: seen, meaning: "The file belongs to another program; it is left alone.",
        next: "Give the path of bus-migrator's own database.", owner: .caller)
    case .newerSchema(let path, let found, let known):
      Explanation(
        tried: "open the database \(path)", seen: "schema version \(found); this program knows \(known)",
        meaning: "A newer version has written it. Reading half of it could look like nothing left to do.",
        next: "Use that version, or a later one.", owner: .caller)
    case .damaged(let path, let seen):
      Explanation(
        tried: "read the database \(path)", seen: seen, meaning: "The file is damaged; it is not believed.",
        next: "Restore the last good copy, or have it looked at. Do not delete it.", owner: .host)
    case .chainBroken(let path, let sequence, let seen):
      Explanation(
        tried: "check the history in \(path)", seen: "event \(sequence): \(seen)",
        meaning: "The history was changed after it was written; nothing is carried out on it.",
        next: "Compare with a copy and with the chain heads in old reports.", owner: .host)
    case .unknownEvent(let path, let sequence, let kind, let version):
      Explanation(
        tried: "read the history in \(path)", seen: "event \(sequence) is a \(kind), version \(version), which is not known here",
        meaning: "A newer version has written it. Skipping it could look like success.",
        next: "Use that version, or a later one.", owner: .caller)
    case .inconsistent(let path, let sequence, let kind):
      Explanation(
        tried: "read the history in \(path)", seen: "event \(sequence), \(kind), speaks of what never was",
        meaning: "The history does not hang together; nothing is carried out on it.",
        next: "Report it with the output of audit verify.", owner: .tjenestebuss)
    case .notWritten(let path, let seen):
      Explanation(
        tried: "write to the database \(path)", seen: seen,
        meaning: "What was decided is not safely kept, so it is not carried out.",
        next: "Mend the disk (full? failing?) and start the daemon again.", owner: .host)
    case .readOnly(let path, let seen):
      Explanation(
        tried: "open the database \(path) for writing", seen: seen,
        meaning: "It may only be read; a daemon must be able to write. Nothing has changed.",
        next: "Give this user the right to write, or the path of another database.", owner: .host)
    case .closed(let path):
      Explanation(
        tried: "use the database \(path)", seen: "it is closed", meaning: "The daemon is stopping.", next: "Nothing.",
        owner: .tjenestebuss)
    case .absent(let path):
      Explanation(
        tried: "read the database \(path)", seen: "there is no such file", meaning: "No daemon has written a history there.",
        next: "Check the path in the configuration.", owner: .caller)
    case .headsUnreadable(let path, let line):
      Explanation(
        tried: "read the kept chain heads in \(path)",
        seen: line == 0 ? "it cannot be read, or is not text" : "line \(line) is no time, number and hash",
        meaning: "Without them it is not shown that the history is the one that was there then.",
        next: "Give the file that the daemon writes (audit-heads), or a copy of it.", owner: .caller)
    case .invariantBroken(let path, let sequence, let breach):
      Explanation(
        tried: "audit the history in \(path)", seen: "event \(sequence): \(breach)",
        meaning: "It breaks a rule that must always hold: \(breach.invariant.words).",
        next: "Stop the line, look at the party, and report it with the database.", owner: .tjenestebuss)
    case .checkpointNotWritten(let path, let seen):
      Explanation(
        tried: "keep a checkpoint of the history in \(path)", seen: seen,
        meaning: "Nothing is lost and the work goes on; the next start reads more of the history and takes longer.",
        next: "See that there is room beside the database, and that this user may write there.", owner: .host)
    case .checkpointDiffers(let path, let sequence):
      Explanation(
        tried: "audit the checkpoint in \(path)", seen: "it is not what the history folds to up to event \(sequence)",
        meaning: "It was written by a faulty program, or made by somebody; a daemon that started on it works on what never was.",
        next: "Stop the line, stop the daemon, keep a copy of the checkpoint, remove it and start again; report it with both.",
        owner: .tjenestebuss)
    case .backupNotMade(let path, let seen):
      Explanation(
        tried: "copy the history to or from \(path)", seen: seen,
        meaning: "There is no new copy, and nothing that was there has changed.",
        next: "See that there is room, and that this user may write there; then do it again.", owner: .host)
    case .backupDamaged(let path, let seen):
      Explanation(
        tried: "check the back-up \(path)", seen: seen, meaning: "It is not what was written then; it is not restored.",
        next: "Take another one, the next older or a copy from another machine.", owner: .host)
    case .ofOtherEnvironment(let path, let environment, let wanted):
      Explanation(
        tried: "take \(path) for the environment \(wanted)", seen: "it is of the environment \(environment)",
        meaning:
          "HER-IDs of test and of production have the same numbers: what is true of one must not be done to the other. Nothing has changed.",
        next: "Name a back-up of \(wanted), or mend environment in the configuration.", owner: .caller)
    case .restoreWouldForget(let path, let there, let restored):
      Explanation(
        tried: "restore the history \(path)", seen: "a history of \(there) events is there; the back-up has \(restored)",
        meaning: "What the back-up does not hold would be forgotten, writes to the register among it. Nothing has changed.",
        next: "If it is given up all the same, say --replace; it is moved aside, not removed.", owner: .caller)
    case .headDiffers(let path, let expected, let seen):
      Explanation(
        tried: "find the chain head \(expected.prefix(12)) in \(path)", seen: seen,
        meaning: "The history is not the one the head was taken from, or its end was cut off.",
        next: "Compare with a copy.", owner: .host)
    }
  }
}
