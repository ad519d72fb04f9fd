// SPDX-License-Identifier: Apache-2.0

import AMQP
import NIOConcurrencyHelpers
import NIOPosix

/// What a forwarder knows across crashes: which messages it was about to send, which the target has, which it set aside, and which
/// may have arrived twice.
///
/// One append-only file of checksummed batches, for any number of queues and one process. What must be on the disk before a message
/// leaves is synced there by a thread of its own, together for all that wait. No content of messages is in it: ids, fingerprints, times.
public final class ForwardingJournal: Sendable {
  private typealias Told = @Sendable (ForwardingError?) -> Void

  private struct State {
    var memory: JournalMemory
    var pending: [UInt8] = []
    var told: [Told] = []
    var isWriting = false
    /// Something could not be written or synced: what the file holds is doubtful, and a new one takes its place once there is room.
    var mustRewrite = false
    var isClosed = false
    var lastGiven: UInt64 = 0
    /// Queues that a forwarder has now.
    var taken: Set<UInt32> = []
  }

  public let path: String
  package let key: Fingerprint.Key
  /// Whether the process before this one left without a word: links of it may hold messages for a moment yet.
  package let isAfterCrash: Bool
  /// Whether the machine was started anew since: then nobody closed those links, and the bus finds out by itself.
  package let isAfterPowerCut: Bool
  private let file: JournalFile
  private let pool: NIOThreadPool
  private let state: NIOLockedValueBox<State>
  /// A file that has grown beyond this, and to twice of what its last rewriting left, is rewritten.
  private let rewriteAt: UInt64
  private let rewritten = NIOLockedValueBox<UInt64>(0)

  private init(
    path: String, key: Fingerprint.Key, isAfterCrash: Bool, isAfterPowerCut: Bool, file: JournalFile, pool: NIOThreadPool,
    memory: JournalMemory, rewriteAt: UInt64
  ) {
    self.isAfterCrash = isAfterCrash
    self.isAfterPowerCut = isAfterPowerCut
    self.path = path
    self.key = key
    self.file = file
    self.pool = pool
    self.state = NIOLockedValueBox(State(memory: memory))
    self.rewriteAt = rewriteAt
  }

  /// Names the time since this machine was started; empty where the system tells none.
  private static var boot: String {
    (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?.filter { !$0.isNewline } ?? ""
  }

  /// Opens the journal, or makes it. A tail that a crash left half written is cut off.
  ///
  /// - Parameters:
  ///   - path: the file; its folder must exist. Beside it lies `path.lock`.
  ///   - retained: how many settled messages are remembered, in case the source bus crashes and gives them back.
  ///   - rewriteAt: bytes from which on the file is rewritten with what is still of use.
  /// - Throws: ``ForwardingError``: `journalInUse`, `journalUnreadable`, `journalUnwritable`, `journalDamaged`.
  public static func open(
    at path: String, retained: Int = 100_000, rewriteAt: UInt64 = 64 << 20
  ) async throws(ForwardingError) -> ForwardingJournal {
    try await self.open(at: path, retained: retained, rewriteAt: rewriteAt, hasRoom: { true })
  }

  /// - Parameter hasRoom: whether the disk has room, for tests.
  package static func open(
    at path: String, retained: Int = 100_000, rewriteAt: UInt64 = 64 << 20, hasRoom: @escaping @Sendable () -> Bool
  ) async throws(ForwardingError) -> ForwardingJournal {
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    let opened = OneShot<Result<ForwardingJournal, ForwardingError>>()
    pool.submit { _ in
      do throws(ForwardingError) {
        opened.fulfil(.success(try self.read(path, pool, retained, rewriteAt, hasRoom)))
      } catch {
        opened.fulfil(.failure(error))
      }
    }
    let result = await opened.uncancelledValue()
    if case .failure = result { try? await pool.shutdownGracefully() }
    return try result.get()
  }

  private static func read(
    _ path: String, _ pool: NIOThreadPool, _ retained: Int, _ rewriteAt: UInt64, _ hasRoom: @escaping @Sendable () -> Bool
  ) throws(ForwardingError) -> ForwardingJournal {
    let file = try JournalFile(path: path, hasRoom: hasRoom)
    var memory = JournalMemory(retained: retained)
    let whole = try self.replay(try file.readAll(), into: &memory, path)
    try file.keep(whole)
    let isAfterCrash = memory.isAfterCrash
    let isAfterPowerCut = isAfterCrash && memory.boot != nil && memory.boot != self.boot
    memory.interruptAll()
    let key = memory.key ?? Fingerprint.Key(first: .random(in: .min ... .max), second: .random(in: .min ... .max))
    // On the disk before anything is taken: a process that dies before it has written anything else is known to have been there, and that one
    // before it died is known though this one may leave in order, and carry nothing.
    var records: [JournalRecord] = memory.key == nil ? [.key(key)] : []
    records.append(.opened(boot: Self.boot, at: wallClockMilliseconds()))
    if isAfterCrash { records += memory.queueNumbers.map { .linkDoubted(queue: $0) } }
    var payload: [UInt8] = []
    for record in records {
      memory.apply(record)
      record.append(to: &payload)
    }
    try file.append(JournalBatch.encode(payload, synced: file.synced))
    try file.sync()
    return ForwardingJournal(
      path: path, key: key, isAfterCrash: isAfterCrash, isAfterPowerCut: isAfterPowerCut, file: file, pool: pool, memory: memory,
      rewriteAt: rewriteAt)
  }

  /// - Returns: how many bytes from the beginning are whole.
  package static func replay(
    _ bytes: [UInt8], into memory: inout JournalMemory, _ path: String = ""
  ) throws(ForwardingError) -> Int {
    var position = 0
    while let batch = JournalBatch.read(bytes, at: position) {
      var rest = batch.payload
      while !rest.isEmpty {
        guard let record = JournalRecord(&rest) else {
          throw ForwardingError(
            .journalDamaged, tried: "read the forwarding journal \(path)",
            seen: "a record of an unknown kind before byte \(batch.end)")
        }
        memory.apply(record)
      }
      position = batch.end
    }
    // A tail that was never synced may be missing or torn. What a later batch knew to be synced may not.
    var next = position + 1
    while next + JournalBatch.overhead <= bytes.count {
      if bytes[next] == 0x46, let later = JournalBatch.read(bytes, at: next), later.synced > UInt64(position) {
        throw ForwardingError(
          .journalDamaged, tried: "read the forwarding journal \(path)",
          seen: "byte \(position) is not what was synced there: a batch at byte \(next) is whole")
      }
      next += 1
    }
    return position
  }

  // MARK: What people ask

  /// The messages that may have arrived twice; those of one queue, or of all.
  public func possibleDuplicates(of queue: String? = nil) -> [PossibleDuplicate] {
    let all = self.state.withLockedValue { $0.memory.possibleDuplicates }
    return queue.map { name in all.filter { $0.queue == name } } ?? all
  }

  /// What was set aside of a queue and is remembered, also from earlier runs.
  public func setAside(of queue: String) -> [SetAside] {
    self.state.withLockedValue { state in state.memory.number(of: queue).map { state.memory.setAside(in: $0) } ?? [] }
  }

  /// Forgets the possible duplicates from before `time` (milliseconds since 1970): they have been looked at.
  public func forgetPossibleDuplicates(before time: Int64) async throws(ForwardingError) {
    self.state.withLockedValue { $0.memory.forgetDuplicates(before: time) }
    try await self.onThread { () throws(ForwardingError) in try self.rewrite() }
  }

  /// Writes what has not been written yet, and gives the file free. Idempotent.
  public func close() async {
    let isFirst = self.state.withLockedValue { state in
      defer { state.isClosed = true }
      if !state.isClosed { Self.put(.closed, in: &state) }
      return !state.isClosed
    }
    guard isFirst else { return }
    try? await self.onThread { () throws(ForwardingError) in
      defer { self.file.release() }
      try self.writePending()
      try self.file.sync()
    }
    try? await self.pool.shutdownGracefully()
  }

  // MARK: What forwarders ask

  /// Takes a queue for one forwarder: two would overtake each other.
  package func take(_ queue: String) throws(ForwardingError) -> UInt32 {
    let number = self.state.withLockedValue { state -> UInt32? in
      let number = state.memory.number(of: queue) ?? state.memory.nextQueueNumber
      guard state.taken.insert(number).inserted else { return nil }
      if state.memory.number(of: queue) == nil { Self.put(.queue(number, queue), in: &state) }
      return number
    }
    guard let number else {
      throw ForwardingError(.queueInUse, tried: "forward \(queue)", seen: "another forwarder has it")
    }
    return number
  }

  package func giveBack(_ queue: UInt32) { self.state.withLockedValue { _ = $0.taken.remove(queue) } }

  /// All that was noted is on the disk: to be awaited before a link takes anything.
  package func settled() async throws(ForwardingError) {
    let done = OneShot<ForwardingError?>()
    self.put([], told: { done.fulfil($0) })
    if let error = await done.uncancelledValue() { throw error }
  }

  package func standings(_ fingerprints: [Fingerprint], in queue: UInt32) -> [JournalMemory.Standing] {
    self.state.withLockedValue { $0.memory.standings(of: fingerprints, in: queue) }
  }

  /// Serials for so many new attempts: the first of them.
  package func serials(_ count: Int) -> UInt64 {
    self.state.withLockedValue { state in
      defer { state.lastGiven = max(state.lastGiven, state.memory.lastSerial) + UInt64(count) }
      return max(state.lastGiven, state.memory.lastSerial) + 1
    }
  }

  /// Notes that the attempts go on which were interrupted, or that they are interrupted. Not written: a new process takes all that
  /// are open for interrupted.
  package func goOn(_ serials: [UInt64]) {
    self.state.withLockedValue { state in for serial in serials { state.memory.goOn(serial) } }
  }

  package func interrupt(_ serials: [UInt64]) {
    self.state.withLockedValue { state in for serial in serials { state.memory.interrupt(serial) } }
  }

  /// What may come again soon, and comes before all else.
  package func awaited(in queue: UInt32) -> Awaited { self.state.withLockedValue { $0.memory.awaited(in: queue) } }

  /// Nothing waits any more for what was interrupted and has not come again.
  package func awaitNothing(in queue: UInt32) {
    let serials = self.state.withLockedValue { $0.memory.interruptedAndAwaited(in: queue).map(\.serial) }
    if !serials.isEmpty { self.note(serials.map { .notAwaited(serial: $0) }) }
  }

  /// Writes records, soon, without waiting for the disk.
  package func note(_ records: [JournalRecord]) { self.put(records, told: nil) }

  /// Writes records and calls `told` from the journal's thread when they are on the disk, or with why they are not.
  package func write(_ records: [JournalRecord], told: @escaping @Sendable (ForwardingError?) -> Void) {
    self.put(records, told: told)
  }

  private func put(_ records: [JournalRecord], told: Told?) {
    let (mustStart, failure) = self.state.withLockedValue { state -> (Bool, ForwardingError?) in
      if state.isClosed {
        let tried = "write the forwarding journal \(self.path)"
        return (false, ForwardingError(.journalUnwritable, tried: tried, seen: "it is closed"))
      }
      for record in records { Self.put(record, in: &state) }
      if let told { state.told.append(told) }
      defer { state.isWriting = true }
      return (!state.isWriting, nil)
    }
    if let failure { return told?(failure) ?? () }
    if mustStart { self.pool.submit { _ in self.writeAll() } }
  }

  private static func put(_ record: JournalRecord, in state: inout State) {
    state.memory.apply(record)
    record.append(to: &state.pending)
  }

  // MARK: On the journal's thread

  /// Writes until nothing waits: what comes while the disk is busy goes together the next time.
  private func writeAll() {
    while true {
      let (payload, told, mustRewrite) = self.state.withLockedValue { state -> ([UInt8], [Told], Bool) in
        defer {
          state.pending = []
          state.told = []
        }
        if state.pending.isEmpty, state.told.isEmpty { state.isWriting = false }
        return (state.pending, state.told, state.mustRewrite)
      }
      if payload.isEmpty, told.isEmpty { return }
      var failure: ForwardingError?
      do throws(ForwardingError) {
        // What is to be written now, and could not be before, is in the memory: the new file has all of it.
        if mustRewrite { try self.rewrite() }
        if !payload.isEmpty, !mustRewrite { try self.file.append(JournalBatch.encode(payload, synced: self.file.synced)) }
        if !told.isEmpty { try self.file.sync() }
        if self.file.size > max(self.rewriteAt, 2 * self.rewritten.withLockedValue { $0 }) { try self.rewrite() }
      } catch {
        failure = error
        self.state.withLockedValue { $0.mustRewrite = true }
      }
      for one in told { one(failure) }
    }
  }

  private func writePending() throws(ForwardingError) {
    let (payload, mustRewrite) = self.state.withLockedValue { state in
      defer { state.pending = [] }
      return (state.pending, state.mustRewrite)
    }
    if mustRewrite { return try self.rewrite() }
    if !payload.isEmpty { try self.file.append(JournalBatch.encode(payload, synced: self.file.synced)) }
  }

  private func rewrite() throws(ForwardingError) {
    // What waits to be written is in the memory already.
    let (records, told) = self.state.withLockedValue { state -> ([JournalRecord], [Told]) in
      defer {
        state.pending = []
        state.told = []
      }
      return (state.memory.snapshot(), state.told)
    }
    var bytes: [UInt8] = []
    var payload: [UInt8] = []
    for record in records {
      record.append(to: &payload)
      if payload.count > 1 << 20 {
        bytes += JournalBatch.encode(payload, synced: 0)
        payload = []
      }
    }
    bytes += JournalBatch.encode(payload, synced: 0)
    do throws(ForwardingError) {
      try self.file.replace(with: bytes)
    } catch {
      for one in told { one(error) }
      throw error
    }
    self.rewritten.withLockedValue { $0 = UInt64(bytes.count) }
    self.state.withLockedValue { $0.mustRewrite = false }
    for one in told { one(nil) }
  }

  private func onThread(_ work: @escaping @Sendable () throws(ForwardingError) -> Void) async throws(ForwardingError) {
    let done = OneShot<ForwardingError?>()
    self.pool.submit { _ in
      do throws(ForwardingError) {
        try work()
        done.fulfil(nil)
      } catch {
        done.fulfil(error)
      }
    }
    if let error = await done.uncancelledValue() { throw error }
  }
}
