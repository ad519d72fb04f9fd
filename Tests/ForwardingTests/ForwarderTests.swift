// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing
import TjenestebussClient
import TjenestebussTesting

@testable import Forwarding

@Suite("A forwarder between brokers in memory", .timeLimit(.minutes(5)))
struct ForwarderTests {
  private static let ways: [(Dialect, Dialect)] = [
    (.serviceBusWindowsServer, .rabbitMQ4AddressV2), (.rabbitMQ4AddressV2, .serviceBusWindowsServer),
    (.azureServiceBus, .rabbitMQ3),
    (.rabbitMQ3, .rabbitMQ4AddressV1), (.rabbitMQ4AddressV2, .rabbitMQ3), (.activeMQ, .rabbitMQ4AddressV2),
    (.rabbitMQ3, .activeMQ),
    (.rabbitMQ3, .azureServiceBus),
  ]

  @Test(
    "in every direction, strict and fast: all of it, in order, byte for byte", arguments: ways,
    [ForwardingRules.Mode.strict, .fast])
  func carries(_ way: (Dialect, Dialect), _ mode: ForwardingRules.Mode) async throws {
    try await TwoBuses.with(from: way.0, to: way.1) { buses in
      try await buses.fill((0..<40).map { .health("m-\($0)", body: Array(repeating: UInt8($0), count: 50 + $0 * 7)) })
      // What the source link gives: taken once by another client, and given back.
      let seen = try await TwoBuses.take(40, from: buses.source, settle: false).map(TwoBuses.bare)
      var rules = ForwardingRules()
      rules.mode = mode
      let report = try await buses.carry(rules)
      #expect(report.ending == .idle)
      #expect(report.counts.accepted == 40)
      #expect(report.counts.settled == 40)
      #expect(report.counts.possibleDuplicates == 0)
      #expect(try await buses.source.depth(of: "q") == 0)
      #expect(try await buses.target.depth(of: "q") == 40)
      let got = try await TwoBuses.take(40, from: buses.target).map(TwoBuses.bare)
      #expect(got == seen)
    }
  }

  @Test("a queue that is not there on the target: nothing is taken from the source, and the words name it")
  func missingTarget() async throws {
    for target in [Dialect.rabbitMQ4AddressV2, .rabbitMQ3] {
      try await TwoBuses.with(to: target, targetQueue: "other") { buses in
        try await buses.fill([.health("m-1")])
        let report = try await buses.carry()
        guard case .stopped(let error) = report.ending else {
          Issue.record("ended \(report.ending)")
          return
        }
        #expect(error.code == .targetUnavailable)
        #expect(report.counts.received == 0)
        #expect(try await buses.source.depth(of: "q") == 1)
      }
    }
  }

  @Test("a full target queue stops the queue; what had no later one of its sender goes again, the rest is set aside and stays")
  func full() async throws {
    try await TwoBuses.with(targetQueue: BrokerQueue("q", maximumLength: 5)) { buses in
      try await buses.fill((0..<12).map { .health("m-\($0)", from: "\($0)") })
      let report = try await buses.carry()
      guard case .stopped(let error) = report.ending else {
        Issue.record("ended \(report.ending)")
        return
      }
      #expect(error.code == .notAccepted)
      #expect(report.counts.accepted == 5)
      #expect(try await buses.target.depth(of: "q") == 5)
      #expect(try await buses.source.depth(of: "q") == 7)
      #expect(report.setAside.isEmpty)
      _ = try await TwoBuses.take(5, from: buses.target)
      let second = try await buses.carry()
      #expect(second.counts.accepted == 5)
      #expect(second.counts.possibleDuplicates == 0)
      #expect(try await buses.source.depth(of: "q") == 2)
    }
  }

  @Test("too large for the target, without a body, expired, of unknown age: set aside with the reason, held, and given back")
  func setAside() async throws {
    try await TwoBuses.with(from: .serviceBusWindowsServer, to: .rabbitMQ4AddressV2, maximumSize: 10_000) { buses in
      try await buses.fill([
        .health("good"), .health("large", body: Array(repeating: 7, count: 20_000)),
        .health("old", timeToLive: 60_000_000) { $0.properties.absoluteExpiryTime = 1_000 },
        .health("good-2"),
      ])
      let report = try await buses.carry()
      #expect(report.ending == .idle)
      #expect(report.counts.accepted == 2)
      #expect(Set(report.setAside.map { "\($0.messageID) \($0.reason)" }) == ["large tooLarge", "old expired"])
      #expect(try await buses.source.depth(of: "q") == 2)
      // A later run holds them again, without sending.
      let second = try await buses.carry()
      #expect(second.counts.accepted == 0)
      #expect(second.counts.setAside.isEmpty)
      #expect(second.setAside.count == 2)
      #expect(try await buses.source.depth(of: "q") == 2)
      #expect(try await buses.target.depth(of: "q") == 2)
    }
  }

  @Test("a sync queue is left to expire, whatever is in it")
  func sync() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill([.health("m-1"), .health("m-2")])
      var rules = ForwardingRules.fast
      rules.leavesToExpire = true
      let report = try await buses.carry(rules)
      #expect(report.counts.setAside == [.leftToExpire: 2])
      #expect(try await buses.source.depth(of: "q") == 2)
      #expect(try await buses.target.depth(of: "q") == 0)
    }
  }

  @Test("the user-id is made null and nothing else; priority and the rest of the time to live stay")
  func userID() async throws {
    try await TwoBuses.with(from: .azureServiceBus, to: .rabbitMQ4AddressV2) { buses in
      let message = AMQPMessage.health("m-1", timeToLive: 600_000) {
        $0.header?.priority = 7
        $0.properties.userID = Array("someone".utf8)
        $0.footer = AMQPMap([.init(key: .symbol("x-sum"), value: "1")])
      }
      try await buses.fill([message])
      let report = try await buses.carry()
      #expect(report.counts.accepted == 1)
      let got = try #require(try await TwoBuses.take(1, from: buses.target).first).message()
      var wanted = message.properties
      wanted.userID = nil
      // Service Bus states when it expires.
      wanted.absoluteExpiryTime = got.properties.absoluteExpiryTime
      #expect(got.properties == wanted)
      #expect(got.header?.priority == 7)
      #expect(got.header?.durable == true)
      let left = try #require(got.header?.timeToLive)
      #expect(left <= 600_000 && left > 300_000)
      #expect(got.applicationProperties == message.applicationProperties)
      #expect(got.footer == message.footer)
    }
  }

  @Test("outcomes that never come: the message goes again over a new link, and is listed; every message arrives")
  func unknownOutcome() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill((0..<10).map { .health("m-\($0)") })
      try await buses.target.holdOutcomes()
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let forwarder = try buses.forwarder(journal: journal)
      async let run = forwarder.run(untilIdleFor: .seconds(3))
      try await buses.target.waitUntil { $0.depth(of: "q") == 10 }
      try await buses.target.cutAllConnections()
      try await buses.target.releaseOutcomes()
      let report = try await run
      #expect(report.ending == .idle)
      #expect(report.counts.possibleDuplicates == 10)
      #expect(journal.possibleDuplicates().map(\.messageID).sorted() == (0..<10).map { "m-\($0)" }.sorted())
      #expect(try await buses.target.depth(of: "q") == 20)
      #expect(try await buses.source.depth(of: "q") == 0)
      await journal.close()
    }
  }

  @Test("a settlement that the source never read: the message is not sent again, but settled")
  func settledAgain() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill((0..<10).map { .health("m-\($0)") })
      try await buses.target.holdOutcomes()
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let forwarder = try buses.forwarder(journal: journal)
      async let run = forwarder.run(untilIdleFor: .seconds(3))
      try await buses.target.waitUntil { $0.depth(of: "q") == 10 }
      // The source is lost while the outcomes are outstanding; they come after it.
      try await buses.source.cutAllConnections()
      try await buses.source.waitUntil { $0.connections.isEmpty }
      try await buses.target.releaseOutcomes()
      let report = try await run
      #expect(report.ending == .idle)
      #expect(report.counts.settledAgain == 10)
      #expect(report.counts.possibleDuplicates == 0)
      #expect(try await buses.target.depth(of: "q") == 10)
      #expect(try await buses.source.depth(of: "q") == 0)
      await journal.close()
    }
  }

  @Test("source links that are detached without a word in mid-stream are attached again, and nothing is lost or doubled")
  func emptyDetach() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill((0..<300).map { .health("m-\($0)", from: "\($0 % 7)") })
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let forwarder = try buses.forwarder(journal: journal)
      async let run = forwarder.run(untilIdleFor: .seconds(3))
      for depth in [20, 120, 220] {
        try await buses.target.waitUntil { $0.depth(of: "q") >= depth }
        try? await buses.source.detachLinks(of: "q")
      }
      let report = try await run
      #expect(report.ending == .idle)
      #expect(try await buses.source.depth(of: "q") == 0)
      let ids = try await buses.target.messageIDs(in: "q").compactMap { $0?.description }
      #expect(Set(ids).count == 300)
      #expect(ids.count - 300 <= journal.possibleDuplicates().count)
      await journal.close()
    }
  }

  @Test("stopping gives back what was not sent, and is the same twice; pausing sends nothing")
  func stops() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill((0..<30).map { .health("m-\($0)") })
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let forwarder = try buses.forwarder(journal: journal)
      forwarder.pause()
      async let run = forwarder.run()
      try await buses.source.waitUntil { ($0.queues["q"]?.locked ?? 0) == 30 }
      #expect(try await buses.target.depth(of: "q") == 0)
      forwarder.stop()
      forwarder.stop()
      let report = try await run
      #expect(report.ending == .asked)
      try await buses.source.waitUntil { ($0.queues["q"]?.locked ?? 1) == 0 && $0.depth(of: "q") == 30 }
      await journal.close()
      let second = try await buses.carry()
      #expect(second.counts.accepted == 30)
      #expect(second.counts.possibleDuplicates == 0)
    }
  }

  @Test("cancelling is stopping: a target that answers nothing holds it no longer than the limit, and all is listed next time")
  func cancelled() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill((0..<5).map { .health("m-\($0)") })
      try await buses.target.holdOutcomes()
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let forwarder = try buses.forwarder(journal: journal, stopLimit: .milliseconds(200))
      let task = Task { try await forwarder.run() }
      try await buses.target.waitUntil { $0.depth(of: "q") == 5 }
      task.cancel()
      #expect(try await task.value.ending == .asked)
      await journal.close()
      try await buses.target.releaseOutcomes()
      let second = try await buses.carry()
      #expect(second.counts.possibleDuplicates == 5)
      #expect(try await buses.source.depth(of: "q") == 0)
    }
  }

  @Test("progress is told while it runs, ends with the run, and its last word is the whole")
  func progress() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill((0..<30).map { .health("m-\($0)") })
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      let forwarder = try buses.forwarder(journal: journal)
      let progress = forwarder.progress
      let unread = forwarder.progress
      async let run = forwarder.run(untilIdleFor: .seconds(3))
      var last: ForwardingCounts?
      for await counts in progress { last = counts }
      let report = try await run
      #expect(last?.accepted == 30)
      #expect(report.counts == last)
      _ = unread
      await journal.close()
    }
  }

  @Test("a dry run asks the counter and takes nothing")
  func dry() async throws {
    try await TwoBuses.with { buses in
      try await buses.fill([.health("m-1")])
      let journal = try await ForwardingJournal.open(at: buses.journalPath)
      var rules = ForwardingRules()
      rules.isDryRun = true
      let forwarder = try buses.forwarder(rules, journal: journal)
      let report = try await forwarder.run { try await buses.source.depth(of: "q") }
      #expect(report.ending == .counted(1))
      #expect(try await buses.source.counters().delivered == 0)
      await #expect(throws: ForwardingError.self) { _ = try await forwarder.run() }
      await journal.close()
    }
  }
}
