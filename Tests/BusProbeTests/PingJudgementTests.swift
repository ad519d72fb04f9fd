// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing

@testable import BusProbe
@testable import TjenestebussClient

@Suite("A ping, judged")
struct PingJudgementTests {
  private func verdicts(_ seen: PingObservation) -> [Int: ProbeStep.Verdict] {
    Dictionary(uniqueKeysWithValues: PingJudgement(seen).steps.map { ($0.code.rawValue, $0.verdict) })
  }

  @Test("Accepted, the control refused, a consumer there: the way is proven, and each step says so")
  func good() {
    let seen = ProbeFixture.observation()
    #expect(self.verdicts(seen) == [25: .ok, 26: .ok, 27: .ok, 28: .ok, 29: .ok, 30: .ok, 31: .ok, 32: .notPossible])
    let judged = PingJudgement(seen)
    #expect(judged.isAccepted && judged.acceptanceProves && judged.provesTheWay)
    #expect(judged.consumers == 1)
  }

  @Test("RabbitMQ 3 accepts for a queue that cannot exist: accepted is worth nothing, a consumer alone proves no way")
  func acceptedProvesNothing() {
    let seen = ProbeFixture.observation(.rabbitMQ3) { $0.control = .outcome(.accepted) }
    let verdicts = self.verdicts(seen)
    #expect(verdicts[29] == .warning)
    #expect(verdicts[30] == .warning)
    let judged = PingJudgement(seen)
    #expect(judged.isAccepted && !judged.acceptanceProves && !judged.provesTheWay)
    #expect(judged.steps.first { $0.code == .outcome }?.finding == .acceptedProvesNothing)
  }

  @Test("What a full queue of RabbitMQ 3 refuses it refuses in silence: told by its limit, and only by that")
  func silentRefusal() {
    func finding(_ dialect: Dialect, _ settings: QueueSettings?, _ outcome: AMQPOutcome) -> ProbeFinding? {
      let seen = ProbeFixture.observation(dialect) {
        $0.ping = .outcome(outcome)
        $0.before = ProbeFixture.reading(
          .counted(QueueCount(messages: 2, includesUnsettled: true, consumers: 1, settings: settings)))
      }
      return PingJudgement(seen).steps.first { $0.code == .outcome }?.finding
    }
    let full = QueueSettings(maximumMessages: 2, refusesWhenFull: true)
    let lost = AMQPOutcome.unknown(.lost(ProbeFixture.error(.connectionLost)))
    #expect(finding(.rabbitMQ3, full, .unknown(.timedOut)) == .queueFullSilent)
    #expect(finding(.rabbitMQ3, full, lost) == .queueFullSilent)
    #expect(finding(.rabbitMQ3, nil, .unknown(.timedOut)) == .outcomeTimedOut)
    #expect(finding(.rabbitMQ3, nil, lost) == .outcomeLost)
    #expect(finding(.rabbitMQ3, QueueSettings(maximumMessages: 3, refusesWhenFull: true), lost) == .outcomeLost)
    #expect(finding(.rabbitMQ4AddressV2, full, .unknown(.timedOut)) == .outcomeTimedOut)
  }

  @Test("The connection falls after the ping was accepted: that is said, and blamed on nobody's system")
  func cutAfterwards() {
    let error = ProbeFixture.error(.connectionLost)
    let seen = ProbeFixture.observation {
      $0.control = .notSent(error)
      $0.after = ProbeFixture.reading(.unreadable(.countingLinkFailed(.init(error))))
      $0.echo = .notListening(error)
    }
    let judged = PingJudgement(seen)
    let findings = judged.steps.filter { $0.code >= .outcome }.map(\.finding)
    #expect(findings == [.accepted, .controlCut, .arrivalCut, .echoNotListening])
    #expect(judged.steps.filter { $0.verdict == .warning }.compactMap(\.owner) == [.network, .network, .us])
    #expect(!judged.provesTheWay)
    #expect(judged.evidence[.echo] == nil && judged.evidence[.consumer] == nil && judged.evidence[.negativeControl] == nil)
    // On a bus that accepts what it loses, accepted stays worth nothing.
    let three = ProbeFixture.observation(.rabbitMQ3) { $0.control = .notSent(error) }
    #expect(!PingJudgement(three).acceptanceProves)
  }

  @Test("Without a control, the dialect decides what accepted is worth")
  func withoutControl() {
    func proves(_ dialect: Dialect, _ control: PingObservation.Sending) -> Bool {
      PingJudgement(ProbeFixture.observation(dialect) { $0.control = control }).acceptanceProves
    }
    #expect(proves(.rabbitMQ4AddressV2, .notTried))
    #expect(!proves(.rabbitMQ3, .notTried))
    #expect(!proves(.activeMQ, .notTried))
    #expect(proves(.rabbitMQ4AddressV1, .outcome(.released)))
    #expect(proves(.rabbitMQ4AddressV1, .outcome(.rejected(nil))))
    // A control that failed for another reason says nothing for the acceptance.
    #expect(!proves(.rabbitMQ4AddressV2, .notSent(ProbeFixture.error(.attachTimedOut))))
    #expect(!proves(.rabbitMQ4AddressV2, .outcome(.accepted)))
  }

  @Test("Where a control would leave a queue behind, it is said to be not possible")
  func controlNotPossible() {
    let verdicts = self.verdicts(ProbeFixture.observation(.activeMQ) { $0.control = .notTried })
    #expect(verdicts[30] == .notPossible)
    #expect(verdicts[29] == .warning)
  }

  @Test(
    "Every other outcome than accepted is a failure of step 29",
    arguments: [
      AMQPOutcome.rejected(AMQPCondition("amqp:resource-limit-exceeded")), .released,
      .modified(deliveryFailed: false, undeliverableHere: true),
      .unknown(.timedOut), .unknown(.settledWithoutOutcome),
    ])
  func refused(outcome: AMQPOutcome) {
    let seen = ProbeFixture.observation {
      $0.ping = .outcome(outcome)
      $0.echo = .notAwaited
    }
    let verdicts = self.verdicts(seen)
    #expect(verdicts[29] == .failed)
    #expect(verdicts[32] == .notRun)
    #expect(!PingJudgement(seen).provesTheWay)
  }

  @Test("A refused attach is step 26, with the bus's own words; no credit is 27; a message that did not leave is 28")
  func notSent() {
    let refused = ProbeFixture.observation {
      $0.attachFailure = ProbeFixture.error(.notFound, "amqp:not-found")
      $0.ping = .notTried
      $0.control = .notTried
      $0.after = nil
    }
    #expect(self.verdicts(refused)[26] == .failed)
    #expect(self.verdicts(refused)[29] == nil)
    #expect(PingJudgement(refused).steps.first { $0.code == .attach }?.finding == .queueMissing)
    #expect(self.verdicts(ProbeFixture.observation { $0.ping = .notSent(ProbeFixture.error(.noCredit)) })[27] == .failed)
    #expect(self.verdicts(ProbeFixture.observation { $0.ping = .notSent(ProbeFixture.error(.messageTooLarge)) })[28] == .failed)
  }

  @Test("A bus that answers Open and closes at once has not opened: the connection's own reason, not the link's")
  func closedAfterOpen() {
    func finding(_ code: AMQPError.Code, _ condition: String) -> ProbeFinding? {
      var error = ProbeFixture.error(code, condition)
      error.scope = .connection
      let judged = PingJudgement(
        ProbeFixture.observation {
          $0.attachFailure = error
          $0.ping = .notTried
        })
      return judged.steps.first { $0.verdict == .failed }?.finding
    }
    #expect(finding(.unauthorized, "amqp:unauthorized-access") == .virtualHostRefused)
    #expect(finding(.connectionClosedByPeer, "amqp:resource-limit-exceeded") == .connectionLimit)
    #expect(finding(.connectionClosedByPeer, "amqp:connection:forced") == .openClosed)
  }

  @Test("Who listens, and whether the queue gets longer: each its own verdict; unknown is never good")
  func arrival() {
    func verdict(_ before: DepthReading?, _ after: DepthReading?) -> (ProbeStep.Verdict?, Int?) {
      let judged = PingJudgement(
        ProbeFixture.observation {
          $0.before = before
          $0.after = after
        })
      return (judged.steps.first { $0.code == .arrival }?.verdict, judged.consumers)
    }
    #expect(verdict(ProbeFixture.depth(5, consumers: 2), ProbeFixture.depth(5, consumers: 2)) == (.ok, 2))
    #expect(verdict(ProbeFixture.depth(0, consumers: 0), ProbeFixture.depth(1, consumers: 0)) == (.failed, 0))
    #expect(verdict(ProbeFixture.depth(0, consumers: 1), ProbeFixture.depth(1, consumers: 1)) == (.warning, 1))
    #expect(verdict(ProbeFixture.depth(0, consumers: nil), ProbeFixture.depth(0, consumers: nil)) == (.warning, nil))
    #expect(verdict(nil, nil) == (.notPossible, nil))
    #expect(verdict(ProbeFixture.reading(.missing), nil) == (.failed, nil))
    let unreadable = ProbeFixture.reading(.unreadable(.countingRefused(url: "u", status: 401)))
    #expect(verdict(unreadable, nil) == (.warning, nil))
  }

  @Test("An echo proves the way by itself, names who answered; none in time is a warning")
  func echo() throws {
    let request = PingForm.request(
      from: try ProbeFixture.herID(100), to: try ProbeFixture.herID(), replyTo: "q", messageID: "m-1")
    let echo = try #require(
      PingEcho(PingForm.echo(of: request, readFrom: "200_async", product: "EPJ 4"), subject: PingForm.defaultSubject))
    let seen = ProbeFixture.observation(.rabbitMQ3) {
      $0.control = .outcome(.accepted)
      $0.echo = .came(echo)
    }
    let judged = PingJudgement(seen)
    #expect(judged.provesTheWay)
    let step = judged.steps.first { $0.code == .echo }
    #expect(step?.verdict == .ok)
    #expect(
      step?.seen(.en)
        == "EPJ 4, library \(TjenestebussVersion.current), read from 200_async; cache not told; hears not told; we read the reply queue ourselves"
    )
    #expect(self.verdicts(ProbeFixture.observation { $0.echo = .noneInTime(.seconds(1)) })[32] == .warning)
    #expect(self.verdicts(ProbeFixture.observation { $0.echo = .notListening(ProbeFixture.error(.notFound)) })[32] == .warning)
    #expect(PingEcho(request, subject: PingForm.defaultSubject) == nil, "a request is no echo")
  }
}
