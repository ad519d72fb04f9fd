// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Migration

/// Why a checkpoint is not used. None of it is an error: the history is there, and is folded from its first event.
enum CheckpointFault: Error, Hashable {
  case absent
  case unreadable(String)
  case otherForm(String)
  case otherFold(found: String, known: String)
  case damaged(String)
  case otherHistory(String)

  /// Nil where there is none, which is nothing to tell.
  var words: String? {
    switch self {
    case .absent: nil
    case .unreadable(let seen): "it cannot be read: \(seen)"
    case .otherForm(let seen): "it is of a form that this program does not know: \(seen)"
    case .otherFold(let found, let known): "another version of the program folded it (fold \(found), here \(known))"
    case .damaged(let seen): "it is damaged: \(seen)"
    case .otherHistory(let seen): "it belongs to another history: \(seen)"
    }
  }
}

/// What a history folded to up to one event, in a file beside the database, so that a start need not read millions of events. A cache:
/// it can be deleted at any time.
///
/// 512 bytes of text (versions, the event's number and hash, the body's length and hash, and a hash over these lines), then the state's
/// records, each with its length before it. It is not in the database: writing it does not keep an event waiting, an older program is
/// not bothered by it, and whoever restores a database without it loses nothing.
struct Checkpoint {
  /// The file's own form. What the records hold is ``MigrationState/foldVersion``.
  static let form = 1
  static let headerLength = 512
  private static let title = "bus-migrator checkpoint"
  /// How events were folded, and the newest form of events that the program knew: one that knows fewer must come upon what it does not
  /// know, and stop, as it would without a checkpoint (I-16).
  static let fold = "\(MigrationState.foldVersion).\(MigrationEvent.version)"

  let path: String
  let head: ChainHead
  private let file: FileHandle
  private let length: Int
  private let bodyHash: String

  static func path(besideDatabase path: String) -> String { path + ".checkpoint" }

  // MARK: reading

  /// Reads and checks the header. What stands in the body is looked at by ``state()``.
  static func open(besideDatabase database: String) -> Result<Checkpoint, CheckpointFault> {
    let path = Self.path(besideDatabase: database)
    guard FileManager.default.fileExists(atPath: path) else { return .failure(.absent) }
    guard let file = FileHandle(forReadingAtPath: path) else { return .failure(.unreadable("it cannot be opened")) }
    do {
      let header = try file.read(upToCount: Self.headerLength) ?? Data()
      let length = Int(try file.seekToEnd()) - Self.headerLength
      return Result { () throws(CheckpointFault) in try Checkpoint(path: path, header: header, length: length, file: file) }
    } catch { return .failure(.unreadable("\(error)")) }
  }

  private init(path: String, header: Data, length: Int, file: FileHandle) throws(CheckpointFault) {
    guard header.count == Self.headerLength, let text = String(validating: header, as: UTF8.self) else {
      throw .damaged("its beginning is cut off, or no text")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.first == Self.title else { throw .damaged("it does not begin as one does") }
    func value(_ index: Int, _ name: String) throws(CheckpointFault) -> String {
      guard index < lines.count, lines[index].hasPrefix(name + " ") else { throw .damaged("no \(name) in its beginning") }
      return String(lines[index].dropFirst(name.count + 1))
    }
    let form = try value(1, "form")
    guard form == "\(Self.form)" else { throw .otherForm("form \(form.prefix(20))") }
    let (fold, events, hash) = (try value(2, "fold"), try value(3, "event"), try value(4, "hash"))
    let (bytes, body, seal) = (try value(5, "bytes"), try value(6, "body"), try value(7, "seal"))
    guard seal == Self.hex(lines[..<7].joined(separator: "\n")) else { throw .damaged("its beginning is not as it was written") }
    guard let sequence = Int64(events), sequence > 0, let bytes = Int(bytes) else {
      throw .damaged("a number in its beginning is none")
    }
    guard fold == Self.fold else { throw .otherFold(found: String(fold.prefix(20)), known: Self.fold) }
    guard bytes == length else { throw .damaged("\(length) bytes of \(bytes)") }
    self.path = path
    self.head = ChainHead(sequence: sequence, hash: hash)
    self.file = file
    self.length = length
    self.bodyHash = body
  }

  /// The state. All of the body is hashed before any of it is believed.
  func state() throws(CheckpointFault) -> MigrationState {
    do {
      try self.rewind()
      var hash = SHA256()
      var left = self.length
      while left > 0 {
        let read = try autoreleased { try self.file.read(upToCount: min(left, 1 << 18)) ?? Data() }
        guard !read.isEmpty else { throw CheckpointFault.damaged("its end is cut off") }
        hash.update(data: read)
        left -= read.count
      }
      guard CanonicalJSON.hex(hash.finalize()) == self.bodyHash else {
        throw CheckpointFault.damaged("it is not as it was written")
      }
      try self.rewind()
      var records = RecordSource(file: self.file, left: self.length)
      let state = try MigrationState(from: &records)
      guard records.isAtEnd else { throw CheckpointFault.damaged("more stands in it than a state") }
      return state
    } catch let fault as CheckpointFault { throw fault } catch let fault as PackedFault {
      throw .damaged("a record is \(fault)")
    } catch { throw .damaged(String("\(error)".prefix(200))) }
  }

  func reading() -> Result<MigrationState, CheckpointFault> {
    Result { () throws(CheckpointFault) in try self.state() }
  }

  private func rewind() throws { try self.file.seek(toOffset: UInt64(Self.headerLength)) }

  // MARK: writing

  /// Writes a new one and puts it in the old one's place when all of it is on the disk. Where the machine stops before that, the old one
  /// is still there.
  ///
  /// - Parameters:
  ///   - stop: ends it between two records; what was written is removed.
  ///   - room: what the disk has left.
  /// - Throws: ``DiskRoom/Missing`` where the new one, as large as the old one and a quarter, would take what the history needs;
  ///   `CancellationError` when it was stopped.
  static func write(
    _ state: MigrationState, at head: ChainHead, besideDatabase database: String, stop: WriteStop = WriteStop(),
    room: (String) -> Int64? = DiskRoom.free(besides:)
  ) throws {
    let path = Self.path(besideDatabase: database)
    let new = path + ".new"
    try? FileManager.default.removeItem(atPath: new)
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    let before = (attributes?[.size] as? NSNumber)?.int64Value ?? 0
    try DiskRoom.check(before + before / 4, free: room(path))
    guard FileManager.default.createFile(atPath: new, contents: nil, attributes: [.posixPermissions: 0o600]) else {
      throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: new])
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: new))
    defer { try? file.close() }
    do {
      try file.seek(toOffset: UInt64(Self.headerLength))
      let (length, body) = try withoutActuallyEscaping(room) { room in
        var records = RecordSink(file: file, stop: stop, room: { room(new) })
        try state.write(to: &records)
        return try records.end()
      }
      try file.seek(toOffset: 0)
      try file.write(contentsOf: Self.header(head, length: length, body: body))
      try file.synchronize()
      guard rename(new, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    } catch {
      try? FileManager.default.removeItem(atPath: new)
      throw error
    }
  }

  static func header(_ head: ChainHead, form: Int = Self.form, fold: String = Self.fold, length: Int, body: String)
    -> Data
  {
    var text = """
      \(Self.title)
      form \(form)
      fold \(fold)
      event \(head.sequence)
      hash \(head.hash)
      bytes \(length)
      body \(body)
      """
    text += "\nseal \(Self.hex(text))\n"
    return Data((text + String(repeating: " ", count: max(0, Self.headerLength - text.utf8.count))).utf8)
  }

  private static func hex(_ text: String) -> String { CanonicalJSON.hex(SHA256.hash(data: Data(text.utf8))) }
}

/// Foundation on other systems hands out what is let go with the pool only.
private func autoreleased<Value>(_ body: () throws -> Value) rethrows -> Value {
  #if canImport(Darwin)
    return try autoreleasepool(invoking: body)
  #else
    return try body()
  #endif
}
