// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

extension AddressRegistryError {
  var cacheExplanation: Explanation? {
    switch self {
    case .cacheMissing(let path):
      Explanation(
        tried: "open the address cache \(path)", seen: "no such file", meaning: "Nothing is known of any party.",
        next: "Check the path, or fill a cache first (import a file of parties, or let the daemon run).", owner: .caller)
    case .cacheUnusable(let path, let seen):
      Explanation(
        tried: "open the address cache \(path)", seen: seen, meaning: "The file cannot be opened, so no party can be looked up.",
        next: "Check that the folder exists and that this user may read and write it (SQLite keeps two files beside it).",
        owner: .host)
    case .cacheReadOnly(let path, let seen):
      Explanation(
        tried: "use the address cache \(path)", seen: seen, meaning: "Nothing was changed.",
        next:
          "To write, give this user write access to the file and its folder. To read only, the two files beside it that end in -wal "
          + "and -shm must be there too: whoever copies the cache takes all three.", owner: .host)
    case .cacheForeign(let path, let id):
      Explanation(
        tried: "open the address cache \(path)", seen: "a SQLite file with application id \(id)",
        meaning: "It belongs to another program and is left alone.", next: "Check the path.", owner: .caller)
    case .cacheNewer(let path, let version, let known):
      Explanation(
        tried: "open the address cache \(path)", seen: "schema version \(version), this program knows up to \(known)",
        meaning: "A newer program wrote the file; reading it with this one could give wrong answers.",
        next: "Use the newer program, or another cache file.", owner: .caller)
    case .cacheCorrupt(let path, let seen):
      Explanation(
        tried: "read the address cache \(path)", seen: seen,
        meaning: "The file is damaged or no SQLite file; nothing in it is believed.",
        next: "Move it away and fill a new one: everything in it can be read anew from the register.", owner: .host)
    case .cacheRowDamaged(let herID, let seen):
      Explanation(
        tried: "read HER-ID \(herID) from the address cache", seen: seen,
        meaning: "The row is not what was written, and is not used.",
        next: "Read the party anew from the register (that replaces the row), and check the disk.", owner: .host)
    case .cacheFull(let path, let seen):
      Explanation(
        tried: "write to the address cache \(path)", seen: seen,
        meaning: "What could not be written is not there; rows that were saved before it stand, each of them whole.",
        next: "Make room on the disk and check it for errors.", owner: .host)
    case .cacheBusy(let path, let seen):
      Explanation(
        tried: "write to the address cache \(path)", seen: seen,
        meaning: "Another process held the file for longer than this one waits. Nothing was changed.",
        next: "Try again; if it stays so, look for a process that hangs while it holds the file.", owner: .host)
    case .cacheOlder(let path, let version, let known):
      Explanation(
        tried: "open the address cache \(path) for reading", seen: "schema version \(version), this program reads \(known)",
        meaning: "An earlier program wrote the file. Nothing was changed.",
        next: "Let the program that writes it open it once: that brings it up to date.", owner: .caller)
    case .cacheOfOtherEnvironment(let path, let environment, let wanted):
      Explanation(
        tried: "open the address cache \(path) for the environment \(wanted)", seen: "it is of the environment \(environment)",
        meaning: "Its parties are others, with the same numbers. Nothing was read or changed.",
        next: "Name the cache file of \(wanted), or correct the environment in the configuration.", owner: .caller)
    default: nil
    }
  }

  var lookUpExplanation: Explanation? {
    switch self {
    case .partyUnknown(let herID, let asked):
      Explanation(
        tried: "look up HER-ID \(herID)",
        seen: asked ? "the address register (AR) has no such party" : "it is not in the address cache",
        meaning: asked ? "There is no such party." : "Nothing is known of it here; the register was not asked.",
        next: asked ? "Check the number." : "Read it from the register, or add it to the file that is imported.", owner: .caller)
    case .partyNotActive(let herID):
      Explanation(
        tried: "find a queue of HER-ID \(herID)", seen: "the register says the party is not active",
        meaning: "Queues of a deactivated party are closed and later deleted; a message would not be read.",
        next: "Ask the party, or have it activated in the address register (AR).", owner: .party)
    case .addressMissing(let herID, let kind):
      Explanation(
        tried: "find the \(kind.rawValue) queue of HER-ID \(herID)", seen: "its entry has no such address",
        meaning: "The party cannot be reached that way. No address is made up.",
        next: "Have \(kind.registerCode ?? "the address") registered for the party in the address register (AR).", owner: .party)
    case .addressMalformed(let herID, let kind, let text):
      Explanation(
        tried: "find the \(kind.rawValue) queue of HER-ID \(herID)", seen: "\"\(text)\"",
        meaning: "That is no queue address of the form host/path/queue. It is not guessed.",
        next: "Have it corrected in the address register (AR).", owner: .party)
    case .addressAmbiguous(let herID, let kind, let texts):
      Explanation(
        tried: "find the \(kind.rawValue) queue of HER-ID \(herID)",
        seen: "\(texts.count) different addresses: \(texts.joined(separator: ", "))",
        meaning: "Which one holds is not ours to guess.", next: "Have all but one removed in the address register (AR).",
        owner: .party)
    case .addressOnNoBus(let herID, let kind, let address, let configured):
      Explanation(
        tried: "find the bus of the \(kind.rawValue) queue of HER-ID \(herID)", seen: "\(address)",
        meaning:
          "The host \(address.host) belongs to none of the configured buses (\(configured.map(\.text).joined(separator: ", "))).",
        next: "Add the host to the bus it means, or configure the bus.", owner: .caller)
    case .addressOnSeveralBuses(let herID, let kind, let address, let buses):
      Explanation(
        tried: "find the bus of the \(kind.rawValue) queue of HER-ID \(herID)", seen: "\(address)",
        meaning: "The host \(address.host) is configured for several buses: \(buses.map(\.text).joined(separator: ", ")).",
        next: "Let each host name belong to one bus only.", owner: .caller)
    case .kindNotInRegister(let kind):
      Explanation(
        tried: "look up a \(kind.rawValue) queue", seen: "the address register (AR) does not hold queues of that kind",
        meaning: "Its name is in the party's own configuration.", next: "Name the queue in the configuration.", owner: .caller)
    case .otherTransport(let herID, let kind, let codes):
      Explanation(
        tried: "find the \(kind.rawValue) queue of HER-ID \(herID)",
        seen: "no queue address of any kind, but \(codes.map(Self.transport).joined(separator: ", "))",
        meaning: "Its system speaks something else than AMQP 1.0 over the buses. No queue is made up for it.",
        next: "Reach it the way its entry says, or ask the party to have queues registered in the address register (AR).",
        owner: .party)
    case .tooStale(let herID, let age, let limit, let because):
      Explanation(
        tried: "look up HER-ID \(herID)",
        seen: "the cached entry is \(Self.seconds(age)) old, and the register could not be asked: \(because)",
        meaning: "Beyond \(Self.seconds(limit)) an address is not used any more: the party may have moved.",
        next: "Mend the way to the register; the limit is a setting.", owner: .addressRegister)
    default: nil
    }
  }

  var importExplanation: Explanation? {
    switch self {
    case .importUnreadable(let path, let seen):
      Explanation(
        tried: "read the file of parties \(path)", seen: seen, meaning: "Nothing was changed.",
        next: "Check the path and that this user may read it.", owner: .caller)
    case .importNotJSON(let path, let seen):
      Explanation(
        tried: "read the file of parties \(path)", seen: seen, meaning: "It is no JSON array of parties. Nothing was changed.",
        next: "Correct the file.", owner: .caller)
    case .importEntryInvalid(let path, let entry, let herID, let field, let problem):
      Explanation(
        tried: "read entry \(entry)\(herID.map { " (HER-ID \($0))" } ?? "") of \(path)",
        seen: field.isEmpty ? problem : "field \(field): \(problem)",
        meaning: "One bad entry spoils the file: nothing of it was taken in.", next: "Correct the entry and import again.",
        owner: .caller)
    case .importDuplicate(let path, let herID, let entries):
      Explanation(
        tried: "read the file of parties \(path)",
        seen: "HER-ID \(herID) stands in entries \(entries.map(String.init).joined(separator: ", "))",
        meaning: "Which of them holds is not ours to guess; nothing was changed.", next: "Keep one of them.", owner: .caller)
    case .importTableInvalid(let path, let line, let problem):
      Explanation(
        tried: "read the table of parties \(path)", seen: "line \(line): \(problem)",
        meaning: "The table cannot be taken in as it is; nothing was changed.",
        next: "Correct that line; an export shows the form.", owner: .caller)
    default: nil
    }
  }

  private static func transport(_ code: String) -> String { code == "E_EDI" ? "E_EDI (EDI by mail)" : code }

  /// A duration as people read it: whole seconds.
  static func seconds(_ duration: Duration) -> String { "\(duration.components.seconds) s" }
}
