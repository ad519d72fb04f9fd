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
    // One at a time, by a test of its own.
    case .alone: false
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

  @Test("brokers that are stopped, killed or in alarm do as recorded, where they are ours alone (`make prove`)")
  func alone() async throws {
    guard Wanted.isSet("TJENESTEBUSS_OWN_BROKERS"), Wanted.recording == nil else { return }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for bus in Bus.here {
        group.addTask {
          for one in Case.every where one.row.speed == .alone && one.bus == bus {
            let expected = try #require(Recordings.transcript(one.row.name, at: bus), "no recording of \(one.testDescription)")
            var seen: [String] = []
            for _ in 1...2 where seen != expected { seen = try await Self.playAlone(one) }
            print("alone | \(bus.rawValue) | \(one.row.name) | \(seen == expected ? "as recorded" : "otherwise")")
            #expect(seen == expected, "\(one.testDescription)")
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// The broker is there again afterwards.
  private static func playAlone(_ one: Case) async throws -> [String] {
    let stage = try RealStage(one.bus)
    do {
      let lines = try await one.play(on: stage)
      try await stage.startBroker()
      return lines
    } catch {
      try await stage.startBroker()
      throw error
    }
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
    var recorded = kept.filter { !$0.value.isEmpty }
    if Wanted.isSet("TJENESTEBUSS_OWN_BROKERS") {
      for one in Case.every where one.bus == bus && one.row.speed == .alone && (only.map(one.row.name.contains) ?? true) {
        recorded[one.row.name] = try await Self.playAlone(one)
      }
    }
    try Recordings.keep(recorded, at: bus)
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

  @Test("what the dialect is said to do with a Detach that closes a link is what was recorded", arguments: Bus.allCases)
  func closeOfLink(_ bus: Bus) throws {
    let transcript = try #require(Recordings.transcript("detach by the client", at: bus))
    #expect(transcript.contains("< detach closed") == bus.dialect.capabilities.answersCloseOfLink)
    #expect(transcript.contains("< detach") != bus.dialect.capabilities.answersCloseOfLink)
  }
}
