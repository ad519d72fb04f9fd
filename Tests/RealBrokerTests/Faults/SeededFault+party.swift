// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import ForeignPrograms

extension SeededFault {
  /// Steps 10 to 13.
  static let ofParty: [SeededFault] = [
    .init(10, .us, .inputMalformed, "a letter in the number", on: "no bus", sees: "12x") {
      try await FaultStage.registered([], target: "12x")
    },
    .init(10, .us, .inputMalformed, "zero", on: "no bus", sees: "«0»") { try await FaultStage.registered([], target: "0") },
    .init(11, .us, .cacheOld, "the copy is two days old", on: "cache file, no register", sees: "2880 min") {
      try await FaultStage.registered(
        [],
        cache: { cache in
          let now = SystemRegistryClock().now
          let then = RegistryInstant(millisecondsSinceEpoch: now.millisecondsSinceEpoch - 2 * 86_400_000)
          try await cache.save(try FaultStage.record(), source: .file, readAt: then, now: now)
        }, hasRegister: false)
    },
    .init(11, .us, .cacheLacks, "the copy has not the party", on: "cache file, register in memory", sees: "200") {
      try await FaultStage.registered([try FaultStage.record()], cache: { _ in })
    },
    .init(11, .us, .cacheDamaged, "a row of the copy was changed by hand", on: "cache file, register in memory", sees: "AR-107") {
      try await FaultStage.registered(
        [try FaultStage.record()],
        cache: { cache in
          let now = SystemRegistryClock().now
          try await cache.save(try FaultStage.record(), source: .file, readAt: now, now: now)
        }, spoil: { path in try await Self.damage(path) })
    },
    .init(12, .party, .registerUnknown, "nobody has the number", on: "register in memory", sees: "200") {
      try await FaultStage.registered([])
    },
    .init(12, .network, .registerUnreachable, "the register is not there", on: "register that was stopped", sees: "AR-401") {
      try await FaultStage.registered([], isGone: true)
    },
    .init(12, .us, .registerRefused, "a wrong password at the register", on: "register in memory", sees: "AR-404") {
      try await FaultStage.registered([], password: "wrong")
    },
    .init(
      12, .us, .registerDiffers, "the party has moved, the copy has not", on: "cache file, register in memory", sees: "sb.test"
    ) {
      try await FaultStage.registered(
        [try FaultStage.record()],
        cache: { cache in
          let now = SystemRegistryClock().now
          let old = try FaultStage.record(addresses: [("E_SB_ASYNC", "sb.test/NHN/200_async")])
          try await cache.save(old, source: .file, readAt: now, now: now)
        })
    },
    .init(
      13, .nhn, .halfMoved, "asynchronous queue moved, synchronous not", on: "register in memory", sees: "async på tjenestebuss"
    ) {
      try await FaultStage.registered([
        try FaultStage.record(addresses: [("E_SB_ASYNC", "tb.test/NHN/200_async"), ("E_SB_SYNC", "sb.test/NHN/200_sync")])
      ])
    },
    .init(13, .party, .partyInactive, "the party is inactive", on: "register in memory", sees: "200") {
      try await FaultStage.registered([try FaultStage.record(active: false)])
    },
    .init(13, .party, .addressMissing, "no asynchronous queue", on: "register in memory", sees: "async") {
      try await FaultStage.registered([try FaultStage.record(addresses: [("E_SB_SYNC", "tb.test/NHN/200_sync")])])
    },
    .init(
      13, .us, .addressOnNoBus, "the address's host is on no configured bus", on: "register in memory", sees: "elsewhere.test"
    ) {
      try await FaultStage.registered([try FaultStage.record(addresses: [("E_SB_ASYNC", "elsewhere.test/NHN/200_async")])])
    },
  ]

  /// Changes the party's name in the file, behind the back of the row's hash.
  private static func damage(_ path: String) async throws {
    let program = """
      import sqlite3, sys
      file = sqlite3.connect(sys.argv[1])
      content, = file.execute("SELECT content FROM party").fetchone()
      changed = content.replace(b"Legekontoret", b"Legevaktenes")
      assert changed != content, "the name does not stand in the row"
      file.execute("UPDATE party SET content = ?", (changed,))
      file.commit()
      """
    let run = try await ForeignProgram.run("/usr/bin/python3", ["-c", program, path])
    struct Unchanged: Error { let words: String }
    guard run.exitCode == 0 else { throw Unchanged(words: run.errors) }
  }
}
