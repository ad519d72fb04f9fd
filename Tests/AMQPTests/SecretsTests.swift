// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Testing

@testable import AMQP

@Suite("Secrets and content do not print")
struct SecretsTests {
  private func everyForm(_ value: Any) -> String {
    var dumped = ""
    dump(value, to: &dumped)
    return "\(value)\n\(String(reflecting: value))\n\(dumped)"
  }

  @Test("no form of a configuration, a login or a failed login holds the password or the key")
  func passwords() async throws {
    let canary = "canary-5h1"
    let login = AMQPLogin.plain(user: "app", password: Secret(canary))
    let identity = AMQPClientIdentity(certificatePEM: "certificate", keyPEM: Secret(canary))
    var manners = LoopbackServer.Manners()
    manners.mayEnter = { _ in false }
    try await LoopbackServer.run(manners) { plain in
      var configuration = plain
      configuration.credentials = .login(login)
      let ready = configuration
      let error = await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(ready) }
      #expect(error?.code == .loginRefused)
      configuration.encryption = .tls(identity: identity)
      let badKey = configuration
      let unreadable = await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.open(badKey) }
      let machine = ClientLoginMachine(login, hostname: "h")
      let values: [Any?] = [configuration, configuration.credentials, login, identity, error, unreadable, machine]
      for value in values {
        let text = self.everyForm(try #require(value))
        #expect(!text.contains(canary), "\(type(of: value))")
      }
    }
  }

  @Test("a peer's words are shown without what Erlang prints of a message; reflecting shows them whole")
  func peerWords() {
    let term = #"{badarg,[{amqp10_binary_parser,parse,[<<0,83,117,"canary">>,12345],[{file,"src/canary.erl"},{line,77}]}]}"#
    let condition = AMQPCondition(AMQPCondition.internalError, text: "Session crashed: \(term)\nmore")
    let error = AMQPError(.sessionEnded, .session, .remote, condition: condition, tried: "t", seen: "")
    let text = "\(error) \(condition) \(AMQPOutcome.rejected(condition)) \(AMQPOutcome.unknown(.lost(error)))"
    for canary in ["canary", "12345", "77", "\n"] { #expect(!text.contains(canary), "\(canary)") }
    #expect(text.contains("badarg,"))
    #expect(text.contains("amqp10_binary_parser,parse,[<<..>>"))
    #expect(String(reflecting: condition).contains("canary"))
  }

  @Test(
    "sentences stay as they are",
    arguments: [
      "no queue 'x_1' in vhost '/'", "Connection forced: \"shutdown\"", "blåbær 12", "a < b, 3 > 2",
    ])
  func sentences(_ text: String) { #expect(PeerWords.shown(text) == text) }

  @Test("long words are cut")
  func long() {
    #expect(PeerWords.shown(String(repeating: "a", count: 5_000)).count == PeerWords.longest + 3)
  }

  @Test("random texts never crash", arguments: 0..<5)
  func random(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    let pieces = ["<<", ">>", "\"", "\\", "{", "}", "[", "abc", "1", "'", "é", "\n", ","]
    for _ in 0..<2_000 {
      let text = (0..<Int.random(in: 0..<12, using: &generator)).compactMap { _ in pieces.randomElement(using: &generator) }
        .joined()
      _ = PeerWords.shown(text)
    }
  }
}
