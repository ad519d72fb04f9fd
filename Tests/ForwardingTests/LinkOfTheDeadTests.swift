// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import NIOConcurrencyHelpers
import Testing
import TjenestebussTesting

@testable import Forwarding

/// A process that held the journal died. What the next one does with a queue that the bus may still hold messages of for the dead one's link.
@Suite("After a crash the bus is asked who is on the source queue", .timeLimit(.minutes(2)))
struct LinkOfTheDeadTests {
  private final class Asked: Sendable {
    private let box = NIOLockedValueBox(0)
    var times: Int { self.box.withLockedValue { $0 } }
    func links(_ count: Int?) -> SourceLinks {
      SourceLinks(lag: .milliseconds(1)) {
        self.box.withLockedValue { $0 += 1 }
        return count
      }
    }
  }

  /// The journal of a process that took the queue and was killed before it had written anything of a message.
  private func afterCrash(_ buses: TwoBuses) async throws -> ForwardingJournal {
    let journal = try await ForwardingJournal.open(at: buses.journalPath)
    _ = try await self.forwarder(buses, journal, nil).run(untilIdleFor: .milliseconds(10))
    let left = "\(buses.folder)/left"
    try FileManager.default.copyItem(atPath: buses.journalPath, toPath: left)
    await journal.close()
    return try await ForwardingJournal.open(at: left)
  }

  private func forwarder(_ buses: TwoBuses, _ journal: ForwardingJournal, _ links: SourceLinks?) throws -> Forwarder {
    Forwarder(
      source: try TwoBuses.endpoint(buses.source, "source"), sourceQueue: "q",
      target: try TwoBuses.endpoint(buses.target, "target"),
      targetQueue: "q", rules: .fast, journal: journal, sourceLinks: links)
  }

  @Test("nobody is there: it goes on at once, and is not asked again")
  func nobody() async throws {
    try await TwoBuses.with { buses in
      let journal = try await self.afterCrash(buses)
      try await buses.fill([.health("1"), .health("2")])
      let asked = Asked()
      let report = try await self.forwarder(buses, journal, asked.links(0)).run(untilIdleFor: .seconds(3))
      #expect(report.counts.accepted == 2)
      #expect(asked.times == 1)
      let again = try await self.forwarder(buses, journal, asked.links(0)).run(untilIdleFor: .milliseconds(10))
      #expect(again.counts.accepted == 0)
      #expect(asked.times == 1, "what was answered once is known")
      await journal.close()
    }
  }

  @Test("somebody is there, or nobody can say: what comes is held, with words, and given back at the end", arguments: [1, nil])
  func somebody(_ count: Int?) async throws {
    try await TwoBuses.with { buses in
      let journal = try await self.afterCrash(buses)
      try await buses.fill([.health("1"), .health("2")])
      let asked = Asked()
      let forwarder = try self.forwarder(buses, journal, asked.links(count))
      let progress = forwarder.progress
      async let ended = forwarder.run()
      for await counts in progress where counts.notice != nil { break }
      forwarder.stop()
      let counts = try await ended.counts
      #expect(asked.times == 1)
      #expect(counts.received > 0)
      #expect(counts.accepted == 0, "what the dead link holds would be overtaken")
      await journal.close()
      #expect(try await TwoBuses.take(2, from: buses.source).count == 2)
    }
  }

  @Test("a process that left in order: nobody is asked")
  func inOrder() async throws {
    try await TwoBuses.with { buses in
      _ = try await buses.carry()
      try await buses.fill([.health("1")])
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let asked = Asked()
      let report = try await self.forwarder(buses, journal, asked.links(1)).run(untilIdleFor: .seconds(3))
      #expect(report.counts.accepted == 1)
      #expect(asked.times == 0)
      await journal.close()
    }
  }
}
