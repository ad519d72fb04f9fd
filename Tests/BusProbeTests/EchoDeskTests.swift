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

  private func wait(_ desk: EchoDesk, _ id: String, within time: Duration = .seconds(60), sends: () async -> Bool) async
    -> EchoArrival
  {
    await OwnEchoes(desk: desk, replyQueue: "q").echo(of: id, sentWithin: .seconds(60), within: time, sends: sends)
  }

  @Test("An echo reaches who waits for it, even when it comes before the sending has ended; another's is nobody's")
  func delivered() async throws {
    let desk = EchoDesk(subject: PingForm.defaultSubject)
    let (a, b, c) = (try self.echo(of: "a"), try self.echo(of: "b"), try self.echo(of: "c"))
    async let second = self.wait(desk, "b") {
      desk.take(c, by: nil)
      desk.take(b, by: nil)
      return true
    }
    let first = await self.wait(desk, "a") {
      desk.take(a, by: nil)
      return true
    }
    #expect(first == .came(a))
    #expect(await second == .came(b))
    #expect(desk.awaited == 0)
  }

  @Test("None in time is none; a ping that the bus did not take is not waited for; two cannot wait for one echo")
  func none() async throws {
    let desk = EchoDesk(subject: PingForm.defaultSubject)
    #expect(await self.wait(desk, "a", within: .milliseconds(1)) { true } == .noneInTime)
    #expect(await self.wait(desk, "a") { false } == .notAwaited)
    var second: EchoArrival?
    let first = await self.wait(desk, "a", within: .milliseconds(1)) {
      second = await self.wait(desk, "a") { true }
      return true
    }
    #expect(first == .noneInTime && second == .failed(.awaitedAlready("a")))
    let task = Task { await self.wait(desk, "b", within: .seconds(200)) { true } }
    task.cancel()
    #expect(await task.value == .noneInTime)
    #expect(desk.awaited == 0)
  }

  @Test("What a stranger writes into an echo is cut short, and steers no terminal")
  func strangers() throws {
    let request = PingForm.request(from: try ProbeFixture.herID(100), to: try ProbeFixture.herID(), replyTo: "q", messageID: "a")
    var message = PingForm.echo(of: request, readFrom: "200_async\u{1B}[2J", product: String(repeating: "x", count: 5_000))
    message.properties[PingForm.PropertyName.buses] = "a\u{7},b"
    let echo = try #require(PingEcho(message, subject: PingForm.defaultSubject))
    #expect(echo.product?.count == 200 && echo.queue == "200_async[2J" && echo.hears == ["a", "b"])
  }

  @Test("What goes over the daemon's socket comes back as it was")
  func lines() throws {
    var told = try self.echo(of: "a")
    told.cacheAge = .seconds(61)
    told.hears = ["servicebus", "tjenestebuss"]
    let failure = EchoError.busNotRead("x")
    for line in [
      EchoLine.announced, .end, .echo(try self.echo(of: "b")), .echo(told),
      .failure(code: failure.stableCode, failure.explanation),
    ] {
      let data = try line.encoded()
      #expect(data.last == UInt8(ascii: "\n") && data.dropLast().contains(UInt8(ascii: "\n")) == false)
      #expect(EchoLine(decoding: data) == line)
    }
    for text in ["", "{}", "{\"state\":\"other\"}", "[1]"] { #expect(EchoLine(decoding: .init(text.utf8)) == nil) }
  }
}
