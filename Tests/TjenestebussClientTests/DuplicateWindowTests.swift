// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import TjenestebussClient

@Suite("Duplicates within a window", .timeLimit(.minutes(5)))
struct DuplicateWindowTests {
  private func key(_ id: String, from: Int32 = 100, to: Int32 = 200) throws -> MessageKey {
    var message = try Fixture.incoming(id: id)
    message.from = try Fixture.herID(from)
    message.to = try Fixture.herID(to)
    return MessageKey(message)
  }

  @Test("A copy of a handled message is a duplicate; a copy of one that failed is not")
  func handledOrFailed() throws {
    var window = DuplicateWindow(count: 10, age: .seconds(60))
    let a = try self.key("a")
    #expect(window.arrives(a, at: .zero) == .first)
    #expect(window.handled(a, at: .seconds(1)) == [])
    #expect(window.arrives(a, at: .seconds(2)) == .handledBefore)

    let b = try self.key("b")
    #expect(window.arrives(b, at: .seconds(2)) == .first)
    #expect(window.failed(b) == nil)
    #expect(window.arrives(b, at: .seconds(3)) == .first, "the first failed: the copy goes to the handler")
  }

  @Test("The same id from another sender, or to another receiver, is another message")
  func otherSender() throws {
    var window = DuplicateWindow(count: 10, age: .seconds(60))
    #expect(window.arrives(try self.key("a"), at: .zero) == .first)
    #expect(window.handled(try self.key("a"), at: .zero) == [])
    #expect(window.arrives(try self.key("a", from: 101), at: .zero) == .first)
    #expect(window.arrives(try self.key("a", to: 201), at: .zero) == .first)
  }

  @Test(
    "While the first is in its handler copies stand in line: all are duplicates when it succeeds, the next is first when it fails"
  )
  func line() throws {
    var window = DuplicateWindow(count: 10, age: .seconds(60))
    let a = try self.key("a")
    #expect(window.arrives(a, at: .zero) == .first)
    #expect(window.arrives(a, at: .zero) == .underWay)
    for waiter: DuplicateWindow.Waiter in 1...3 { #expect(window.getInLine(waiter, for: a, at: .zero) == nil) }
    #expect(window.failed(a) == 1, "takes its place")
    #expect(window.arrives(a, at: .zero) == .underWay)
    #expect(window.leaveLine(2, of: a) == true)
    #expect(window.leaveLine(2, of: a) == false)
    #expect(window.handled(a, at: .zero) == [3])
    #expect(window.getInLine(4, for: a, at: .zero) == .handledBefore)
  }

  @Test("Forgotten by age and by count, the oldest first; what is in its handler is never forgotten")
  func bounds() throws {
    var window = DuplicateWindow(count: 2, age: .seconds(60))
    let stuck = try self.key("stuck")
    #expect(window.arrives(stuck, at: .zero) == .first)
    for id in ["a", "b", "c"] {
      #expect(window.arrives(try self.key(id), at: .zero) == .first)
      #expect(window.handled(try self.key(id), at: .zero) == [])
    }
    #expect(window.remembered == 2)
    #expect(window.arrives(try self.key("c"), at: .seconds(59)) == .handledBefore)
    #expect(window.arrives(try self.key("a"), at: .seconds(59)) == .first, "beyond the count")
    #expect(window.arrives(try self.key("c"), at: .seconds(60)) == .first, "beyond the age")
    #expect(window.arrives(stuck, at: .seconds(1_000)) == .underWay)
  }

  @Test(
    "Whatever happens: a message is accepted as a duplicate only after a success, and nobody is left in line", arguments: 0..<20)
  func model(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var window = DuplicateWindow(count: 5, age: .seconds(20))
    var inHandler: Set<MessageKey> = []
    var succeeded: Set<MessageKey> = []
    var lines: [MessageKey: [DuplicateWindow.Waiter]] = [:]
    var lastWaiter: DuplicateWindow.Waiter = 0
    let keys = try (0..<8).map { try self.key("m\($0)") }
    for step in 0..<2_000 {
      let now = Duration.milliseconds(step * 100)
      let key = keys[Int(random.next() % 8)]
      switch random.next() % 4 {
      case 0, 1:
        switch window.arrives(key, at: now) {
        case .first: #expect(inHandler.insert(key).inserted, "never two handlers for one message")
        case .handledBefore: #expect(succeeded.contains(key) && !inHandler.contains(key))
        case .underWay:
          #expect(inHandler.contains(key))
          lastWaiter += 1
          #expect(window.getInLine(lastWaiter, for: key, at: now) == nil)
          lines[key, default: []].append(lastWaiter)
        }
      case 2:
        guard inHandler.remove(key) != nil else { continue }
        succeeded.insert(key)
        #expect(window.handled(key, at: now) == lines.removeValue(forKey: key) ?? [])
      default:
        guard inHandler.contains(key) else { continue }
        var line = lines[key] ?? []
        #expect(window.failed(key) == line.first)
        if line.isEmpty { inHandler.remove(key) } else { line.removeFirst() }
        lines[key] = line
      }
      #expect(window.remembered <= 5)
      #expect(window.underWay == inHandler.count)
    }
  }

  @Test("A copy that waits is told when the first succeeds; the next in line goes ahead when it fails; a late one is told so")
  func gate() async throws {
    let gate = DuplicateGate(DuplicateWindow(count: 10, age: .seconds(600)))
    let a = try self.key("a")
    #expect(gate.arrives(a) == .first)
    async let copy = gate.wait(for: a, within: .seconds(600))
    while gate.waitingCount < 1 { await Task.yield() }
    gate.failed(a)
    #expect(await copy == .first)
    #expect(gate.arrives(a) == .underWay)
    #expect(await gate.wait(for: a, within: .milliseconds(1)) == .underWay, "not ended in time")
    let cancelled = Task { await gate.wait(for: a, within: .seconds(600)) }
    cancelled.cancel()
    #expect(await cancelled.value == .underWay)
    async let other = gate.wait(for: a, within: .seconds(600))
    while gate.waitingCount < 1 { await Task.yield() }
    gate.handled(a)
    #expect(await other == .handledBefore)
    #expect(await gate.wait(for: a, within: .seconds(600)) == .handledBefore)
    #expect(gate.waitingCount == 0)
  }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 }
  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var z = self.state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
