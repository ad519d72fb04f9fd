// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing

@testable import AddressRegistry

@Suite("Callers who want the same thing share one piece of work")
struct SingleFlightTests {
  /// Counts how often the work began and holds each run until its gate opens.
  private final class Work: Sendable {
    let gates: [Gate]
    private let runs = NIOLockedValueBox(0)
    let cancelled = Gate()
    init(gates: Int) { self.gates = (0..<gates).map { _ in Gate() } }
    var count: Int { self.runs.withLockedValue { $0 } }

    func run() async throws -> Int {
      let run = self.runs.withLockedValue { runs in
        runs += 1
        return runs
      }
      do { try await self.gates[run - 1].pass() } catch {
        self.cancelled.open()
        throw error
      }
      return run
    }
  }

  @Test("a hundred at once: one run, one answer for all")
  func hundred() async throws {
    let work = Work(gates: 1)
    let all = Gate()
    let flights = SingleFlight<String, Int>(onWaiting: { if $0 == 100 { all.open() } })
    let answers = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<100 { group.addTask { try await flights.value(for: "a", joiningRunning: true, work.run) } }
      try await all.pass()
      #expect(work.count == 1)
      work.gates[0].open()
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers == Array(repeating: 1, count: 100))
    #expect(work.count == 1)
  }

  @Test("other keys do not wait for each other")
  func keys() async throws {
    let work = Work(gates: 1)
    let flights = SingleFlight<String, Int>()
    async let slow = flights.value(for: "slow", joiningRunning: true, work.run)
    #expect(try await flights.value(for: "quick", joiningRunning: true) { 7 } == 7)
    work.gates[0].open()
    #expect(try await slow == 1)
  }

  @Test("those who want work that starts after they came get the next run, and share it")
  func next() async throws {
    let work = Work(gates: 2)
    let (first, rest) = (Gate(), Gate())
    let flights = SingleFlight<String, Int>(onWaiting: {
      if $0 == 1 { first.open() }
      if $0 == 4 { rest.open() }
    })
    async let early = flights.value(for: "a", joiningRunning: true, work.run)
    try await first.pass()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<3 { group.addTask { try await flights.value(for: "a", joiningRunning: false, work.run) } }
      try await rest.pass()
      for gate in work.gates { gate.open() }
      for try await answer in group { #expect(answer == 2) }
    }
    #expect(try await early == 1)
    #expect(work.count == 2)
  }

  @Test("a cancelled caller leaves at once; the others get their answer")
  func oneLeaves() async throws {
    let work = Work(gates: 1)
    let both = Gate()
    let flights = SingleFlight<String, Int>(onWaiting: { if $0 == 2 { both.open() } })
    let leaving = Task { try await flights.value(for: "a", joiningRunning: true, work.run) }
    let staying = Task { try await flights.value(for: "a", joiningRunning: true, work.run) }
    try await both.pass()
    leaving.cancel()
    await #expect(throws: CancellationError.self) { try await leaving.value }
    work.gates[0].open()
    #expect(try await staying.value == 1)
    #expect(work.count == 1)
  }

  @Test("when the last leaves, the work is cancelled; who comes then gets work of his own")
  func allLeave() async throws {
    let work = Work(gates: 2)
    let one = Gate()
    let flights = SingleFlight<String, Int>(onWaiting: { if $0 == 1 { one.open() } })
    let only = Task { try await flights.value(for: "a", joiningRunning: true, work.run) }
    try await one.pass()
    only.cancel()
    await #expect(throws: CancellationError.self) { try await only.value }
    work.gates[1].open()
    // Joins neither the cancelled run nor its end.
    let answer = try await flights.value(for: "a", joiningRunning: true, work.run)
    #expect(answer == work.count)
    #expect(work.count <= 2)
  }

  @Test("a caller that is cancelled before it comes does not wait")
  func cancelledBefore() async throws {
    let work = Work(gates: 1)
    let flights = SingleFlight<String, Int>()
    let begun = Gate()
    let caller = Task {
      try? await begun.pass()
      return try await flights.value(for: "a", joiningRunning: true, work.run)
    }
    caller.cancel()
    await #expect(throws: CancellationError.self) { try await caller.value }
  }

  @Test("an error goes to all who waited, and the next caller tries anew")
  func errors() async throws {
    struct Boom: Error {}
    let flights = SingleFlight<String, Int>()
    await #expect(throws: Boom.self) { try await flights.value(for: "a", joiningRunning: true) { throw Boom() } }
    #expect(try await flights.value(for: "a", joiningRunning: true) { 3 } == 3)
  }
}
