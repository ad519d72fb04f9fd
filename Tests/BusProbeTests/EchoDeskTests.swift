// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BusProbe
@testable import TjenestebussClient

@Suite("Echo desk")
struct EchoDeskTests {
  private func echo(of id: String) throws -> PingEcho {
    let request = PingForm.request(from: try ProbeFixture.herID(100), to: try ProbeFixture.herID(), replyTo: "q", messageID: id)
    return try #require(
      PingEcho(PingForm.echo(of: request, readFrom: "200_async", product: "EPJ"), subject: PingForm.defaultSubject))
  }

  @Test("An echo reaches who waits for it, before or after it came; another's is nobody's")
  func delivered() async throws {
    let desk = EchoDesk(subject: PingForm.defaultSubject)
    let echoes = (try self.echo(of: "a"), try self.echo(of: "b"), try self.echo(of: "c"))
    desk.expect("a")
    desk.expect("b")
    #expect(desk.fulfil(echoes.0))
    #expect(!desk.fulfil(echoes.2))
    async let b = desk.echo(of: "b", within: .seconds(60))
    #expect(desk.fulfil(echoes.1))
    #expect(await desk.echo(of: "a", within: .seconds(60)) == echoes.0)
    #expect(await b == echoes.1)
    desk.forget("a")
    #expect(!desk.fulfil(echoes.0), "forgotten: it would be kept for others")
  }

  @Test("None in time is nil, and so is one that was never announced, or a cancelled wait")
  func none() async {
    let desk = EchoDesk(subject: PingForm.defaultSubject)
    desk.expect("a")
    #expect(await desk.echo(of: "a", within: .milliseconds(1)) == nil)
    #expect(await desk.echo(of: "never", within: .seconds(60)) == nil)
    desk.expect("b")
    let task = Task { await desk.echo(of: "b", within: .seconds(3_600)) }
    task.cancel()
    #expect(await task.value == nil)
  }
}
