// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import GRDB
import Migration
import MigrationSimulation
import Testing

@testable import MigrationStore

/// A checkpoint is a cache of the fold: whatever becomes of it, the state is that of the history.
@Suite("Checkpoints of the history")
struct CheckpointTests {
  let folder: Folder
  let now = Instant(milliseconds: 1_770_000_000_000)

  init() throws { self.folder = try Folder() }

  var file: String { self.folder.database + ".checkpoint" }

  /// Whole histories of stormy seeds: roll-backs, conflicts, hooks, gates, waves, restarts.
  static func history(_ seed: UInt64) async throws -> [(event: MigrationEvent, at: Instant)] {
    await Task.yield()
    var settings = SimulationSettings()
    settings.groups = 4
    settings.senders = 10
    let simulation = try #require(Simulation(seed: seed, settings: settings))
    _ = simulation.run()
    return simulation.durable
  }

  static func fold(_ history: some Sequence<(event: MigrationEvent, at: Instant)>) -> MigrationState {
    history.reduce(into: MigrationState()) { _ = $0.apply($1.event, at: $1.at) }
  }

  /// A store with the history in it, and with a checkpoint at every `interval` events.
  func store(_ history: [(event: MigrationEvent, at: Instant)], interval: Int) async throws -> SQLiteEventStore {
    let store = try await SQLiteEventStore.open(path: self.folder.database, at: self.now)
    var state = try await store.load().state
    // What happened in the same moment is kept in one go.
    var begin = 0
    while begin < history.count {
      let at = history[begin].at
      var end = begin + 1
      while end < history.count, end % interval != 0, history[end].at == at { end += 1 }
      let events = history[begin..<end].map(\.event)
      let head = try await store.append(events, at: at, actor: "test")
      for event in events { _ = state.apply(event, at: at) }
      if end % interval == 0 { try await store.keepCheckpoint(state, at: head) }
      begin = end
    }
    return store
  }

  func loaded() async throws -> LoadedHistory { try await SQLiteEventReader.open(path: self.folder.database).load() }

  @Test(
    "a state that is written as records and read again is the same, at every place of random histories",
    arguments: [1, 5, 8, 11] as [UInt64])
  func records(seed: UInt64) async throws {
    let history = try await Self.history(seed)
    var random = SplitMix(state: seed)
    var cuts = Set((0..<12).map { _ in Int(random.next() % UInt64(history.count)) })
    cuts.insert(history.count - 1)
    var state = MigrationState()
    var resumed: [MigrationState] = []
    for (index, (event, at)) in history.enumerated() {
      _ = state.apply(event, at: at)
      for place in resumed.indices { _ = resumed[place].apply(event, at: at) }
      guard cuts.contains(index) else { continue }
      await Task.yield()
      try Checkpoint.write(
        state, at: ChainHead(sequence: Int64(index + 1), hash: ChainHead.empty.hash), besideDatabase: self.folder.database)
      let read = try Checkpoint.open(besideDatabase: self.folder.database).get().state()
      #expect(read == state)
      resumed.append(read)
    }
    // Whoever went on from a checkpoint comes to the same end.
    for other in resumed { #expect(other == state) }
    #expect(state.ordered.first?.groups.contains { $0.drain.looks > 0 } == true)
  }

  @Test("a start begins at the checkpoint and gives what a start without it gives; a reader beside the daemon does so too")
  func start() async throws {
    let history = try await Self.history(7).prefix(200)
    let store = try await self.store(Array(history), interval: 90)
    let expected = Self.fold(history)
    #expect(try await self.loaded().checkpoint == .used(upTo: 180))
    let again = try await store.load()
    #expect(again.checkpoint == .used(upTo: 180))
    #expect(again.state == expected)
    #expect(again.head.sequence == Int64(history.count))
    // What is appended after it hangs on the same chain.
    let head = try await store.append([.daemonStarted], at: self.now, actor: "test")
    await store.close()
    try FileManager.default.removeItem(atPath: self.file)
    let without = try await self.loaded()
    #expect(without.checkpoint == .none)
    #expect(without.head == head)
    var state = expected
    _ = state.apply(.daemonStarted, at: self.now)
    #expect(without.state == state)
  }

  @Test("nobody but its owner may read it, and none is left half written")
  func rights() async throws {
    let store = try await self.store([(.daemonStarted, self.now)], interval: 1)
    let mode = try FileManager.default.attributesOfItem(atPath: self.file)[.posixPermissions] as? NSNumber
    #expect(mode?.intValue == 0o600)
    #expect(!FileManager.default.fileExists(atPath: self.file + ".new"))
    await store.close()
    // The writer that let go writes none.
    await #expect(throws: StoreError.closed(path: self.folder.database)) {
      try await store.keepCheckpoint(MigrationState(), at: ChainHead(sequence: 1, hash: "x"))
    }
  }

  @Test("a checkpoint of events that are not in the history is refused")
  func notDurable() async throws {
    let store = try await self.store([(.daemonStarted, self.now)], interval: 10)
    let head = try await store.load().head
    for (sequence, hash, seen) in [
      (2, head.hash, "it belongs to another history: the history has no event 2"),
      (1, ChainHead.empty.hash, "it belongs to another history: event 1 is another one"),
    ] as [(Int64, String, String)] {
      await #expect(throws: StoreError.checkpointNotWritten(path: self.folder.database, seen: seen)) {
        try await store.keepCheckpoint(MigrationState(), at: ChainHead(sequence: sequence, hash: hash))
      }
    }
    await store.close()
  }

  @Test(
    "one is not begun where the old one's length, a quarter, and what the history needs are not free, and ended where it runs out"
  )
  func room() async throws {
    let store = try await self.store([(.daemonStarted, self.now), (.daemonStarted, self.now)], interval: 2)
    let history = try await store.load()
    await store.close()
    let size = try #require(try FileManager.default.attributesOfItem(atPath: self.file)[.size] as? NSNumber).int64Value
    let needed = size + size / 4 + DiskRoom.reserve
    #expect(throws: DiskRoom.Missing(free: needed - 1, needed: needed)) {
      try Checkpoint.write(history.state, at: history.head, besideDatabase: self.folder.database) { _ in needed - 1 }
    }
    try Checkpoint.write(history.state, at: history.head, besideDatabase: self.folder.database) { _ in needed }
    try Checkpoint.write(history.state, at: history.head, besideDatabase: self.folder.database) { _ in nil }
    // A first one has no length to go by: it is ended when the disk runs out.
    try FileManager.default.removeItem(atPath: self.file)
    var state = history.state
    var record = CommandRecord(
      by: ["Kari"], giver: .token(name: "kari"), role: "operator", verb: "pause", pulje: PuljeName("p"), herIDs: [],
      reason: String(repeating: "x", count: 5 << 20), planHash: nil, key: "k", fingerprint: "f")
    record.kinds = ["pulje.paused"]
    record.status = String(repeating: "x", count: 5 << 20)
    _ = state.apply(.commanded(record: record), at: self.now)
    var left = needed
    #expect(throws: DiskRoom.Missing.self) {
      try Checkpoint.write(state, at: history.head, besideDatabase: self.folder.database) { _ in
        defer { left = DiskRoom.reserve - 1 }
        return left
      }
    }
    #expect(!FileManager.default.fileExists(atPath: self.file) && !FileManager.default.fileExists(atPath: self.file + ".new"))
    #expect(try #require(DiskRoom.free(besides: self.file)) > 0 && DiskRoom.free(besides: "/nowhere/at/all") == nil)
  }

  @Test("a stop ends one that is being written, and nothing is left of it; the one before is still used")
  func stopped() async throws {
    let store = try await self.store([(.daemonStarted, self.now), (.daemonStarted, self.now)], interval: 2)
    let history = try await store.load()
    let before = try Data(contentsOf: URL(fileURLWithPath: self.file))
    let stop = WriteStop()
    stop.ask()
    #expect(throws: CancellationError.self) {
      try Checkpoint.write(history.state, at: history.head, besideDatabase: self.folder.database, stop: stop)
    }
    let head = try await store.append([.daemonStarted], at: self.now, actor: "test")
    let state = try await store.load().state
    let writing = Task { try await store.keepCheckpoint(state, at: head) }
    writing.cancel()
    await #expect(throws: CancellationError.self) { try await writing.value }
    #expect(try Data(contentsOf: URL(fileURLWithPath: self.file)) == before)
    #expect(!FileManager.default.fileExists(atPath: self.file + ".new"))
    await store.close()
  }

  @Test("one that cannot be written is an error with words, and the one before is still used")
  func notWritten() async throws {
    let store = try await self.store([(.daemonStarted, self.now), (.daemonStarted, self.now)], interval: 2)
    let history = try await store.load()
    // A folder that is not empty stands where the new one is to go.
    try FileManager.default.moveItem(atPath: self.file, toPath: self.file + ".kept")
    try FileManager.default.createDirectory(atPath: self.file + "/in-the-way", withIntermediateDirectories: true)
    do {
      try await store.keepCheckpoint(history.state, at: history.head)
      Issue.record("written")
    } catch let error as StoreError { #expect(error.stableCode == "STORE-017") }
    #expect(!FileManager.default.fileExists(atPath: self.file + ".new"))
    // What lies there is no checkpoint either.
    #expect(try await self.loaded().state == history.state)
    try FileManager.default.removeItem(atPath: self.file)
    try FileManager.default.moveItem(atPath: self.file + ".kept", toPath: self.file)
    #expect(try await self.loaded().checkpoint == .used(upTo: 2))
    await store.close()
  }

  @Test("damaged anywhere, cut off anywhere, it is either not used, or gives the very same state")
  func damaged() async throws {
    let history = Array(try await Self.history(7).prefix(130))
    let store = try await self.store(history, interval: 120)
    await store.close()
    let expected = Self.fold(history)
    let whole = try Data(contentsOf: URL(fileURLWithPath: self.file))
    var random = SplitMix(state: 4)
    var ignored = 0
    for round in 0..<120 {
      await Task.yield()
      var bytes = whole
      switch round % 4 {
      case 0: bytes[Int(random.next() % UInt64(whole.count))] ^= UInt8(1 << (random.next() % 8))
      case 1: bytes[Int(random.next() % 512)] ^= UInt8(1 << (random.next() % 8))
      case 2: bytes = whole.prefix(Int(random.next() % UInt64(whole.count)))
      default:
        let place = Int(random.next() % UInt64(whole.count - 40))
        bytes.replaceSubrange(place..<place + 40, with: (0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      }
      try bytes.write(to: URL(fileURLWithPath: self.file))
      let loaded = try await self.loaded()
      #expect(loaded.state == expected)
      #expect(loaded.head.sequence == Int64(history.count))
      if case .ignored(let words) = loaded.checkpoint {
        ignored += 1
        #expect(!words.isEmpty)
      }
    }
    // What is left are blanks behind the beginning's last line.
    #expect(ignored >= 90)
  }

  @Test("records that are nonsense end in an error, whatever the hashes say")
  func nonsense() async throws {
    var random = SplitMix(state: 9)
    for length in 0..<300 {
      if length % 50 == 0 { await Task.yield() }
      let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next() % 12) }
      let state = try? PackedReader().value(GroupState.self, of: bytes)
      #expect(state == nil)
    }
  }

  @Test("one of another history, or beyond the history's end, is not used")
  func foreign() async throws {
    let history = Array(try await Self.history(7).prefix(60))
    let store = try await self.store(history, interval: 50)
    await store.close()
    let foreign = try Data(contentsOf: URL(fileURLWithPath: self.file))
    for ending in ["", "-wal", "-shm", ".lock", ".checkpoint"] {
      try? FileManager.default.removeItem(atPath: self.folder.database + ending)
    }
    // The same events a second later: another chain.
    let other = history.map { (event: $0.event, at: $0.at + .seconds(1)) }
    let second = try await self.store(other, interval: 1_000)
    try foreign.write(to: URL(fileURLWithPath: self.file))
    let loaded = try await second.load()
    #expect(loaded.checkpoint == .ignored("it belongs to another history: event 50 is another one"))
    #expect(loaded.state == Self.fold(other))
    await second.close()
    // An older copy of the database was put back, and the checkpoint left where it was.
    for ending in ["", "-wal", "-shm", ".lock"] { try? FileManager.default.removeItem(atPath: self.folder.database + ending) }
    let shorter = try await self.store(Array(history.prefix(20)), interval: 1_000)
    #expect(try await shorter.load().checkpoint == .ignored("it belongs to another history: the history has no event 50"))
    await shorter.close()
  }

  @Test(
    "one by another version of the fold or of the file is not used, nor one by a program that knew other events",
    arguments: [
      (1, "0.\(MigrationEvent.version)"), (1, "99.\(MigrationEvent.version)"), (1, "\(MigrationState.foldVersion)"),
      (1, "\(MigrationState.foldVersion).\(MigrationEvent.version + 1)"),
      (1, "\(MigrationState.foldVersion).\(MigrationEvent.version - 1)"), (0, Checkpoint.fold), (2, Checkpoint.fold),
    ])
  func versions(form: Int, fold: String) async throws {
    let history = Array(try await Self.history(7).prefix(60))
    let store = try await self.store(history, interval: 50)
    let whole = try Data(contentsOf: URL(fileURLWithPath: self.file))
    let opened = try Checkpoint.open(besideDatabase: self.folder.database).get()
    let lines = try #require(String(validating: whole.prefix(512), as: UTF8.self)).split(separator: "\n")
    let body = try #require(lines.first { $0.hasPrefix("body ") }).dropFirst(5)
    let header = Checkpoint.header(opened.head, form: form, fold: fold, length: whole.count - 512, body: String(body))
    try (header + whole.dropFirst(512)).write(to: URL(fileURLWithPath: self.file))
    let loaded = try await store.load()
    guard case .ignored(let words) = loaded.checkpoint else {
      Issue.record("used")
      return
    }
    #expect(words.contains(form == Checkpoint.form ? "another version of the program folded it (fold \(fold), " : "form \(form)"))
    #expect(loaded.state == Self.fold(history))
    await store.close()
  }

  @Test(
    "an event that was changed behind the checkpoint stops the start, one before it the audit; the checkpoint's own ends its use")
  func changedRows() async throws {
    let history = Array(try await Self.history(7).prefix(60))
    let store = try await self.store(history, interval: 50)
    await store.close()
    func change(_ sequence: Int) throws {
      let queue = try DatabaseQueue(path: self.folder.database)
      try queue.writeWithoutTransaction { database in
        try database.execute(sql: "DROP TRIGGER IF EXISTS event_is_never_changed")
        try database.execute(sql: "UPDATE event SET actor = actor || 'x' WHERE sequence = ?", arguments: [sequence])
      }
      try queue.close()
    }
    try change(10)
    #expect(try await self.loaded().checkpoint == .used(upTo: 50))
    let reader = try await SQLiteEventReader.open(path: self.folder.database)
    await #expect(throws: StoreError.self) { _ = try await reader.verify() }
    try change(55)
    await #expect(throws: StoreError.self) { _ = try await self.loaded() }
    // The event that it is bound to: the fold begins at the first, and meets the damage.
    try change(50)
    await #expect(throws: StoreError.self) { _ = try await self.loaded() }
  }

  @Test("an audit walks all of the chain, and finds a checkpoint out that is not what the history folds to")
  func audit() async throws {
    let history = Array(try await Self.history(7).prefix(60))
    let store = try await self.store(history, interval: 50)
    let reader = try await SQLiteEventReader.open(path: self.folder.database)
    let audit = try await reader.verify()
    #expect(audit.checkpoint == 50 && audit.checkpointIgnored == nil)
    // Sealed as it should be, by somebody who can write there, or by a program with a fault in it.
    var forged = Self.fold(history.prefix(50))
    _ = forged.apply(.lineStopped(by: "Kari", why: "never happened"), at: self.now)
    let head = try Checkpoint.open(besideDatabase: self.folder.database).get().head
    try Checkpoint.write(forged, at: head, besideDatabase: self.folder.database)
    await #expect(throws: StoreError.checkpointDiffers(path: self.file, sequence: 50)) { _ = try await reader.verify() }
    // A history that is not the one whose head was kept elsewhere is the greater harm: it does not hide behind the checkpoint.
    let elsewhere = ChainHead(sequence: 60, hash: String(repeating: "a", count: 64))
    do {
      _ = try await reader.verify(heads: [elsewhere])
      Issue.record("nothing was found")
    } catch let error as StoreError { #expect(error.stableCode == "STORE-014") }
    try Data("nonsense".utf8).write(to: URL(fileURLWithPath: self.file))
    let third = try await reader.verify()
    #expect(third.checkpoint == nil && third.checkpointIgnored?.contains("damaged") == true)
    await store.close()
  }

  @Test("two spellings of one letter stay what they were: the register's hashes tell them apart")
  func spellings() throws {
    let texts = ["R\u{E5}dgiver", "Ra\u{30A}dgiver", "R\u{E5}dgiver"]
    var bytes: [UInt8] = []
    let writer = PackedWriter()
    try writer.record(texts) { bytes = $0 }
    let read = try PackedReader().value([String].self, of: bytes)
    #expect(read.map { Array($0.utf8) } == texts.map { Array($0.utf8) })
  }

  @Test("the packed form keeps what JSON keeps: every event of a history, and numbers at their ends")
  func packed() async throws {
    let writer = PackedWriter()
    let reader = PackedReader()
    for (index, (event, _)) in try await Self.history(2).enumerated() {
      if index % 100 == 0 { await Task.yield() }
      var read: MigrationEvent?
      try writer.record(event) { read = try reader.value(MigrationEvent.self, of: $0) }
      #expect(read == event)
    }
    struct Numbers: Codable, Equatable {
      var low = Int64.min
      var high = Int64.max
      var none: Int?
      var double = -1.5
      var float: Float = 0.25
      var small = UInt8.max
      var isTrue = true
      var list: [Int?] = [1, nil, 3]
      var nested = [["a": [1]], [:], ["b": []]]
    }
    var numbers: Numbers?
    try writer.record(Numbers()) { numbers = try reader.value(Numbers.self, of: $0) }
    #expect(numbers == Numbers())
    #expect(throws: EncodingError.self) { try writer.record(UInt64.max) { _ in } }
  }

  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      self.state &+= 0x9E37_79B9_7F4A_7C15
      var value = self.state
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return value ^ (value >> 31)
    }
  }
}
