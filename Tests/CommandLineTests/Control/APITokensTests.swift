// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Foundation
import Migration
import Testing

@testable import bus_migrator

/// Tokens: who comes in over TCP, in whose name, and until when.
@Suite("Tokens")
struct APITokensTests {
  private static let now = Instant(milliseconds: 1_770_000_000_000)
  private static func secret(_ letter: String) -> String { String(repeating: letter, count: 40) }

  private static let tokens = APITokens(tokens: [
    .init(name: "kari", role: .operator, expires: now + .days(1), secret: Secret(secret("k"))),
    .init(name: "ola", role: .approver, expires: now + .days(1), secret: Secret(secret("o"))),
    .init(name: "alfa", role: .vendor, vendor: "Alfa", expires: now + .days(1), secret: Secret(secret("a"))),
    .init(name: "old", role: .viewer, expires: now, secret: Secret(secret("x"))),
  ])

  @Test("the one whose secret it is comes in, as what the token says; anything else is unknown")
  func who() throws {
    func word(_ header: String?) -> APITokens.Word { Self.tokens.word(on: header, now: Self.now) }
    guard case .known(let kari) = word("Bearer \(Self.secret("k"))") else { return #expect(Bool(false), "kari is known") }
    #expect(kari.giver == .token(name: "kari") && kari.roles == [.operator] && !kari.isRescue && !kari.isVendorOnly)
    guard case .known(let alfa) = word("bearer  \(Self.secret("a"))") else { return #expect(Bool(false), "alfa is known") }
    #expect(alfa.isVendorOnly && alfa.vendor == "Alfa")
    #expect(word("Bearer \(Self.secret("x"))") == .expired(name: "old"))
    for wrong in [
      nil, "", "Bearer", "Bearer ", Self.secret("k"), "Basic \(Self.secret("k"))", "Bearer \(Self.secret("k"))k",
      "Bearer \(Self.secret("k").dropLast())", "Bearer kari",
    ] {
      #expect(word(wrong) == .unknown, "\(wrong ?? "nil")")
    }
    #expect(APITokens().word(on: "Bearer \(Self.secret("k"))", now: Self.now) == .unknown)
  }

  private func asker(_ name: String, _ role: ControlRole) -> ControlAsker {
    ControlAsker(giver: .token(name: name), roles: [role])
  }

  @Test("a token decides in its holder's name and nobody else's; where several sign, the holder is one of them and comes first")
  func names() throws {
    func named(_ verb: ControlAPI.Command.Verb, by: [String], asker: ControlAsker) throws -> [String] {
      var command = ControlAPI.Command(verb: verb, by: by, why: "CHG-7")
      try CommandControl.name(asker, in: &command)
      return command.by
    }
    let (kari, ola) = (self.asker("kari", .operator), self.asker("ola", .approver))
    #expect(try named(.pause, by: [], asker: kari) == ["kari"])
    #expect(try named(.pause, by: ["kari"], asker: kari) == ["kari"])
    #expect(try named(.accept, by: ["per", "ola"], asker: ola) == ["ola", "per"])
    #expect(throws: CommandLineError.self) { try named(.pause, by: ["ola"], asker: kari) }
    #expect(throws: CommandLineError.self) { try named(.pause, by: ["kari", "ola"], asker: kari) }
    #expect(throws: CommandLineError.self) { try named(.accept, by: ["per", "kari"], asker: ola) }
    // By the socket whoever is there says who decides; the login stands beside it.
    let login = ControlAsker(giver: .login(uid: 0, name: "root"), isRescue: true)
    #expect(try named(.pause, by: ["ola"], asker: login) == ["ola"])
    // An exception and an order have signatures of their own.
    var except = ControlAPI.Command(verb: .except, by: ["ola"], why: "CHG-7")
    except.exception = DrainException(by: ["per", "kari"], what: .sender(try #require(.init(900))), why: "x", until: Self.now)
    #expect(throws: CommandLineError.self) { try CommandControl.name(ola, in: &except) }
    except.exception?.by = ["per", "ola"]
    try CommandControl.name(ola, in: &except)
    var order = ControlAPI.Command(verb: .approveForwarding, by: [], why: "CHG-7")
    order.order = ForwardingOrder(approvals: ["kari", "per"])
    #expect(throws: CommandLineError.self) { try CommandControl.name(ola, in: &order) }
  }
}
