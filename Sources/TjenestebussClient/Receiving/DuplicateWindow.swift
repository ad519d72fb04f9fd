// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What makes two deliveries the same message: the sender's message id, from and to.
struct MessageKey: Sendable, Hashable {
  var messageID: String
  var from: HerID
  var to: HerID

  init(_ message: HealthMessage) {
    self.messageID = message.messageID
    self.from = message.from
    self.to = message.to
  }
}

/// Which messages were handled lately, and which are in a handler now: by them a message that comes again is known. Pure: the
/// time comes in.
///
/// A copy is a duplicate only when the first was **handled with success**. While the first is in its handler, copies stand in
/// line behind it; when it fails, the next in line takes its place. What is forgotten (by age, by count, by a restart) is handled
/// again: the window never loses a message, it only spares the handler the copies it remembers.
struct DuplicateWindow: Sendable {
  typealias Waiter = UInt64

  enum Arrival: Sendable, Hashable {
    /// Not known: to the handler with it, and ``handled(_:at:)`` or ``failed(_:)`` afterwards.
    case first
    /// Handled with success before: accept it.
    case handledBefore
    /// In a handler now: get in line.
    case underWay
  }

  private enum Entry: Sendable {
    case underWay(line: [Waiter])
    case handled
  }

  private let count: Int
  private let age: Duration
  private var entries: [MessageKey: Entry] = [:]
  /// Handled ones in the order in which they were handled; those before `oldest` are forgotten.
  private var handledInOrder: [(key: MessageKey, at: Duration)] = []
  private var oldest = 0

  /// - Parameters:
  ///   - count: how many handled messages are remembered at most.
  ///   - age: how long.
  init(count: Int, age: Duration) {
    self.count = count
    self.age = age
  }

  var remembered: Int { self.handledInOrder.count - self.oldest }
  var underWay: Int { self.entries.count - self.remembered }

  mutating func arrives(_ key: MessageKey, at now: Duration) -> Arrival {
    self.forget(at: now)
    switch self.entries[key] {
    case nil:
      self.entries[key] = .underWay(line: [])
      return .first
    case .handled: return .handledBefore
    case .underWay: return .underWay
    }
  }

  /// Gets in line behind the one that is in its handler.
  ///
  /// - Returns: what the copy is now, when there is nothing to wait for any more; nil when it stands in line.
  mutating func getInLine(_ waiter: Waiter, for key: MessageKey, at now: Duration) -> Arrival? {
    switch self.entries[key] {
    case .underWay(let line):
      self.entries[key] = .underWay(line: line + [waiter])
      return nil
    case .handled, nil: return self.arrives(key, at: now)
    }
  }

  /// - Returns: false when it was not in line: it has been told what it is already.
  mutating func leaveLine(_ waiter: Waiter, of key: MessageKey) -> Bool {
    guard case .underWay(let line) = self.entries[key], line.contains(waiter) else { return false }
    self.entries[key] = .underWay(line: line.filter { $0 != waiter })
    return true
  }

  /// - Returns: all who stood in line: they are duplicates of a handled message.
  mutating func handled(_ key: MessageKey, at now: Duration) -> [Waiter] {
    guard case .underWay(let line) = self.entries[key] else { return [] }
    self.entries[key] = .handled
    self.handledInOrder.append((key, now))
    self.forget(at: now)
    return line
  }

  /// - Returns: the next in line, which is the first now; nil when nobody stood in line.
  mutating func failed(_ key: MessageKey) -> Waiter? {
    guard case .underWay(let line) = self.entries[key] else { return nil }
    guard let next = line.first else {
      self.entries[key] = nil
      return nil
    }
    self.entries[key] = .underWay(line: Array(line.dropFirst()))
    return next
  }

  private mutating func forget(at now: Duration) {
    while self.oldest < self.handledInOrder.count {
      let (key, at) = self.handledInOrder[self.oldest]
      guard self.remembered > self.count || now - at >= self.age else { break }
      self.entries[key] = nil
      self.oldest += 1
    }
    if self.oldest > 1_000, self.oldest > self.handledInOrder.count / 2 {
      self.handledInOrder.removeFirst(self.oldest)
      self.oldest = 0
    }
  }
}
