// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import NIOCore
import Testing

@testable import BusProbe

@Suite("Cache and register, judged")
struct RegistryJudgementTests {
  private func judge(
    cache: RegistryJudgement.Look<RegistryEntry>, register: RegistryJudgement.Look<RegistryEntry>
  ) throws -> RegistryJudgement {
    RegistryJudgement(
      try ProbeFixture.herID(), kind: .asynchronous, buses: ProbeFixture.buses, cache: cache, cacheMilliseconds: 1,
      register: register,
      registerMilliseconds: 2, now: ProbeFixture.now, cacheMaximumAge: .seconds(3_600))
  }

  private func verdicts(_ judgement: RegistryJudgement) -> [Int: ProbeStep.Verdict] {
    Dictionary(uniqueKeysWithValues: judgement.steps.map { ($0.code.rawValue, $0.verdict) })
  }

  @Test("Both say the same: the address's host tells the bus")
  func agree() throws {
    let entry = ProbeFixture.entry(try ProbeFixture.record())
    let judged = try self.judge(cache: .found(entry), register: .found(entry))
    #expect(self.verdicts(judged) == [11: .ok, 12: .ok, 13: .ok])
    #expect(judged.decision?.bus.name == "tjenestebuss")
    #expect(judged.decision?.address.queue == "200_async")
  }

  @Test("The copy is out of date: said so, both shown, and the register's word is used")
  func differ() throws {
    let cached = ProbeFixture.entry(
      try ProbeFixture.record(async: "sb.test/NHN/200_async", sync: "sb.test/NHN/200_sync"))
    let live = ProbeFixture.entry(try ProbeFixture.record(), source: .soap, minutesOld: 0)
    let judged = try self.judge(cache: .found(cached), register: .found(live))
    #expect(self.verdicts(judged) == [11: .ok, 12: .warning, 13: .ok])
    #expect(judged.decision?.bus.name == "tjenestebuss")
    let seen = judged.steps.first { $0.code == .register }?.seen ?? ""
    #expect(seen.contains("tb.test/NHN/200_async") && seen.contains("sb.test/NHN/200_async"))
  }

  @Test("Unknown to the register: failed, whatever our copy says")
  func unknown() throws {
    let judged = try self.judge(cache: .found(ProbeFixture.entry(try ProbeFixture.record())), register: .none)
    #expect(self.verdicts(judged) == [11: .ok, 12: .failed])
    #expect(judged.decision == nil)
    #expect(judged.steps.last?.seen.contains("AR-201") == true)
  }

  @Test("The register cannot be asked: with a copy a warning and on, without one the end")
  func registerDown() throws {
    let down = AddressRegistryError.registerUnreachable(url: "https://ar", seen: "refused")
    let withCopy = try self.judge(cache: .found(ProbeFixture.entry(try ProbeFixture.record())), register: .failed(down))
    #expect(self.verdicts(withCopy) == [11: .ok, 12: .warning, 13: .ok])
    let without = try self.judge(cache: .none, register: .failed(down))
    #expect(self.verdicts(without) == [11: .warning, 12: .failed])
  }

  @Test("No register configured: an old copy is said to be old, and nobody known is a failure")
  func cacheOnly() throws {
    let old = ProbeFixture.entry(try ProbeFixture.record(), minutesOld: 61)
    #expect(
      self.verdicts(try self.judge(cache: .found(old), register: .notConfigured)) == [
        11: .warning, 12: .notPossible, 13: .warning,
      ])
    #expect(
      self.verdicts(try self.judge(cache: .none, register: .notConfigured)) == [11: .warning, 12: .notPossible, 13: .failed])
    let damaged = AddressRegistryError.cacheRowDamaged(try ProbeFixture.herID(), seen: "hash")
    let unreadable = try self.judge(cache: .failed(damaged), register: .notConfigured)
    #expect(self.verdicts(unreadable)[13] == .failed)
    #expect(unreadable.decision == nil)
  }

  @Test("Queues on two buses: moved by half, and nothing is sent")
  func halfMoved() throws {
    let half = ProbeFixture.entry(try ProbeFixture.record(sync: "sb.test/NHN/200_sync"))
    let judged = try self.judge(cache: .notConfigured, register: .found(half))
    #expect(self.verdicts(judged) == [11: .notPossible, 12: .ok, 13: .failed])
    #expect(judged.decision == nil)
    #expect(judged.steps.last?.owner == .addressRegister)
  }

  @Test("An address on no configured bus is a failure with the register's code")
  func noBus() throws {
    let elsewhere = ProbeFixture.entry(try ProbeFixture.record(async: "x.test/NHN/q", sync: "x.test/NHN/q"))
    let judged = try self.judge(cache: .notConfigured, register: .found(elsewhere))
    #expect(judged.steps.last?.verdict == .failed)
    #expect(judged.steps.last?.seen.contains("AR-206") == true)
  }
}

@Suite("Network, judged")
struct NetworkJudgementTests {
  @Test("No such name and no answer of the name service are told apart, with their owners")
  func names() {
    let unknown = NetworkJudgement.names(.unknown, host: "h", milliseconds: 1)
    let failed = NetworkJudgement.names(.failed("try again"), host: "h", milliseconds: 1)
    #expect(unknown.verdict == .failed && unknown.owner == .caller)
    #expect(failed.verdict == .failed && failed.owner == .host)
  }

  @Test("Refused and unanswered are told apart; one silent address of several is a warning")
  func reach() {
    func step(_ answers: PortReach.Answer...) -> ProbeStep {
      NetworkJudgement.reach(answers.map { (address: "10.0.0.1", answer: $0, milliseconds: 2) }, port: 5671)
    }
    #expect(step(.reached).verdict == .ok)
    #expect(step(.reached, .unanswered).verdict == .warning)
    #expect(step(.refused).owner == .bus)
    #expect(step(.unanswered).owner == .network)
    #expect(step(.unanswered, .refused).owner == .bus)
    #expect(step(.refused).seen == "10.0.0.1:5671 refused")
  }

  @Test("A certificate that expired, is for another name, unknown, or ends soon: each told apart")
  func certificates() {
    let now: Int64 = 1_000_000_000
    func step(_ answer: CertificateLook.Answer) -> ProbeStep {
      NetworkJudgement.certificate(answer, nowSeconds: now, warningDays: 30, milliseconds: 3)
    }
    func seen(endsIn days: Int64, beginsIn begin: Int64 = -10) -> CertificateLook.Seen {
      .init(version: "tlsv13", endsAt: now + days * 86_400, beginsAt: now + begin * 86_400)
    }
    #expect(step(.good(seen(endsIn: 90))).verdict == .ok)
    #expect(step(.good(seen(endsIn: 29))).verdict == .warning)
    #expect(step(.refused(name: false, words: "w", seen(endsIn: -2))).seen == "ended 2 days ago")
    #expect(step(.refused(name: false, words: "w", seen(endsIn: 90, beginsIn: 3))).seen == "begins in 3 days")
    #expect(step(.refused(name: false, words: "w", seen(endsIn: 90))).meaning.contains("authority"))
    #expect(step(.refused(name: true, words: "w", nil)).meaning.contains("another name"))
    #expect(step(.failed("plain text")).meaning.contains("No encrypted"))
  }

  @Test("A name that cannot exist is unknown; loopback has its address")
  func lookUp() async {
    guard case .found(let addresses) = await NameLookUp.addresses(of: "127.0.0.1", port: 5671) else {
      Issue.record("loopback was not found")
      return
    }
    #expect(addresses.first?.ipAddress == "127.0.0.1")
    #expect(addresses.first?.port == 5671)
    if case .found = await NameLookUp.addresses(of: "no-such-host.invalid", port: 1) { Issue.record(".invalid was found") }
  }
}
