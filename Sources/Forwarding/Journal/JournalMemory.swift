// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// What a journal's records say together. Pure: no file, no clock.
package struct JournalMemory: Sendable {
  /// What is known of a message that is about to be carried.
  package enum Standing: Sendable, Equatable {
    case unknown
    /// It was about to be sent, and nobody knows what became of that. `serial`: of that attempt, which goes on.
    case interrupted(serial: UInt64)
    /// One with the same bytes is on its way in this very run.
    case onItsWay
    /// The target has one with the same bytes, and the source may have been told of that in vain.
    case accepted
    /// `interrupted`: the attempt of which it is not known what became, where there was one.
    case setAside(SetAside.Reason, seen: String, interrupted: UInt64?)
  }

  private struct Known: Sendable {
    /// Those that the target has, and of which the source may still have one.
    var copies: Int32 = 0
    /// Attempts of this run.
    var live: Int32 = 0
    /// Attempts of which nobody will learn any more what became of them.
    var interrupted: [UInt64] = []
    var aside: Aside?
    var id: String?

    var isEmpty: Bool { self.copies == 0 && self.live == 0 && self.interrupted.isEmpty && self.aside == nil }
  }

  /// An object, since a hundred thousand are remembered of which none was set aside.
  private final class Aside: Sendable {
    let reason: SetAside.Reason
    let seen: String
    let at: Int64

    init(_ reason: SetAside.Reason, _ seen: String, _ at: Int64) {
      self.reason = reason
      self.seen = seen
      self.at = at
    }
  }

  private struct Attempt: Sendable {
    let queue: UInt32
    let fingerprint: Fingerprint
    var isAccepted = false
    var isInterrupted = false
    /// Whether it may come again soon: then nothing that came after it goes before it.
    var isAwaited = true
    var id: String?
    /// When the process began that made it, or something in it was last given a time.
    var at: Int64 = 0
    /// People have seen that it may be there twice.
    var isSeen = false
  }

  /// How many messages that are settled are remembered: a bus that crashes may give back what it was told to forget a moment before.
  private let retained: Int
  private var queues: [String: UInt32] = [:]
  private var names: [UInt32: String] = [:]
  private var reverses = NumberTable<UInt32, UInt32>()
  private var known = NumberTable<UInt32, [Fingerprint: Known]>()
  private var attempts = NumberTable<UInt64, Attempt>()
  private var onHand: [UInt32: OnHand] = [:]
  /// The latest time of any record.
  private var time: Int64 = 0
  /// The start of the machine that the last process knew.
  private(set) var boot: String?
  private var settled: Deque<(queue: UInt32, fingerprint: Fingerprint)> = []
  /// Of these the source may not know that they are settled, and gives them back when it notices that a link is dead: long after
  /// as many others as are remembered anyway.
  private var doubted: Deque<(queue: UInt32, fingerprints: [Fingerprint], at: Int64)> = []
  private var interrupted: Deque<UInt64> = []
  private var duplicateRecords: Deque<JournalRecord> = []
  private(set) var lastSerial: UInt64 = 0
  /// Whether the last process left without a word: links of it may still hold messages.
  package private(set) var isAfterCrash = false
  private(set) var key: Fingerprint.Key?

  package init(retained: Int) { self.retained = max(1, retained) }

  package func number(of queue: String) -> UInt32? { self.queues[queue] }
  var queueNumbers: [UInt32] { self.names.keys.sorted() }
  var nextQueueNumber: UInt32 { UInt32(self.queues.count + 1) }

  package func standing(of fingerprint: Fingerprint, in queue: UInt32) -> Standing {
    self.standings(of: [fingerprint], in: queue)[0]
  }

  func standings(of fingerprints: [Fingerprint], in queue: UInt32) -> [Standing] {
    guard let known = self.known[queue] else { return fingerprints.map { _ in .unknown } }
    return fingerprints.map { fingerprint in known[fingerprint].map(Self.standing) ?? .unknown }
  }

  private static func standing(_ known: Known) -> Standing {
    if let aside = known.aside { return .setAside(aside.reason, seen: aside.seen, interrupted: known.interrupted.first) }
    if let serial = known.interrupted.first { return .interrupted(serial: serial) }
    if known.live > 0 { return .onItsWay }
    return known.copies > 0 ? .accepted : .unknown
  }

  package func setAside(in queue: UInt32) -> [SetAside] {
    let name = self.names[queue] ?? ""
    return (self.known[queue] ?? [:]).compactMap { fingerprint, known in
      guard let aside = known.aside else { return nil }
      return SetAside(
        messageID: known.id ?? fingerprint.text, queue: name, at: aside.at, reason: aside.reason, seen: aside.seen)
    }.sorted { ($0.at, $0.messageID) < ($1.at, $1.messageID) }
  }

  /// Those that were sent again, and those that were about to be sent when they were interrupted, and have not been sent again.
  package var possibleDuplicates: [PossibleDuplicate] {
    var listed: Set<Fingerprint> = []
    let sentAgain = self.duplicateRecords.compactMap { record -> PossibleDuplicate? in
      guard case .possibleDuplicate(let queue, let fingerprint, let id, let reason, let at) = record else { return nil }
      listed.insert(fingerprint)
      return PossibleDuplicate(messageID: id ?? fingerprint.text, queue: self.names[queue] ?? "", at: at, reason: reason)
    }
    return sentAgain + self.interrupted.flatMap { self.duplicates(of: $0, listed) }
  }

  /// The target may have it, and so may whoever gets it from the source; carried back, the source may have it twice.
  private func duplicates(of serial: UInt64, _ listed: Set<Fingerprint>) -> [PossibleDuplicate] {
    guard let attempt = self.attempts[serial], attempt.isInterrupted, !attempt.isSeen, !listed.contains(attempt.fingerprint)
    else {
      return []
    }
    var queues = [attempt.queue]
    if let back = self.reverses[attempt.queue], (self.known[back]?[attempt.fingerprint]?.copies ?? 0) > 0 { queues.append(back) }
    return queues.map {
      PossibleDuplicate(
        messageID: attempt.id ?? attempt.fingerprint.text, queue: self.names[$0] ?? "", at: attempt.at, reason: .interrupted)
    }
  }

  package mutating func apply(_ record: JournalRecord) {
    self.isAfterCrash = true
    switch record {
    case .closed: self.isAfterCrash = false
    case .key(let key):
      self.key = key
      self.isAfterCrash = false
    case .queue(let number, let name):
      self.queues[name] = number
      self.names[number] = name
      // The way back, where it is ever taken: the names say from where to where.
      if let arrow = name.firstRange(of: " > "),
        let back = self.queues["\(name[arrow.upperBound...]) > \(name[..<arrow.lowerBound])"]
      {
        self.reverses[number] = back
        self.reverses[back] = number
      }
    case .sending(let serial, let queue, let fingerprint, let id):
      self.lastSerial = max(self.lastSerial, serial)
      self.attempts[serial] = Attempt(queue: queue, fingerprint: fingerprint, id: id, at: self.time)
      self.onHand[queue]?.isGone(fingerprint)
      self.change(queue, fingerprint) {
        $0.live += 1
        $0.aside = nil
        $0.id = id
      }
    case .accepted(let serial):
      guard let attempt = self.attempts[serial], !attempt.isAccepted else { return }
      self.attempts[serial]?.isAccepted = true
      self.onHand[attempt.queue]?.isGone(attempt.fingerprint)
      self.change(attempt.queue, attempt.fingerprint) {
        Self.end(serial, attempt, &$0)
        $0.copies += 1
      }
      // Carried back: the other bus, which had it once, has it no more by that.
      if let other = self.reverses[attempt.queue], self.known[other]?[attempt.fingerprint] != nil {
        self.change(other, attempt.fingerprint) { $0.copies = 0 }
      }
    case .settled(let serial):
      guard let attempt = self.attempts.removeValue(forKey: serial), attempt.isAccepted else { return }
      self.retain(attempt.queue, attempt.fingerprint)
    case .settledAgain(let queue, let fingerprint):
      self.onHand[queue]?.isGone(fingerprint)
      // The last one is kept until it is the oldest: the source may be told in vain once more.
      self.change(queue, fingerprint) { if $0.copies > 1 { $0.copies -= 1 } }
    case .setAside(let queue, let fingerprint, let id, let reason, let at, let seen):
      self.time = max(self.time, at)
      self.onHand[queue]?.isGone(fingerprint)
      self.change(queue, fingerprint) {
        $0.aside = Aside(reason, seen, at)
        $0.id = id
      }
    case .possibleDuplicate(let queue, let fingerprint, _, _, let at):
      self.time = max(self.time, at)
      self.duplicateRecords.append(record)
      // It is sent again.
      if self.known[queue]?[fingerprint]?.aside != nil { self.change(queue, fingerprint) { $0.aside = nil } }
    case .notSent(let serial):
      guard let attempt = self.attempts.removeValue(forKey: serial) else { return }
      self.change(attempt.queue, attempt.fingerprint) { Self.end(serial, attempt, &$0) }
    case .notAwaited(let serial): self.attempts[serial]?.isAwaited = false
    case .resumed(let serial, let next): self.resume(serial, as: next)
    case .onHand(let queue, let taken): self.onHand[queue, default: OnHand()].took(taken)
    case .owed(let queue, let isNoticed, let line):
      self.onHand[queue, default: OnHand()].lost(line, isNoticed: isNoticed, at: self.lastSerial)
    case .early(let queue, let fingerprint, let behind):
      self.onHand[queue, default: OnHand()].holds(fingerprint, behind: behind)
    case .doubted(let queue, let count, let at): self.doubt(queue, count, at)
    case .seen(let serial): self.attempts[serial]?.isSeen = true
    case .linkDoubted(let queue): self.onHand[queue, default: OnHand()].doubtLink()
    case .nothingOwed(let queue): self.onHand[queue]?.oweNothing()
    case .opened(let boot, let at):
      self.boot = boot
      self.time = max(self.time, at)
    }
  }

  /// What may come again soon, and comes before all else.
  package func awaited(in queue: UInt32) -> Awaited {
    let attempts = self.interruptedAndAwaited(in: queue).map { OnHand.Taken(serial: $0.serial, fingerprint: $0.fingerprint) }
    return (self.onHand[queue] ?? OnHand()).awaited(attempts)
  }

  /// It is on hand again; its place among the others is the new serial's.
  private mutating func resume(_ serial: UInt64, as next: UInt64) {
    self.lastSerial = max(self.lastSerial, next)
    guard let attempt = self.attempts.removeValue(forKey: serial) else { return }
    self.attempts[next] = attempt
    self.onHand[attempt.queue]?.leaveLine(attempt.fingerprint)
    guard attempt.isInterrupted else { return }
    self.interrupted.append(next)
    self.change(attempt.queue, attempt.fingerprint) {
      $0.interrupted.removeAll { $0 == serial }
      $0.interrupted.append(next)
    }
  }

  /// What was about to be sent when it was interrupted, and may come again soon: the oldest first.
  package func interruptedAndAwaited(in queue: UInt32) -> [(serial: UInt64, fingerprint: Fingerprint)] {
    self.interrupted.compactMap { serial in
      guard let attempt = self.attempts[serial], attempt.queue == queue, attempt.isInterrupted, attempt.isAwaited else {
        return nil
      }
      return (serial, attempt.fingerprint)
    }.sorted { $0.serial < $1.serial }
  }

  /// Nobody will learn what became of the attempt.
  package mutating func interrupt(_ serial: UInt64) {
    guard let attempt = self.attempts[serial], !attempt.isAccepted, !attempt.isInterrupted else { return }
    self.attempts[serial]?.isInterrupted = true
    self.change(attempt.queue, attempt.fingerprint) {
      $0.live -= 1
      $0.interrupted.append(serial)
    }
    self.interrupted.append(serial)
    while self.interrupted.count > self.retained, let oldest = self.interrupted.popFirst() {
      guard let attempt = self.attempts[oldest], attempt.isInterrupted else { continue }
      self.duplicateRecords.append(
        .possibleDuplicate(queue: attempt.queue, attempt.fingerprint, id: attempt.id, .interrupted, at: attempt.at))
      self.apply(.notSent(serial: oldest))
    }
  }

  /// The attempt goes on: the message is here again, and is about to be sent again.
  package mutating func goOn(_ serial: UInt64) {
    guard let attempt = self.attempts[serial], attempt.isInterrupted else { return }
    self.attempts[serial]?.isInterrupted = false
    self.attempts[serial]?.isAwaited = true
    self.attempts[serial]?.isSeen = false
    self.change(attempt.queue, attempt.fingerprint) {
      $0.interrupted.removeAll { $0 == serial }
      $0.live += 1
    }
  }

  /// All that a process left behind which is no more.
  package mutating func interruptAll() { for serial in self.attempts.keys.sorted() { self.interrupt(serial) } }

  private static func end(_ serial: UInt64, _ attempt: Attempt, _ known: inout Known) {
    if attempt.isInterrupted { known.interrupted.removeAll { $0 == serial } } else if !attempt.isAccepted { known.live -= 1 }
  }

  private mutating func change(_ queue: UInt32, _ fingerprint: Fingerprint, _ body: (inout Known) -> Void) {
    Self.change(&self.known[queue, default: [:]], fingerprint, body)
  }

  private static func change(_ table: inout [Fingerprint: Known], _ fingerprint: Fingerprint, _ body: (inout Known) -> Void) {
    if let index = table.index(forKey: fingerprint) {
      body(&table.values[index])
      if table.values[index].isEmpty { table.remove(at: index) }
    } else {
      var known = Known()
      body(&known)
      if !known.isEmpty { table[fingerprint] = known }
    }
  }

  private mutating func retain(_ queue: UInt32, _ fingerprint: Fingerprint) {
    self.settled.append((queue, fingerprint))
    while self.settled.count > self.retained, let oldest = self.settled.popFirst() {
      self.change(oldest.queue, oldest.fingerprint) { $0.copies -= $0.copies > 0 ? 1 : 0 }
    }
  }

  /// Longer than any bus takes to notice that a link is dead, in milliseconds.
  static let doubtedFor: Int64 = 1_800_000
  /// How many are remembered so at most.
  static let mostDoubted = 400_000

  private mutating func doubt(_ queue: UInt32, _ count: Int, _ at: Int64) {
    self.time = max(self.time, at)
    var fingerprints: [Fingerprint] = []
    var others: [(queue: UInt32, fingerprint: Fingerprint)] = []
    while fingerprints.count < count, let last = self.settled.popLast() {
      if last.queue == queue { fingerprints.append(last.fingerprint) } else { others.append(last) }
    }
    self.settled.append(contentsOf: others.reversed())
    if !fingerprints.isEmpty { self.doubted.append((queue, fingerprints.reversed(), at)) }
    var all = self.doubted.reduce(0) { $0 + $1.fingerprints.count }
    while let oldest = self.doubted.first, oldest.at < self.time - Self.doubtedFor || all > Self.mostDoubted {
      self.doubted.removeFirst()
      all -= oldest.fingerprints.count
      for fingerprint in oldest.fingerprints { self.retain(oldest.queue, fingerprint) }
    }
  }

  /// Records that say the same as all that were applied: what a new file begins with.
  package func snapshot() -> [JournalRecord] {
    var records: [JournalRecord] = self.key.map { [.key($0)] } ?? []
    if let boot { records.append(.opened(boot: boot, at: self.time)) }
    records += self.names.sorted { $0.key < $1.key }.map { .queue($0.key, $0.value) }
    records += self.duplicateRecords
    var serial: UInt64 = 0
    for group in self.doubted {
      let before = records.count
      for fingerprint in group.fingerprints { self.snapshotSettled(group.queue, fingerprint, &serial, &records) }
      records.append(.doubted(queue: group.queue, count: (records.count - before) / 3, at: group.at))
    }
    for entry in self.settled { self.snapshotSettled(entry.queue, entry.fingerprint, &serial, &records) }
    // Those that came over the present link of their queue follow what was owed before it.
    let attempts = self.attempts.entries.sorted { $0.key < $1.key }
    for (serial, attempt) in attempts where serial <= self.onHand[attempt.queue]?.since ?? 0 {
      self.snapshot(serial, attempt, &records)
    }
    for (queue, onHand) in self.onHand where !onHand.isEmpty {
      records.append(.owed(queue: queue, isNoticed: onHand.isNoticed, Array(onHand.line)))
      // Of one that stands in the line, or is taken next, it says only that.
      if !onHand.isInOrder, let held = onHand.line.first ?? onHand.taken.first?.fingerprint {
        records.append(.early(queue: queue, held, behind: nil))
      }
      if !onHand.taken.isEmpty { records.append(.onHand(queue: queue, Array(onHand.taken))) }
    }
    for (serial, attempt) in attempts where serial > self.onHand[attempt.queue]?.since ?? 0 {
      self.snapshot(serial, attempt, &records)
    }
    for (queue, entries) in self.known.entries {
      for (fingerprint, entry) in entries {
        guard let aside = entry.aside else { continue }
        records.append(.setAside(queue: queue, fingerprint, id: entry.id, aside.reason, at: aside.at, seen: aside.seen))
      }
    }
    return records
  }

  private func snapshotSettled(
    _ queue: UInt32, _ fingerprint: Fingerprint, _ serial: inout UInt64, _ records: inout [JournalRecord]
  ) {
    guard let known = self.known[queue]?[fingerprint], known.copies > 0 else { return }
    // Any number that is not an open attempt's.
    repeat { serial += 1 } while self.attempts[serial] != nil
    records.append(.sending(serial: serial, queue: queue, fingerprint, id: known.id))
    records.append(.accepted(serial: serial))
    records.append(.settled(serial: serial))
  }

  private func snapshot(_ serial: UInt64, _ attempt: Attempt, _ records: inout [JournalRecord]) {
    records.append(.sending(serial: serial, queue: attempt.queue, attempt.fingerprint, id: attempt.id))
    if attempt.isAccepted { records.append(.accepted(serial: serial)) }
    if !attempt.isAwaited { records.append(.notAwaited(serial: serial)) }
    if attempt.isSeen { records.append(.seen(serial: serial)) }
  }

  /// Forgets the list of possible duplicates up to a time: they have been looked at.
  package mutating func forgetDuplicates(before time: Int64) {
    var seen: Set<Fingerprint> = []
    while case .possibleDuplicate(_, let fingerprint, _, _, let at)? = self.duplicateRecords.first, at < time {
      seen.insert(fingerprint)
      self.duplicateRecords.removeFirst()
    }
    for (serial, attempt) in self.attempts.entries
    where attempt.isInterrupted && (attempt.at < time || seen.contains(attempt.fingerprint)) {
      self.apply(.seen(serial: serial))
    }
  }
}
