// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import Migration

/// Each class, at its edges.
@Suite("Classes of what strands")
struct StrandedClassTests {
  static let watermark = Fixture.start
  static let late = Self.watermark + .hours(30)

  /// A ledger whose quiet is a day; HER-ID 900 was found never to leave.
  private func classifier(_ change: (inout DrainLedger) -> Void = { _ in }) -> StrandedClassifier {
    var ledger = DrainLedger()
    ledger.watermark = Self.watermark
    ledger.senders = [
      DrainLedger.SenderSeen(herID: Fixture.herID(900), firstAt: 1, lastAt: 2, suspectedAt: 1, convictedAt: 2),
      DrainLedger.SenderSeen(herID: Fixture.herID(901), firstAt: 1, lastAt: 2, suspectedAt: 1),
    ]
    change(&ledger)
    return StrandedClassifier(ledger, policy: Policy(), now: Self.late)
  }

  private func told(
    _ kind: QueueKind = .asynchronous, from: Int32? = 902, came: Instant? = Self.late,
    _ change: (inout MessageSighting) -> Void = { _ in }
  ) -> (StrandedClass, Healing) {
    self.classifier().classify(SightingTests.message(from, came, change), on: kind)
  }

  @Test("given up, or handed out so often that it is about to be")
  func deadLetters() {
    #expect(self.told(.deadLetter) == (.deadLetter, .never))
    #expect(self.told { $0.state = .deadLettered } == (.deadLetter, .never))
    #expect(self.told { $0.deliveryCount = 10 } == (.deadLetter, .never))
    #expect(self.told { $0.deliveryCount = 9 }.0 == .staleAddress)
    #expect(self.told(.error) { $0.deliveryCount = 10 }.0 == .deadLetter)
  }

  @Test("a ping of ours is told as that, wherever it lies; among dead letters it stays")
  func pings() {
    #expect(self.told { $0.isPing = true } == (.ping, .byItself(by: nil)))
    let expiring = self.told(from: nil) {
      $0.isPing = true
      $0.expiresAt = Self.late.milliseconds
    }
    #expect(expiring == (.ping, .byItself(by: Self.late)))
    #expect(self.told(.deadLetter) { $0.isPing = true } == (.ping, .never))
    let dead = self.told {
      $0.isPing = true
      $0.state = .deadLettered
    }
    #expect(dead == (.ping, .never))
    #expect(self.told(.deadLetter) { $0.isPing = false }.0 == .deadLetter)
  }

  @Test("locked, deferred or scheduled; error reports; replies")
  func kinds() {
    for state in [MessageSighting.State.locked, .deferred, .scheduled] {
      #expect(self.told { $0.state = state } == (.heldBack, .perhaps))
    }
    #expect(self.told(.error, from: nil) == (.errorReport, .perhaps))
    let reply = self.told(.synchronousReply)
    #expect(reply == (.lateReply, .byItself(by: Self.late + .seconds(15))))
    let expiring = self.told(.synchronousReply) { $0.expiresAt = Self.late.milliseconds }
    #expect(expiring == (.lateReply, .byItself(by: Self.late)))
    let sent = self.told(.synchronousReply, came: nil) { $0.sentAt = Self.late.milliseconds }
    #expect(sent == (.lateReply, .byItself(by: nil)))
  }

  @Test("without a sender, or without any id, it is an alien; without a time nothing is said")
  func aliens() {
    #expect(self.told(from: nil).0 == .alien)
    #expect(self.told { $0.messageID = nil }.0 == .alien)
    #expect(
      self.told {
        $0.messageID = nil
        $0.correlationID = "c"
      }.0 == .staleAddress)
    #expect(self.told(came: nil).0 == .unknown)
    // A sender's clock may be wrong either way.
    for sent in [Self.watermark + .hours(-1), Self.late] {
      #expect(self.told(from: 900, came: nil) { $0.sentAt = sent.milliseconds } == (.unknown, .perhaps))
    }
    let unmarked = self.classifier { $0.watermark = nil }
    #expect(unmarked.classify(SightingTests.message(902, Self.late), on: .asynchronous).0 == .unknown)
  }

  @Test(
    "before the move, give or take the clocks, it is in flight; after that its sender goes by an old copy, and heals by a time")
  func times() {
    let edge = Self.watermark + .minutes(5)
    #expect(self.told(came: edge) == (.inFlight, .byItself(by: nil)))
    #expect(self.told(came: edge) { $0.expiresAt = Self.late.milliseconds } == (.inFlight, .byItself(by: Self.late)))
    let day = Self.watermark + .hours(24)
    #expect(self.told(came: edge + .milliseconds(1)) == (.staleAddress, .byItself(by: day)))
    #expect(self.told(came: day) == (.staleAddress, .byItself(by: day)))
    let lateness = Self.watermark + .hours(48) + .minutes(5)
    #expect(self.told(came: day + .milliseconds(1)) == (.staleAddress, .byItself(by: lateness)))
    #expect(self.told(.synchronous, came: day) == (.staleAddress, .byItself(by: day)))
    let seen = self.classifier { $0.longestCacheSeen = .hours(30) }
    let by = Self.watermark + .hours(30) + .minutes(6)
    #expect(seen.classify(SightingTests.message(902, Self.late), on: .asynchronous) == (.staleAddress, .byItself(by: by)))
  }

  @Test("only who was found to never leaves; a suspicion is none")
  func convicted() {
    #expect(self.told(from: 900) == (.neverLeaves, .never))
    #expect(self.told(from: 901).0 == .staleAddress)
    #expect(self.told(from: 900, came: Self.watermark).0 == .inFlight)
  }

  @Test("what lies there is told by class and sender, with its vendor; what was not looked at says what is missing")
  func findings() {
    var ledger = DrainLedger()
    ledger.watermark = Self.watermark
    var look = Fixture.look(depth: 5)
    look[2].count = .counted(depth: 2, arrivals: nil, consumers: 1)
    ledger.take(look, at: Self.late, longestGap: .hours(1))
    let messages = [
      SightingTests.message(902, Self.late) { $0.library = "Helsenorge.Messaging" },
      SightingTests.message(902, Self.late + .hours(-1)) { $0.library = "Helsenorge.Messaging" },
      SightingTests.message(903, Self.watermark) { $0.deadLetterReason = "poison" },
    ]
    ledger.take(
      .sighted(queue: SightingTests.queue, sightings: messages, isWhole: false), at: Self.late, policy: Policy())
    func found(_ dialect: Dialect?) -> [StrandedFinding] {
      ledger.stranded(policy: Policy(), dialect: dialect, now: Self.late) { $0.value == 902 ? "Alfa" : nil }
    }
    let findings = found(.azureServiceBus)
    #expect(findings.map(\.strandedClass) == [.staleAddress, .inFlight, .unknown, .errorReport, .deadLetter])
    #expect(findings.map(\.count) == [2, 1, 2, 2, 2])
    #expect(findings[0].sender?.vendor == "Alfa" && findings[0].sender?.library == "Helsenorge.Messaging")
    #expect(findings[0].oldest == Self.late + .hours(-1) && findings[0].newest == Self.late)
    #expect(findings[0].sequenceNumbers == [7, 7] && findings[0].needed == nil)
    #expect(findings[1].sender?.vendor == nil && findings[1].deadLetterReasons == ["poison"])
    #expect(findings[2].sender == nil && findings[2].needed?.contains("more than are looked at") == true)
    #expect(found(.rabbitMQ3)[2].needed?.contains("without handing them out") == true)
    #expect(found(nil)[2].needed?.contains("without handing them out") == true)
    for finding in findings { #expect(finding.code == finding.strandedClass.code && !finding.meaning.isEmpty) }
    #expect(Set(StrandedClass.allCases.map(\.code)).count == 10)
    #expect(
      Healing.byItself(by: nil).words == "heals by itself" && Healing.byItself(by: Self.late).words.contains("\(Self.late)"))
  }

  @Test("what the figures alone tell: locked, deferred, scheduled, dead; the rest is unknown")
  func figures() {
    var ledger = DrainLedger()
    var look = Fixture.look(deadLetters: 0)
    look[0].count = .counted(
      depth: 1, arrivals: nil, consumers: 1,
      figures: QueueFigures(
        active: 1, locked: 1, deferred: 1, scheduled: 1, deadLettered: 2, transfer: 1, transferDeadLettered: 1))
    ledger.take(look, at: Self.late, longestGap: .hours(1))
    #expect(ledger.leftovers == 5 && ledger.newDeadLetters == 3 && look[0].lying == 5 && look[0].deadLettered == 3)
    let findings = ledger.stranded(policy: Policy(), dialect: .serviceBusWindowsServer, now: Self.late) { _ in nil }
    #expect(findings.map(\.strandedClass) == [.deadLetter, .heldBack, .unknown] && findings.map(\.count) == [3, 3, 2])
    look[0].count = .counted(depth: 9, arrivals: nil, consumers: 1, figures: QueueFigures(active: 1))
    #expect(look[0].lying == 9 && look[0].deadLettered == nil)
  }

  @Test("a forwarder that gives back what it held raises no alarm; what rises above all that ever was there does")
  func staleSenderBesideForwarder() {
    let policy = Policy()
    var ledger = DrainLedger()
    ledger.watermark = Self.watermark
    ledger.forwarding = ForwardingLedger(ForwardingOrder(approvals: ["a", "b"]), at: Self.watermark)
    var now = Self.watermark + .hours(60)
    func look(_ depth: Int64, received: Int64, accepted: Int64) {
      now = now + .minutes(5)
      ledger.forwarding?.note(
        ForwardingCount(run: "1", received: received, accepted: accepted), of: SightingTests.queue, at: now)
      let readings = Fixture.look(depth: depth)
      ledger.followStaleSender(readings, at: now, entriesReadAt: ledger.suspectedAt, policy: policy)
      ledger.take(readings, at: now, longestGap: policy.longestLookGap)
    }
    look(100, received: 0, accepted: 0)
    look(50, received: 50, accepted: 10)
    look(90, received: 50, accepted: 10)
    look(40, received: 60, accepted: 60)
    look(40, received: 60, accepted: 60)
    #expect(ledger.suspectedAt == nil && ledger.staleSender == nil)
    look(41, received: 60, accepted: 60)
    #expect(ledger.suspectedAt == now)
    look(45, received: 60, accepted: 60)
    #expect(ledger.staleSender != nil)
    #expect(ledger.left == 100 && ledger.arrived == 45)
  }
}

/// What a policy declares of address caches must make sense.
@Suite("Declared caches in a plan")
struct DeclaredCacheTests {
  @Test("an empty list, or a cache that lives no time, blocks the plan; an order to forward does not")
  func faults() {
    func codes(_ caches: [DeclaredCache]?) -> [Obstacle.Code] {
      var policy = Policy()
      policy.leftovers = .forward
      policy.declaredCaches = caches
      return Fixture.plan([200], policy: policy).obstacles.map(\.code)
    }
    #expect(codes(nil).isEmpty && codes([DeclaredCache(life: .milliseconds(1))]).isEmpty)
    #expect(codes([]) == [.policyUnsound])
    #expect(codes([DeclaredCache(life: .hours(1)), DeclaredCache(vendor: "Alfa", life: .milliseconds(0))]) == [.policyUnsound])
  }
}
