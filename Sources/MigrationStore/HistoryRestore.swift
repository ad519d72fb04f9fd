// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Puts a back-up in the place of a history that is lost.
///
/// What was done after the back-up was made is not in it, and nobody can say what it was: the line is stopped in the restored history, so that
/// a daemon which starts on it carries out nothing before two people have looked and released it. What was there before is moved aside, never
/// removed.
public struct HistoryRestore: Sendable, Hashable {
  public var backup: HistoryBackup
  /// The restored history's end: one event after the back-up's where the line had to be stopped.
  public var head: ChainHead
  /// Where what was there before is now; empty when nothing was.
  public var movedAside: [String]

  private static let belonging = ["", "-wal", "-shm", ".checkpoint"] + HistoryBackup.besides

  /// - Parameters:
  ///   - folder: one back-up.
  ///   - database: where the daemon expects its history. No daemon may be running on it.
  ///   - replacing: give up the events of a readable history that is there and that the back-up does not hold.
  ///   - by: who says so; stands in the history.
  ///   - environment: which world this machine is of; nil: not looked at.
  /// - Throws: ``StoreError`` `backupDamaged`, `ofOtherEnvironment`, `inUse`, `restoreWouldForget`, `backupNotMade`; nothing has changed then.
  public static func restore(
    _ folder: String, to database: String, replacing: Bool, environment: String? = nil, by: String, at now: Instant
  ) async throws -> HistoryRestore {
    let backup = try await HistoryBackup.check(folder, environment: environment)
    let lock = try await offThePool { try ProcessLock(databasePath: database) }
    defer { withExtendedLifetime(lock) {} }
    if !replacing { try await Self.checkForgets(nothingBeyond: backup, at: database) }
    let part = database + ".restoring"
    try await HistoryBackup.inOrder(folder) { try Self.copy(backup, from: folder, to: part) }
    do {
      let head = try await Self.stopTheLine(in: part, backup, by: by, at: now)
      let aside = try await HistoryBackup.inOrder(folder) { try Self.exchange(part, database, at: now) }
      return HistoryRestore(backup: backup, head: head, movedAside: aside)
    } catch {
      _ = try? await offThePool { Self.remove(part) }
      throw error
    }
  }

  /// A history that can be read and has gone on since is not given up by mistake. One that cannot be read has nothing to lose.
  private static func checkForgets(nothingBeyond backup: HistoryBackup, at database: String) async throws {
    guard let there = try? await SQLiteEventReader.open(path: database).load().head, there != .empty else { return }
    guard there != backup.head else { return }
    throw StoreError.restoreWouldForget(path: database, there: there.sequence, restored: backup.head.sequence)
  }

  private static func copy(_ backup: HistoryBackup, from folder: String, to part: String) throws {
    Self.remove(part)
    for file in backup.files {
      let copy = part + file.name.dropFirst(HistoryBackup.databaseName.count)
      let source = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder + "/" + file.name))
      defer { try? source.close() }
      let target = try HistoryBackup.create(copy)
      defer { try? target.close() }
      while let piece = try source.read(upToCount: 1 << 20), !piece.isEmpty { try target.write(contentsOf: piece) }
      try target.synchronize()
    }
  }

  /// In the copy, before it is anybody's history: a daemon that started a moment later would go to work.
  private static func stopTheLine(in part: String, _ backup: HistoryBackup, by: String, at now: Instant) async throws -> ChainHead
  {
    let store = try await SQLiteEventStore.open(path: part, at: now)
    do {
      let history = try await store.load()
      guard history.head == backup.head else {
        throw StoreError.backupDamaged(path: part, seen: "the copy's history ends at event \(history.head.sequence)")
      }
      var head = history.head
      if history.state.stop == nil {
        let why = "restored from the back-up of \(backup.madeAt): what was done since is not in this history"
        head = try await store.append([.lineStopped(by: by, why: why)], at: now, actor: by)
      }
      await store.close()
      return head
    } catch {
      await store.close()
      throw error
    }
  }

  private static func exchange(_ part: String, _ database: String, at now: Instant) throws -> [String] {
    let files = FileManager.default
    let aside = ".replaced-\(HistoryBackup.name(now))"
    var moved: [String] = []
    // The database's own file last out and last in: without it a daemon finds nothing, with it everything.
    for ending in Self.belonging.reversed() where files.fileExists(atPath: database + ending) {
      try files.moveItem(atPath: database + ending, toPath: database + aside + ending)
      moved.append(database + aside + ending)
    }
    for ending in Self.belonging.reversed() where files.fileExists(atPath: part + ending) {
      if ending == "-wal" || ending == "-shm" || ending == ".checkpoint" { continue }
      try files.moveItem(atPath: part + ending, toPath: database + ending)
    }
    Self.remove(part)
    try HistoryBackup.synchronize(URL(fileURLWithPath: database).deletingLastPathComponent().path)
    return moved.reversed()
  }

  private static func remove(_ part: String) {
    for ending in Self.belonging + [".lock"] { try? FileManager.default.removeItem(atPath: part + ending) }
  }
}
