// SPDX-License-Identifier: Apache-2.0

import Disclosure
import NIOConcurrencyHelpers
import Testing

@testable import AMQP

@Suite("Logging in")
struct LoginTests {
  private func mechanisms(_ names: [String]) -> [UInt8] {
    AMQPFrame.saslHeader
      + AMQPFrame.encodedSASL(AMQPFrame.Code.saslMechanisms, [.array(names.map(AMQPValue.symbol))])
  }

  private func outcome(_ code: UInt8) -> [UInt8] { AMQPFrame.encodedSASL(AMQPFrame.Code.saslOutcome, [.ubyte(code)]) }

  private func initial(_ mechanism: String, _ response: [UInt8]) -> [UInt8] {
    AMQPFrame.encodedSASL(AMQPFrame.Code.saslInit, [.symbol(mechanism), .binary(response), .string("bus")])
  }

  private let plain = AMQPLogin.plain(user: "app", password: Secret("pw"))

  @Test("the configured mechanism, whatever the server's order", arguments: [["ANONYMOUS", "AMQPLAIN", "PLAIN"], ["PLAIN"]])
  func order(_ offered: [String]) {
    var machine = ClientLoginMachine(self.plain, hostname: "bus")
    #expect(machine.begin() == AMQPFrame.saslHeader)
    #expect(machine.waiting == .header)
    same(machine.receive(self.mechanisms(offered)), [.write(self.initial("PLAIN", Array("\0app\0pw".utf8)))])
    #expect(machine.waiting == .outcome)
    same(machine.receive(self.outcome(0) + [1, 2]), [.loggedIn(offered: offered, remaining: [1, 2])])
    same(machine.receive([3]), [])
  }

  @Test("byte by byte, it is the same")
  func byteByByte() {
    var machine = ClientLoginMachine(self.plain, hostname: "bus")
    var actions: [ClientLoginMachine.Action] = []
    for byte in self.mechanisms(["PLAIN"]) + self.outcome(0) { actions += machine.receive([byte]) }
    #expect(
      actions == [.write(self.initial("PLAIN", Array("\0app\0pw".utf8))), .loggedIn(offered: ["PLAIN"], remaining: [])])
  }

  @Test("EXTERNAL sends an empty response, ANONYMOUS no name of ours")
  func others() {
    var external = ClientLoginMachine(.external, hostname: "bus")
    same(external.receive(self.mechanisms(["PLAIN", "EXTERNAL"])), [.write(self.initial("EXTERNAL", []))])
    var anonymous = ClientLoginMachine(.anonymous, hostname: "bus")
    same(anonymous.receive(self.mechanisms(["ANONYMOUS"])), [.write(self.initial("ANONYMOUS", Array("anonymous".utf8)))])
  }

  @Test("one symbol instead of an array is an offer too")
  func oneSymbol() {
    var machine = ClientLoginMachine(.anonymous, hostname: "bus")
    let one = AMQPFrame.saslHeader + AMQPFrame.encodedSASL(AMQPFrame.Code.saslMechanisms, [.symbol("ANONYMOUS")])
    same(machine.receive(one), [.write(self.initial("ANONYMOUS", Array("anonymous".utf8)))])
  }

  @Test("what the server may do wrong, and what that is called")
  func refusals() {
    let cases: [(String, [UInt8], ClientLoginMachine.Failure, AMQPError.Code)] = [
      (
        "not offered", self.mechanisms(["ANONYMOUS", "EXTERNAL"]),
        .notOffered(wanted: "PLAIN", offered: ["ANONYMOUS", "EXTERNAL"]),
        .mechanismNotOffered
      ),
      ("wrong password", self.mechanisms(["PLAIN"]) + self.outcome(1), .refused(code: 1), .loginRefused),
      ("its own error", self.mechanisms(["PLAIN"]) + self.outcome(2), .refused(code: 2), .loginUnavailable),
      ("its own error for good", self.mechanisms(["PLAIN"]) + self.outcome(3), .refused(code: 3), .loginRefused),
      ("its own passing error", self.mechanisms(["PLAIN"]) + self.outcome(4), .refused(code: 4), .loginUnavailable),
      ("HTTP", Array("HTTP/1.1 400 Bad Request".utf8), .notAMQP, .protocolViolated),
      ("a few bytes of something else", [0x15, 3, 1, 0], .notAMQP, .protocolViolated),
      ("AMQP 0.9.1", Array("AMQP".utf8) + [0, 0, 9, 1], .otherProtocol("AMQP 0.9.1"), .protocolViolated),
      ("no SASL", AMQPFrame.amqpHeader, .noSASL, .protocolViolated),
      (
        "a challenge", self.mechanisms(["PLAIN"]) + AMQPFrame.encodedSASL(0x42, [.binary([1])]), .unexpected("a challenge"),
        .protocolViolated
      ),
      (
        "an outcome at once", AMQPFrame.saslHeader + self.outcome(0), .unexpected("a frame that has no place in a login"),
        .protocolViolated
      ),
      (
        "an endless frame", AMQPFrame.saslHeader + [0x7f, 0, 0, 0, 2, 1, 0, 0], .unexpected("bytes that are no frame"),
        .protocolViolated
      ),
    ]
    for (name, bytes, failure, code) in cases {
      var machine = ClientLoginMachine(self.plain, hostname: "bus")
      let last = machine.receive(bytes).last
      #expect(last == .failed(failure), "\(name)")
      #expect(failure.error(tried: "t").code == code, "\(name)")
    }
    let notOffered = ClientLoginMachine.Failure.notOffered(wanted: "EXTERNAL", offered: ["ANONYMOUS", "PLAIN"])
    #expect(notOffered.error(tried: "t").seen == "EXTERNAL is configured, the server offers ANONYMOUS, PLAIN")
  }

  @Test("random bytes end in a verdict or in waiting, never in a crash", arguments: 0..<20)
  func randomBytes(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    for _ in 0..<300 {
      var machine = ClientLoginMachine(self.plain, hostname: "bus")
      var bytes = self.mechanisms(["PLAIN", "ANONYMOUS"]) + self.outcome(0)
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      while !bytes.isEmpty {
        let count = Int.random(in: 1...bytes.count, using: &generator)
        _ = machine.receive(bytes.prefix(count))
        bytes.removeFirst(count)
      }
    }
  }

  @Test("what the server offered is told with the connection")
  func offered() async throws {
    try await LoopbackServer.run { configuration in
      try await AMQPConnection.withConnection(configuration) { connection in
        #expect(connection.peer.mechanisms == ["PLAIN", "ANONYMOUS"])
      }
    }
  }

  @Test("a mechanism that is not offered: nothing of the login is sent, and the offer is named")
  func notOffered() async throws {
    var manners = LoopbackServer.Manners()
    manners.mechanisms = ["PLAIN"]
    try await LoopbackServer.run(manners) { configuration in
      let error = await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(configuration) }
      #expect(error?.code == .mechanismNotOffered)
      #expect(error?.seen == "ANONYMOUS is configured, the server offers PLAIN")
    }
  }

  @Test("EXTERNAL without a certificate, PLAIN with a zero byte, PLAIN in clear to another machine: refused before any byte")
  func configuration() async {
    func refused(_ login: AMQPLogin, host: String = "localhost") async -> AMQPError? {
      let configuration = AMQPConnectionConfiguration(
        host: host, port: 1, encryption: .none, login: login, containerID: "c")
      return await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(configuration) }
    }
    #expect(await refused(.external)?.code == .configurationInvalid)
    #expect(await refused(.plain(user: "a\0b", password: Secret("pw")))?.code == .configurationInvalid)
    #expect(await refused(.plain(user: "a", password: Secret("pw")), host: "192.0.2.1")?.code == .configurationInvalid)
  }

  @Test("a provider is asked at every connect, and gives what is right then")
  func provider() async throws {
    let seen = NIOLockedValueBox<[ServerCredentials]>([])
    var manners = LoopbackServer.Manners()
    manners.mayEnter = { credentials in
      seen.withLockedValue { $0.append(credentials) }
      return true
    }
    let asked = NIOLockedValueBox(0)
    try await LoopbackServer.run(manners) { plain in
      var configuration = plain
      configuration.credentials = .provided(
        AMQPCredentialProvider(within: .seconds(60)) {
          let number = asked.withLockedValue { count in
            count += 1
            return count
          }
          return .plain(user: "app", password: Secret("token-\(number)"))
        })
      for _ in 0..<2 { try await AMQPConnection.withConnection(configuration) { _ in } }
    }
    #expect(
      seen.withLockedValue { $0 } == [.plain(user: "app", password: "token-1"), .plain(user: "app", password: "token-2")])
  }

  @Test("a provider that fails, is silent, or gives nothing: a retriable error that shows none of its words")
  func providerFails() async throws {
    struct TokenService: Error { let answer = "canary-token" }
    func open(_ provider: AMQPCredentialProvider) async -> AMQPError? {
      var configuration = AMQPConnectionConfiguration(
        host: "127.0.0.1", port: 1, encryption: .none, login: .anonymous, containerID: "c")
      configuration.credentials = .provided(provider)
      let ready = configuration
      return await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(ready) }
    }
    let failed = await open(AMQPCredentialProvider(within: .seconds(60)) { throw TokenService() })
    #expect(failed?.code == .credentialsUnavailable)
    #expect(failed?.isRetriable == true)
    #expect(failed?.seen == "the provider failed with TokenService")
    // It does not heed its cancellation either.
    let gate = OneShot<Void>()
    let silent = await open(
      AMQPCredentialProvider(within: .milliseconds(20)) {
        await uncancelled { try? await gate.wait() }
        return .anonymous
      })
    gate.fulfil(())
    #expect(silent?.code == .credentialsUnavailable)
    let empty = await open(AMQPCredentialProvider(within: .seconds(60)) { .plain(user: "app", password: Secret("")) })
    #expect(empty?.code == .configurationInvalid)
  }
}
