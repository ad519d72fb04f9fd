// SPDX-License-Identifier: Apache-2.0

import AMQP
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
    let seen = judged.steps.first { $0.code == .register }?.seen(.nb) ?? ""
    #expect(seen.contains("tb.test/NHN/200_async") && seen.contains("sb.test/NHN/200_async"))
  }

  @Test("Unknown to the register: failed, whatever our copy says")
  func unknown() throws {
    let judged = try self.judge(cache: .found(ProbeFixture.entry(try ProbeFixture.record())), register: .none)
    #expect(self.verdicts(judged) == [11: .ok, 12: .failed])
    #expect(judged.decision == nil)
    #expect(judged.steps.last?.finding == .registerUnknown)
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
    #expect(judged.steps.last?.owner == .nhn)
  }

  @Test("An address on no configured bus is a failure with the register's code")
  func noBus() throws {
    let elsewhere = ProbeFixture.entry(try ProbeFixture.record(async: "x.test/NHN/q", sync: "x.test/NHN/q"))
    let judged = try self.judge(cache: .notConfigured, register: .found(elsewhere))
    #expect(judged.steps.last?.verdict == .failed)
    #expect(judged.steps.last?.finding == .addressOnNoBus)
  }
}

@Suite("Network, judged")
struct NetworkJudgementTests {
  @Test("No such name, a name without address, a failing and a silent name server are told apart, with their owners")
  func names() {
    func finding(_ answer: NameLookUp.Answer) -> ProbeFinding {
      NetworkJudgement.names(answer, host: "h", milliseconds: 1).finding
    }
    #expect(finding(.unknown) == .namesUnknown && ProbeFinding.namesUnknown.owner == .us)
    #expect(finding(.noAddress) == .namesNoAddress && ProbeFinding.namesNoAddress.owner == .network)
    #expect(finding(.serverFailed(server: "s", code: "SERVFAIL")) == .namesServerFailed)
    #expect(finding(.serverSilent(servers: ["s"], within: .seconds(3))) == .namesServerSilent)
    #expect(finding(.failed("try again")) == .namesFailed)
  }

  @Test("What the name servers say explains what the system did not; a name that they know is the system's to find")
  func explained() {
    typealias Reply = NameServerQuestion.Reply
    func answer(_ replies: Reply...) -> NameLookUp.Answer {
      NameLookUp.explained(.failed("EAI_AGAIN"), by: replies.map { ("s", $0) }, within: .seconds(3))
    }
    #expect(answer(.noSuchName) == .unknown)
    #expect(answer(.silent, .noAddress) == .noAddress)
    #expect(answer(.silent, .failed("SERVFAIL")) == .serverFailed(server: "s", code: "SERVFAIL"))
    #expect(answer(.silent, .silent) == .serverSilent(servers: ["s", "s"], within: .seconds(3)))
    #expect(answer(.hasAddress) == .failed("EAI_AGAIN"))
    #expect(answer() == .failed("EAI_AGAIN"))
  }

  @Test("Refused, filtered and without a route are told apart; one silent address of several is a warning")
  func reach() {
    func step(_ answers: PortReach.Answer...) -> ProbeStep {
      NetworkJudgement.reach(answers.map { (address: "10.0.0.1", answer: $0, milliseconds: 2) }, port: 5671)
    }
    #expect(step(.reached).verdict == .ok)
    #expect(step(.reached, .unanswered).verdict == .warning)
    #expect(step(.refused).owner == .nhn)
    #expect(step(.unanswered).owner == .network)
    #expect(step(.unreachable).finding == .unreachable)
    #expect(step(.unanswered, .refused).owner == .nhn)
    #expect(step(.refused).seen(.nb) == "10.0.0.1:5671 avviser")
    #expect(step(.unanswered, .refused).seen(.nb) == "10.0.0.1:5671 svarer ikke; 10.0.0.1:5671 avviser")
  }

  @Test("A certificate that ended, is not begun, is for another name, of itself, of a stranger, or ends soon: each told apart")
  func certificates() throws {
    let now: Int64 = 1_000_000_000
    func step(_ answer: CertificateLook.Answer) -> ProbeStep {
      NetworkJudgement.certificate(answer, nowSeconds: now, warningDays: 30, timeout: .seconds(9), milliseconds: 3)
    }
    func refused(_ problem: AMQPCertificateProblem) -> ProbeStep {
      var error = AMQPError(.certificateRefused, .connection, .local, tried: "t", seen: "s")
      error.certificateProblem = problem
      return step(.failed(error, HandshakeWatch()))
    }
    #expect(refused(.expired(at: now - 2 * 86_400)).seen(.en) == "the certificate ended 2001-09-07 01:46 UTC, 2 days ago")
    #expect(refused(.notYetValid(before: now + 3 * 86_400)).seen(.nb).hasSuffix("om 3 dager"))
    #expect(refused(.wrongName(wanted: "b", presented: ["a"])).finding == .certificateWrongName)
    #expect(refused(.selfSigned(subject: "x")).finding == .certificateSelfSigned)
    #expect(refused(.unknownIssuer(issuer: "x")).finding == .certificateUnknownAuthority)
    #expect(step(.silent).finding == .handshakeSilent)
    func failed(_ code: AMQPError.Code, _ watch: HandshakeWatch = HandshakeWatch()) -> ProbeFinding {
      step(.failed(AMQPError(code, .connection, .remote, tried: "t", seen: "s"), watch)).finding
    }
    #expect(failed(.tlsVersionRefused) == .versionRefused)
    #expect(failed(.notTLS) == .notTLS)
    #expect(failed(.clientCertificateRequired) == .clientCertificateWanted)
    #expect(failed(.tlsFailed) == .encryptionFailed)
    var alert = HandshakeWatch()
    alert.receive([21, 3, 3, 0, 2, 2, 40])
    #expect(failed(.tlsFailed, alert) == .noCommonCipher)
    var asked = HandshakeWatch()
    asked.receive([22, 3, 3, 0, 4, 13, 0, 0, 0, 21, 3, 3, 0, 2, 2, 40])
    #expect(failed(.tlsFailed, asked) == .clientCertificateWanted)
  }

  @Test("What a port speaks is told by its first bytes")
  func protocols() {
    func judge(_ bytes: [UInt8], whole: Bool = false) -> ProtocolLook.Spoken? { ProtocolLook.judge(bytes, isWhole: whole) }
    let amqp = Array("AMQP".utf8)
    #expect(judge(amqp + [3, 1, 0, 0]) == .amqpWithLogin)
    #expect(judge(amqp + [0, 1, 0, 0]) == .amqpWithoutLogin)
    #expect(judge(amqp + [0, 0, 9, 1]) == .otherAMQP("0-9-1"))
    #expect(judge(amqp + [1, 1, 0, 10]) == .otherAMQP("0-10"))
    #expect(judge(amqp) == nil)
    #expect(judge(Array("HTTP/1.1 400 Bad Request\r\nX".utf8)) == .http("HTTP/1.1 400 Bad Request"))
    #expect(judge([21, 3, 1, 0, 2]) == .tls)
    #expect(judge([], whole: true) == .closed)
    #expect(judge(Array("220 mail".utf8)) == .other("323230206d61696c"))
  }

  @Test("A question to a name server, and each of its answers")
  func nameServer() {
    let question = NameServerQuestion.encoded(id: 0x1234, name: "tb.test.nhn.no", type: 1)
    #expect(question?.count == 12 + 16 + 4)
    #expect(question?.prefix(2) == [0x12, 0x34])
    #expect(NameServerQuestion.encoded(id: 1, name: String(repeating: "a", count: 64), type: 1) == nil)
    func reply(_ code: UInt8, answers: UInt8 = 0, id: UInt16 = 1) -> NameServerQuestion.Reply? {
      NameServerQuestion.read([0, 1, 0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0], id: id)
    }
    #expect(reply(0, answers: 2) == .hasAddress)
    #expect(reply(0) == .noAddress)
    #expect(reply(2) == .failed("SERVFAIL"))
    #expect(reply(3) == .noSuchName)
    #expect(reply(5) == .failed("REFUSED"))
    #expect(reply(0, id: 2) == nil, "somebody else's answer")
    #expect(NameServerQuestion.servers("# x\nsearch a\nnameserver 127.0.0.1\nnameserver ::1\n").count == 2)
  }

  @Test("A name that cannot exist is not found; loopback has its address")
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
