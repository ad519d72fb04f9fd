// SPDX-License-Identifier: Apache-2.0

/// One entry of a journal, and its form on disk.
package enum JournalRecord: Sendable, Equatable {
  /// The first of each file.
  case key(Fingerprint.Key)
  /// The queue that is called by this number from here on in the file.
  case queue(UInt32, String)
  /// It is about to be sent. `serial` is the journal's own number for the attempt.
  case sending(serial: UInt64, queue: UInt32, Fingerprint, id: String?)
  /// The target has accepted it.
  case accepted(serial: UInt64)
  /// It was settled on the source.
  case settled(serial: UInt64)
  /// It was on the source again although the target had it, and was settled there.
  case settledAgain(queue: UInt32, Fingerprint)
  case setAside(queue: UInt32, Fingerprint, id: String?, SetAside.Reason, at: Int64, seen: String)
  case possibleDuplicate(queue: UInt32, Fingerprint, id: String?, PossibleDuplicate.Reason, at: Int64)
  /// It never left, and will be offered again: nothing is known of it.
  case notSent(serial: UInt64)
  /// What was left on hand when a link was lost, and has not come again in time: nothing waits for it any more.
  case notAwaited(serial: UInt64)
  /// They came from the source, and are not about to be sent yet.
  case onHand(queue: UInt32, [OnHand.Taken])
  /// A message came from the source again that was about to be sent when it was interrupted: the attempt goes on by another serial.
  case resumed(serial: UInt64, as: UInt64)
  /// The link to the source is gone. What lost links hold, in the order of the source; it comes before all else. Nothing is on hand.
  /// `isNoticed`: whether the bus knows of all dead links.
  case owed(queue: UInt32, isNoticed: Bool, [Fingerprint])
  /// It came before its turn and is held; it goes behind another of those that are owed, or before them all.
  case early(queue: UInt32, Fingerprint, behind: Fingerprint?)
  /// The connection to the source broke: the source may not have read that the last `count` were settled which it had given over it.
  case doubted(queue: UInt32, count: Int, at: Int64)
  /// The process before this one died, and may have had a link on the source of whose end the bus does not know: that may hold what nobody has read.
  case linkDoubted(queue: UInt32)
  /// What lost links held has come again, or is not waited for.
  case nothingOwed(queue: UInt32)
  /// People have looked at what became of it: it is not listed any more, unless it goes again.
  case seen(serial: UInt64)
  /// A process has the file. `boot` names the time since the machine was started.
  case opened(boot: String, at: Int64)
  /// The process has left in order: no link of it holds anything.
  case closed

  func append(to bytes: inout [UInt8]) {
    switch self {
    case .key(let key):
      bytes.append(1)
      bytes.append(integer: key.first)
      bytes.append(integer: key.second)
    case .queue(let number, let name):
      bytes.append(2)
      bytes.append(integer: number)
      bytes.append(text: name)
    case .sending(let serial, let queue, let fingerprint, let id):
      bytes.append(sending: serial, queue, fingerprint)
      bytes.append(text: id ?? "")
    case .accepted(let serial): bytes.append(4, serial)
    case .settled(let serial): bytes.append(5, serial)
    case .settledAgain(let queue, let fingerprint):
      bytes.append(6)
      bytes.append(integer: queue)
      bytes.append(fingerprint)
    case .setAside(let queue, let fingerprint, let id, let reason, let at, let seen):
      bytes.append(7)
      bytes.append(integer: queue)
      bytes.append(fingerprint)
      bytes.append(text: id ?? "")
      bytes.append(reason.rawValue)
      bytes.append(integer: UInt64(bitPattern: at))
      bytes.append(text: seen)
    case .possibleDuplicate(let queue, let fingerprint, let id, let reason, let at):
      bytes.append(8)
      bytes.append(integer: queue)
      bytes.append(fingerprint)
      bytes.append(text: id ?? "")
      bytes.append(reason.rawValue)
      bytes.append(integer: UInt64(bitPattern: at))
    case .notSent(let serial):
      bytes.append(9)
      bytes.append(integer: serial)
    case .notAwaited(let serial):
      bytes.append(10)
      bytes.append(integer: serial)
    case .closed: bytes.append(11)
    case .onHand(let queue, let taken):
      bytes.append(18)
      bytes.append(integer: queue)
      bytes.append(integer: UInt32(taken.count))
      for one in taken {
        bytes.append(integer: one.serial)
        bytes.append(one.fingerprint)
      }
    case .resumed(let serial, let next):
      bytes.append(19)
      bytes.append(integer: serial)
      bytes.append(integer: next)
    case .owed(let queue, let isNoticed, let line):
      bytes.append(13)
      bytes.append(integer: queue)
      bytes.append(isNoticed ? 1 : 0)
      // Several lists once.
      bytes.append(integer: UInt32(1))
      bytes.append(line)
    case .early(let queue, let fingerprint, let behind):
      bytes.append(17)
      bytes.append(integer: queue)
      bytes.append([fingerprint] + (behind.map { [$0] } ?? []))
    case .doubted(let queue, let count, let at):
      bytes.append(20)
      bytes.append(integer: queue)
      bytes.append(integer: UInt32(clamping: count))
      bytes.append(integer: UInt64(bitPattern: at))
    case .linkDoubted(let queue):
      bytes.append(21)
      bytes.append(integer: queue)
    case .nothingOwed(let queue):
      bytes.append(14)
      bytes.append(integer: queue)
    case .seen(let serial):
      bytes.append(16)
      bytes.append(integer: serial)
    case .opened(let boot, let at):
      bytes.append(15)
      bytes.append(text: boot)
      bytes.append(integer: UInt64(bitPattern: at))
    }
  }

  /// - Returns: nil at the end, and where the bytes are no record.
  init?(_ bytes: inout ArraySlice<UInt8>) {
    guard let kind = bytes.popFirst() else { return nil }
    switch kind {
    case 1:
      guard let first: UInt64 = bytes.integer(), let second: UInt64 = bytes.integer() else { return nil }
      self = .key(Fingerprint.Key(first: first, second: second))
    case 2:
      guard let number: UInt32 = bytes.integer(), let name = bytes.text() else { return nil }
      self = .queue(number, name)
    case 3:
      guard let serial: UInt64 = bytes.integer(), let queue: UInt32 = bytes.integer(), let fingerprint = bytes.fingerprint(),
        let id = bytes.text()
      else { return nil }
      self = .sending(serial: serial, queue: queue, fingerprint, id: id.isEmpty ? nil : id)
    case 4:
      guard let serial: UInt64 = bytes.integer() else { return nil }
      self = .accepted(serial: serial)
    case 5:
      guard let serial: UInt64 = bytes.integer() else { return nil }
      self = .settled(serial: serial)
    case 6:
      guard let queue: UInt32 = bytes.integer(), let fingerprint = bytes.fingerprint() else { return nil }
      self = .settledAgain(queue: queue, fingerprint)
    case 7:
      guard let queue: UInt32 = bytes.integer(), let fingerprint = bytes.fingerprint(), let id = bytes.text(),
        let reason = bytes.popFirst().flatMap(SetAside.Reason.init(rawValue:)), let at: UInt64 = bytes.integer(),
        let seen = bytes.text()
      else { return nil }
      self = .setAside(
        queue: queue, fingerprint, id: id.isEmpty ? nil : id, reason, at: Int64(bitPattern: at), seen: seen)
    case 8:
      guard let queue: UInt32 = bytes.integer(), let fingerprint = bytes.fingerprint(), let id = bytes.text(),
        let reason = bytes.popFirst().flatMap(PossibleDuplicate.Reason.init(rawValue:)), let at: UInt64 = bytes.integer()
      else { return nil }
      self = .possibleDuplicate(
        queue: queue, fingerprint, id: id.isEmpty ? nil : id, reason, at: Int64(bitPattern: at))
    case 9:
      guard let serial: UInt64 = bytes.integer() else { return nil }
      self = .notSent(serial: serial)
    case 10:
      guard let serial: UInt64 = bytes.integer() else { return nil }
      self = .notAwaited(serial: serial)
    case 11: self = .closed
    case 12:
      guard let queue: UInt32 = bytes.integer(), let fingerprints = bytes.fingerprints() else { return nil }
      // Once without serials.
      self = .onHand(queue: queue, fingerprints.map { OnHand.Taken(serial: 0, fingerprint: $0) })
    case 13:
      guard let queue: UInt32 = bytes.integer(), let isNoticed = bytes.popFirst(), let count: UInt32 = bytes.integer() else {
        return nil
      }
      var line: [Fingerprint] = []
      for _ in 0..<count {
        guard let fingerprints = bytes.fingerprints() else { return nil }
        line += fingerprints
      }
      self = .owed(queue: queue, isNoticed: isNoticed != 0, line)
    case 18:
      guard let queue: UInt32 = bytes.integer(), let count: UInt32 = bytes.integer(), bytes.count >= Int(count) * 24 else {
        return nil
      }
      var taken: [OnHand.Taken] = []
      taken.reserveCapacity(Int(count))
      for _ in 0..<count {
        guard let serial: UInt64 = bytes.integer(), let fingerprint = bytes.fingerprint() else { return nil }
        taken.append(OnHand.Taken(serial: serial, fingerprint: fingerprint))
      }
      self = .onHand(queue: queue, taken)
    case 20:
      guard let queue: UInt32 = bytes.integer(), let count: UInt32 = bytes.integer(), let at: UInt64 = bytes.integer() else {
        return nil
      }
      self = .doubted(queue: queue, count: Int(count), at: Int64(bitPattern: at))
    case 19:
      guard let serial: UInt64 = bytes.integer(), let next: UInt64 = bytes.integer() else { return nil }
      self = .resumed(serial: serial, as: next)
    case 17:
      guard let queue: UInt32 = bytes.integer(), let fingerprints = bytes.fingerprints(), let first = fingerprints.first else {
        return nil
      }
      self = .early(queue: queue, first, behind: fingerprints.dropFirst().first)
    case 21:
      guard let queue: UInt32 = bytes.integer() else { return nil }
      self = .linkDoubted(queue: queue)
    case 14:
      guard let queue: UInt32 = bytes.integer() else { return nil }
      self = .nothingOwed(queue: queue)
    case 16:
      guard let serial: UInt64 = bytes.integer() else { return nil }
      self = .seen(serial: serial)
    case 15:
      guard let boot = bytes.text(), let at: UInt64 = bytes.integer() else { return nil }
      self = .opened(boot: boot, at: Int64(bitPattern: at))
    default: return nil
    }
  }
}

extension [UInt8] {
  mutating func append<Integer: FixedWidthInteger>(integer: Integer) {
    Swift.withUnsafeBytes(of: integer.littleEndian) { self.append(contentsOf: $0) }
  }

  // The records of each message, with one growth of the array for each.

  fileprivate mutating func append(_ kind: UInt8, _ serial: UInt64) {
    var bytes: (UInt64, UInt64) = (0, 0)
    Swift.withUnsafeMutableBytes(of: &bytes) { raw in
      raw[0] = kind
      raw.storeBytes(of: serial.littleEndian, toByteOffset: 1, as: UInt64.self)
      self.append(contentsOf: raw.prefix(9))
    }
  }

  fileprivate mutating func append(sending serial: UInt64, _ queue: UInt32, _ fingerprint: Fingerprint) {
    var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    Swift.withUnsafeMutableBytes(of: &bytes) { raw in
      raw[0] = 3
      raw.storeBytes(of: serial.littleEndian, toByteOffset: 1, as: UInt64.self)
      raw.storeBytes(of: queue.littleEndian, toByteOffset: 9, as: UInt32.self)
      raw.storeBytes(of: fingerprint.high.littleEndian, toByteOffset: 13, as: UInt64.self)
      raw.storeBytes(of: fingerprint.low.littleEndian, toByteOffset: 21, as: UInt64.self)
      self.append(contentsOf: raw.prefix(29))
    }
  }

  fileprivate mutating func append(_ fingerprint: Fingerprint) {
    self.append(integer: fingerprint.high)
    self.append(integer: fingerprint.low)
  }

  fileprivate mutating func append(_ fingerprints: [Fingerprint]) {
    self.append(integer: UInt32(fingerprints.count))
    for fingerprint in fingerprints { self.append(fingerprint) }
  }

  /// No longer than 65,535 bytes; ids and words that are, are cut.
  fileprivate mutating func append(text: String) {
    var text = text
    text.withUTF8 { utf8 in
      let count = Swift.min(utf8.count, 65_535)
      self.append(integer: UInt16(count))
      self.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[..<count]))
    }
  }
}

extension ArraySlice<UInt8> {
  mutating func integer<Integer: FixedWidthInteger>() -> Integer? {
    let width = Integer.bitWidth / 8
    guard self.count >= width else { return nil }
    let value = self.withUnsafeBytes { $0.loadUnaligned(as: Integer.self) }
    self.removeFirst(width)
    return Integer(littleEndian: value)
  }

  fileprivate mutating func fingerprint() -> Fingerprint? {
    guard let high: UInt64 = self.integer(), let low: UInt64 = self.integer() else { return nil }
    return Fingerprint(high: high, low: low)
  }

  fileprivate mutating func fingerprints() -> [Fingerprint]? {
    guard let count: UInt32 = self.integer(), self.count >= Int(count) * 16 else { return nil }
    var fingerprints: [Fingerprint] = []
    fingerprints.reserveCapacity(Int(count))
    for _ in 0..<count {
      guard let fingerprint = self.fingerprint() else { return nil }
      fingerprints.append(fingerprint)
    }
    return fingerprints
  }

  fileprivate mutating func text() -> String? {
    guard let count: UInt16 = self.integer(), self.count >= Int(count) else { return nil }
    defer { self.removeFirst(Int(count)) }
    return String(decoding: self.prefix(Int(count)), as: UTF8.self)
  }
}
