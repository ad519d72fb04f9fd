// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import GRDB
import Migration

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A copy of the history in a folder of its own, made beside a daemon that may be writing, and proven before it is called one.
///
/// The folder holds `migration.sqlite`, the forwarder's journal and the chain heads where there are any, and `backup.json`, which says what
/// each of them must be. A folder of that name is whole: it is made under another one, and renamed last.
public struct HistoryBackup: Sendable, Hashable, Codable {
  /// One file of it.
  public struct File: Sendable, Hashable, Codable {
    public var name: String
    public var bytes: Int64
    public var sha256: String
  }

  public var schema = "bus-migrator/backup/1"
  public var madeAt: Instant
  /// Which world the history in it is of; nil where nobody had said so yet.
  public var environment: String?
  public var head: ChainHead
  public var files: [File]

  static let record = "backup.json"
  static let databaseName = "migration.sqlite"
  /// What lies beside the database and belongs to it, by its ending. The checkpoint does not: it can be made from the history.
  static let besides = [".forwarding", ".heads"]

  // MARK: making

  /// Makes a copy of the history at `database`.
  ///
  /// The copy is audited from its first event on, and must go through every chain head that was kept before it was begun. Nothing is left of one
  /// that fails.
  ///
  /// - Parameters:
  ///   - folder: where back-ups are kept; made when it is not there, for this user only.
  ///   - heads: the file of chain heads, where it does not lie beside the database.
  ///   - keep: so many of the newest stay, this one among them; older ones are removed after it is whole. Nil keeps all.
  /// - Returns: its folder, and what it is.
  /// - Throws: ``StoreError`` `backupNotMade`, or what is wrong with the history.
  public static func make(
    of database: String, in folder: String, heads: String? = nil, keep: Int? = nil, at now: Instant
  ) async throws -> (path: String, backup: HistoryBackup) {
    let place = folder + "/" + Self.name(now)
    let part = folder + "/." + Self.name(now) + ".part"
    let reader = try await SQLiteEventReader.open(path: database)
    do {
      try await Self.inOrder(folder) {
        try? FileManager.default.removeItem(atPath: part)
        try FileManager.default.createDirectory(
          atPath: part, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard !FileManager.default.fileExists(atPath: place) else { throw Unfit(seen: "\(place) is there already") }
        // Heads first: what was kept outside before the copy was begun must be in it.
        try Self.copyBesides(database, heads: heads, to: part)
      }
      try await reader.copy(to: part + "/" + Self.databaseName)
      let backup = try await Self.prove(part, at: now)
      try await Self.inOrder(folder) {
        try Self.write(JSONEncoder.sorted.encode(backup), to: part + "/" + Self.record)
        for file in backup.files { try Self.synchronize(part + "/" + file.name) }
        try Self.synchronize(part)
        try FileManager.default.moveItem(atPath: part, toPath: place)
        try Self.synchronize(folder)
        if let keep { try Self.removeOld(in: folder, keep: max(1, keep)) }
      }
      return (place, backup)
    } catch {
      _ = try? await offThePool { try? FileManager.default.removeItem(atPath: part) }
      throw error
    }
  }

  /// Sorts as time does, and has no colon, which some file systems refuse.
  static func name(_ now: Instant) -> String { "\(now)".replacingOccurrences(of: ":", with: "") }

  private static func copyBesides(_ database: String, heads: String?, to folder: String) throws {
    for ending in Self.besides {
      let source = ending == ".heads" ? heads ?? database + ending : database + ending
      // Read through one descriptor: a journal that is written anew meanwhile is another file by then, and this one stays as it is.
      guard let file = FileHandle(forReadingAtPath: source) else { continue }
      defer { try? file.close() }
      let copy = try Self.create(folder + "/" + Self.databaseName + ending)
      defer { try? copy.close() }
      while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { try copy.write(contentsOf: piece) }
    }
  }

  /// The whole audit, and what each file is.
  private static func prove(_ folder: String, at now: Instant) async throws -> HistoryBackup {
    let path = folder + "/" + Self.databaseName
    let kept = path + ".heads"
    let heads = FileManager.default.fileExists(atPath: kept) ? try await HeadLine.heads(inFile: kept) : []
    let audit = try await SQLiteEventReader.open(path: path).verify(heads: heads)
    let files = try await Self.inOrder(folder) {
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter { $0.hasPrefix(Self.databaseName) }
        .map { try Self.file($0, in: folder) }
    }
    return HistoryBackup(madeAt: now, environment: audit.environment, head: audit.head, files: files)
  }

  private static func removeOld(in folder: String, keep: Int) throws {
    // Only what is a whole back-up by its record: whatever else a person keeps there stays.
    let whole = try FileManager.default.contentsOfDirectory(atPath: folder).filter { name in
      !name.hasPrefix(".") && FileManager.default.fileExists(atPath: "\(folder)/\(name)/\(Self.record)")
    }
    for name in whole.sorted().dropLast(keep) { try FileManager.default.removeItem(atPath: folder + "/" + name) }
  }

  // MARK: checking

  /// Reads a back-up's record, checks every file against it, and audits the history in it.
  ///
  /// - Parameter environment: which world it is wanted for; nil: any.
  /// - Throws: ``StoreError`` `backupDamaged`, `ofOtherEnvironment`, or what is wrong with the history.
  public static func check(_ folder: String, environment: String? = nil) async throws -> HistoryBackup {
    let backup = try await offThePool {
      guard let data = FileManager.default.contents(atPath: folder + "/" + Self.record),
        let backup = try? JSONDecoder().decode(HistoryBackup.self, from: data), backup.schema == "bus-migrator/backup/1"
      else { throw StoreError.backupDamaged(path: folder, seen: "\(Self.record) is not there, or cannot be read") }
      guard backup.files.contains(where: { $0.name == Self.databaseName }) else {
        throw StoreError.backupDamaged(path: folder, seen: "it names no \(Self.databaseName)")
      }
      for file in backup.files {
        // A name leads nowhere else.
        guard file.name.hasPrefix(Self.databaseName), !file.name.contains("/") else {
          throw StoreError.backupDamaged(path: folder, seen: "it names a file that is none of a back-up's")
        }
        guard let found = try? Self.file(file.name, in: folder) else {
          throw StoreError.backupDamaged(path: folder, seen: "\(file.name) is missing or cannot be read")
        }
        guard found == file else {
          throw StoreError.backupDamaged(
            path: folder, seen: "\(file.name) is not what it was: \(found.bytes) bytes of \(file.bytes)")
        }
      }
      return backup
    }
    let audit = try await SQLiteEventReader.open(path: folder + "/" + Self.databaseName).verify()
    guard audit.head == backup.head else {
      throw StoreError.backupDamaged(
        path: folder, seen: "its history ends at event \(audit.head.sequence), not \(backup.head.sequence)")
    }
    guard audit.environment == backup.environment else {
      throw StoreError.backupDamaged(path: folder, seen: "its record and its history name different environments")
    }
    if let environment, let theirs = backup.environment, theirs != environment {
      throw StoreError.ofOtherEnvironment(path: folder, environment: theirs, wanted: environment)
    }
    return backup
  }

  // MARK: files

  /// What is wrong with the folder that back-ups are kept in.
  private struct Unfit: Error { var seen: String }

  static func inOrder<Result: Sendable>(
    _ folder: String, _ work: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    do { return try await offThePool(work) } catch let error as StoreError { throw error } catch {
      let seen = (error as? Unfit)?.seen ?? String("\((error as NSError).localizedDescription)".prefix(200))
      throw StoreError.backupNotMade(path: folder, seen: seen)
    }
  }

  private static func file(_ name: String, in folder: String) throws -> File {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder + "/" + name))
    defer { try? file.close() }
    var hash = SHA256()
    var bytes: Int64 = 0
    while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
      hash.update(data: piece)
      bytes += Int64(piece.count)
    }
    return File(name: name, bytes: bytes, sha256: hash.finalize().map { String(format: "%02x", $0) }.joined())
  }

  static func create(_ path: String) throws -> FileHandle {
    guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
      throw CocoaError(.fileWriteUnknown)
    }
    return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  }

  private static func write(_ data: Data, to path: String) throws {
    let file = try Self.create(path)
    defer { try? file.close() }
    try file.write(contentsOf: data)
    try file.synchronize()
  }

  /// A file, or a folder: of what names it holds.
  static func synchronize(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw CocoaError(.fileWriteUnknown) }
  }
}

extension JSONEncoder {
  fileprivate static var sorted: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
