// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Migration
import MigrationEngine
import NIOConcurrencyHelpers
import Testing

@testable import bus_migrator

/// An answer that goes on for days ends when the rights of who reads it do.
@Suite("Rights that end")
struct StandingRightsTests {
  private static let start = Instant(milliseconds: 1_770_000_000_000)
  private static let secret = String(repeating: "k", count: 40)

  /// A clock that is moved by hand; nothing here sleeps.
  private final class HandClock: MigrationClock {
    private let at = NIOLockedValueBox(StandingRightsTests.start)
    var now: Instant { self.at.withLockedValue { $0 } }
    func move(by span: TimeSpan) { self.at.withLockedValue { $0 = $0 + span } }
    func sleep(until instant: Instant) async throws {}
  }

  private static func tokens(_ role: ControlRole = .viewer, vendor: String? = nil) -> APITokens {
    APITokens(tokens: [
      .init(name: "kari", role: role, vendor: vendor, expires: Self.start + .hours(1), secret: Secret(Self.secret))
    ])
  }

  private func rights(_ tokens: NIOLockedValueBox<APITokens>, _ clock: HandClock) throws -> StandingRights {
    @Sendable func asker() throws -> ControlAsker {
      guard case .known(let asker) = tokens.withLockedValue({ $0 }).word(on: "Bearer \(Self.secret)", now: clock.now) else {
        throw CommandLineError.tokenNotGood(seen: "no token that is known")
      }
      return asker
    }
    return StandingRights(of: try asker(), on: .live, clock: clock, asksAgain: { try asker() })
  }

  @Test("a token's end with its last instant")
  func expiry() async throws {
    let clock = HandClock()
    let rights = try self.rights(NIOLockedValueBox(Self.tokens()), clock)
    #expect(await rights.stand())
    clock.move(by: .minutes(59))
    #expect(await rights.stand())
    clock.move(by: .minutes(1))
    #expect(await !rights.stand())
  }

  @Test("a token's end when it is withdrawn, or is another one than it was")
  func withdrawn() async throws {
    for other in [APITokens(), Self.tokens(.vendor, vendor: "Alfa")] {
      let tokens = NIOLockedValueBox(Self.tokens())
      let rights = try self.rights(tokens, HandClock())
      #expect(await rights.stand())
      tokens.withLockedValue { $0 = other }
      #expect(await !rights.stand())
    }
    let tokens = NIOLockedValueBox(Self.tokens(.vendor, vendor: "Alfa"))
    let rights = try self.rights(tokens, HandClock())
    tokens.withLockedValue { $0 = Self.tokens(.vendor, vendor: "Beta") }
    #expect(await !rights.stand())
  }

  @Test("a login's end when it has lost its group, found out soon and not at each piece")
  func login() async throws {
    let clock = HandClock()
    let roles = NIOLockedValueBox<Set<ControlRole>>([.viewer])
    let looks = NIOLockedValueBox(0)
    @Sendable func asker() -> ControlAsker {
      looks.withLockedValue { $0 += 1 }
      return ControlAsker(giver: .login(uid: 1_000, name: "kari"), roles: roles.withLockedValue { $0 })
    }
    let rights = StandingRights(of: asker(), on: .live, clock: clock, asksAgain: { asker() })
    for _ in 0..<100 { #expect(await rights.stand()) }
    #expect(looks.withLockedValue { $0 } == 1)
    roles.withLockedValue { $0 = [] }
    clock.move(by: StandingRights.life)
    #expect(await !rights.stand())
  }
}
