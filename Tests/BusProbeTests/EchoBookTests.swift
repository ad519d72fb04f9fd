// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BusProbe
@testable import TjenestebussClient

@Suite("Echo book: who waits for which echo, and until when")
struct EchoBookTests {
  private let begin = ContinuousClock.now

  private func echo(of id: String) -> PingEcho {
    PingEcho(originalMessageID: id, libraryVersion: "1", product: "EPJ", queue: "200_async", cacheAge: nil, hears: [])
  }

  private func at(_ seconds: Int) -> ContinuousClock.Instant { self.begin + .seconds(seconds) }

  @Test("Each echo goes to who announced its ping, once, and to nobody else; with the last one the wait is over")
  func handed() {
    var book = EchoBook()
    #expect(book.take(.announced(1, ["a", "b"], until: self.at(10)), at: self.at(0)) == [])
    #expect(book.take(.announced(2, ["c"], until: self.at(10)), at: self.at(0)) == [])
    #expect(book.awaited == 3)
    #expect(book.take(.came(self.echo(of: "b"), 11), at: self.at(1)) == [.accept(11), .hand(self.echo(of: "b"), 1)])
    #expect(book.take(.came(self.echo(of: "b"), 12), at: self.at(1)) == [.accept(12)], "a second echo is no news")
    #expect(book.take(.came(self.echo(of: "c"), 13), at: self.at(2)) == [.accept(13), .hand(self.echo(of: "c"), 2), .end(2)])
    #expect(book.take(.came(self.echo(of: "a"), 14), at: self.at(2)) == [.accept(14), .hand(self.echo(of: "a"), 1), .end(1)])
    #expect(book.take(.givenUp(1), at: self.at(2)) == [] && book.take(.givenUp(2), at: self.at(2)) == [])
    #expect(book.awaited == 0)
  }

  @Test("Time ends a wait, once; an echo that comes later is nobody's")
  func late() {
    var book = EchoBook()
    _ = book.take(.announced(1, ["a"], until: self.at(10)), at: self.at(0))
    #expect(book.take(.timePassed, at: self.at(9)) == [])
    #expect(book.take(.timePassed, at: self.at(10)) == [.end(1)])
    #expect(book.take(.timePassed, at: self.at(11)) == [])
    #expect(book.take(.came(self.echo(of: "a"), 1), at: self.at(11)) == [.keep(1)])
    #expect(book.awaited == 0)
  }

  @Test("Who is gone waits no more")
  func gone() {
    var book = EchoBook()
    _ = book.take(.announced(1, ["a"], until: self.at(10)), at: self.at(0))
    _ = book.take(.givenUp(1), at: self.at(1))
    #expect(book.take(.came(self.echo(of: "a"), 1), at: self.at(2)) == [.keep(1)])
    #expect(book.take(.timePassed, at: self.at(20)) == [], "nobody is told of an end")
  }

  @Test(
    "What nobody waits for is kept for others: the oldest are let go when there are many, all after a minute, none after the link's end"
  )
  func kept() {
    var limits = EchoBook.Limits()
    limits.kept = 2
    var book = EchoBook(limits: limits)
    #expect(book.take(.came(self.echo(of: "x"), 1), at: self.at(0)) == [.keep(1)])
    #expect(book.take(.came(self.echo(of: "y"), 2), at: self.at(1)) == [.keep(2)])
    #expect(book.take(.came(self.echo(of: "z"), 3), at: self.at(2)) == [.keep(3), .accept(1)])
    #expect(book.take(.timePassed, at: self.at(61)) == [.accept(2)])
    #expect(book.take(.linkEnded, at: self.at(61)) == [])
    #expect(book.take(.timePassed, at: self.at(500)) == [], "it went back with the link")
  }

  @Test("Bounds: so many who wait, so many pings, so long; and a ping that somebody waits for is nobody else's")
  func bounds() {
    var limits = EchoBook.Limits()
    limits.waits = 2
    limits.pings = 3
    limits.longest = .seconds(60)
    var book = EchoBook(limits: limits)
    _ = book.take(.announced(1, ["a"], until: self.at(10)), at: self.at(0))
    #expect(book.take(.announced(2, ["a"], until: self.at(10)), at: self.at(0)) == [.refuse(2, .awaitedAlready("a"))])
    #expect(book.take(.announced(2, ["b"], until: self.at(61)), at: self.at(0)) == [.refuse(2, .tooMuch(.seconds, limit: 60))])
    #expect(
      book.take(.announced(2, ["b", "c", "d"], until: self.at(10)), at: self.at(0)) == [.refuse(2, .tooMuch(.pings, limit: 3))])
    #expect(book.take(.announced(2, ["b"], until: self.at(10)), at: self.at(0)) == [])
    #expect(book.take(.announced(3, ["c"], until: self.at(10)), at: self.at(0)) == [.refuse(3, .tooMuch(.waits, limit: 2))])
    // What was refused is not waited for, and its end gives nothing up that is another's.
    _ = book.take(.givenUp(3), at: self.at(0))
    #expect(book.take(.came(self.echo(of: "a"), 1), at: self.at(1)) == [.accept(1), .hand(self.echo(of: "a"), 1), .end(1)])
    // Room again, once one has ended.
    _ = book.take(.givenUp(1), at: self.at(2))
    #expect(book.take(.announced(4, ["a"], until: self.at(12)), at: self.at(2)) == [])
  }

  @Test("Who reads the queue stops: every wait ends, but those whose echoes have all come have ended already")
  func closing() {
    var book = EchoBook()
    _ = book.take(.announced(1, ["a"], until: self.at(10)), at: self.at(0))
    _ = book.take(.announced(2, ["b"], until: self.at(10)), at: self.at(0))
    _ = book.take(.came(self.echo(of: "b"), 1), at: self.at(1))
    #expect(book.take(.closing, at: self.at(2)) == [.end(1)])
    #expect(book.awaited == 0)
  }
}
