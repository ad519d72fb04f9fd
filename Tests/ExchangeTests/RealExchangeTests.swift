// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// One row at one broker.
struct Case: Sendable, CustomTestStringConvertible {
  let row: Row
  let bus: Bus

  var testDescription: String { "\(self.row.name), \(self.bus.rawValue)" }

  static let every = Row.all.flatMap { row in row.buses.map { Case(row: row, bus: $0) } }

  /// Those that can be compared.
  static let recorded = every.filter { $0.row.speed != .alone || Recordings.transcript($0.row.name, at: $0.bus) != nil }

  func play(on stage: any Stage) async throws -> [String] {
    let exchange = Exchange(stage)
    do {
      try await self.row.play(exchange)
    } catch {
      await exchange.end()
      throw error
    }
    await exchange.end()
    return exchange.lines
  }
}

/// What the environment asks for.
enum Wanted {
  static func isSet(_ name: String) -> Bool { ProcessInfo.processInfo.environment[name] != nil }

  /// The bus whose answers are to be recorded anew.
  static let recording = ProcessInfo.processInfo.environment["TJENESTEBUSS_RECORD"].flatMap(Bus.init(rawValue:))

  static func isPlayed(_ one: Case) -> Bool {
    switch one.row.speed {
    case .quick: Bus.here.contains(one.bus)
    case .slow: Bus.here.contains(one.bus) && isSet("TJENESTEBUSS_SLOW_EXCHANGES")
    case .alone: Bus.here.contains(one.bus) && isSet("TJENESTEBUSS_OWN_BROKERS")
    }
  }
}

/// What real brokers answered is in `Recordings`; here they are asked again.
@Suite("Exchanges with real brokers")
struct RealExchangeTests {
  private static let turnstile = Turnstile(12)

  static let cases = Wanted.recording == nil ? Case.every.filter(Wanted.isPlayed) : []

  @Test("a real broker does as recorded", arguments: cases)
  fileprivate func asRecorded(_ one: Case) async throws {
    let expected = try #require(Recordings.transcript(one.row.name, at: one.bus), "no recording")
    var seen: [String] = []
    // A loaded machine is late now and then: what differs is looked at again.
    for attempt in 1...3 {
      do {
        seen = try await Self.turnstile.pass { try await one.play(on: try RealStage(one.bus)) }
      } catch  where attempt < 3 {
        continue
      }
      if seen == expected { return }
    }
    Issue.record("\(one.testDescription)\nrecorded:\n\(expected.joined(separator: "\n"))\nnow:\n\(seen.joined(separator: "\n"))")
  }

  @Test("recording")
  func record() async throws {
    guard let bus = Wanted.recording else { return }
    let only = ProcessInfo.processInfo.environment["TJENESTEBUSS_RECORD_ONLY"]
    let cases = Case.every.filter { $0.bus == bus && Wanted.isPlayed($0) && (only.map($0.row.name.contains) ?? true) }
    let kept = try await withThrowingTaskGroup(of: (String, [String]).self) { group in
      for one in cases {
        group.addTask {
          do {
            return (one.row.name, try await Self.turnstile.pass { try await one.play(on: try RealStage(one.bus)) })
          } catch {
            Issue.record("\(one.testDescription): \(error)")
            return (one.row.name, [])
          }
        }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    try Recordings.keep(kept.filter { !$0.value.isEmpty }, at: bus)
  }

  @Test("each row has a recording at each of its brokers, and no recording is without a row", arguments: Bus.allCases)
  func complete(_ bus: Bus) {
    let rows = Row.all.filter { $0.buses.contains(bus) }
    let names = Set(rows.map(\.name))
    // Rows that need a broker of their own are recorded where somebody has done it.
    let needed = Set(rows.filter { $0.speed != .alone }.map(\.name))
    #expect(needed.isSubset(of: Recordings.rows(at: bus)), "not recorded: \(needed.subtracting(Recordings.rows(at: bus)))")
    #expect(Recordings.rows(at: bus).isSubset(of: names))
    #expect(names.count == rows.count, "two rows of one name")
  }
}
