// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Testing

@testable import TjenestebussClient

@Suite("Questions and answers", .timeLimit(.minutes(5)))
struct AnswerBookTests {
  @Test("An answer is brought once; a second one, and one after giving up, is late; one nobody asked for is unknown")
  func arrivals() throws {
    let partner = try Fixture.herID(100)
    var book = AnswerBook()
    #expect(book.ask("a", of: partner) == true)
    #expect(book.ask("a", of: partner) == false, "one question an id")
    #expect(book.arrives("a", from: partner) == .awaited)
    #expect(book.arrives("a", from: partner) == .late)
    #expect(book.ask("b", of: partner) == true)
    book.close("b")
    #expect(book.arrives("b", from: partner) == .late)
    #expect(book.arrives("c", from: partner) == .unknown)
    #expect(book.waiting == 0)
  }

  @Test("An answer from another party than the one that was asked is none, and the question stays open")
  func another() throws {
    let partner = try Fixture.herID(100)
    var book = AnswerBook()
    #expect(book.ask("a", of: partner) == true)
    #expect(book.arrives("a", from: try Fixture.herID(666)) == .fromAnother)
    #expect(book.arrives("a", from: partner) == .awaited)
  }

  @Test("A thousand closed questions are remembered, the oldest forgotten first")
  func bounded() throws {
    let partner = try Fixture.herID(100)
    var book = AnswerBook()
    for number in 0...1_000 {
      #expect(book.ask("q\(number)", of: partner) == true)
      book.close("q\(number)")
    }
    #expect(book.arrives("q0", from: partner) == .unknown)
    #expect(book.arrives("q1000", from: partner) == .late)
  }

  @Test("Who waits gets the answer, or nothing at the deadline, or the cancellation")
  func desk() async throws {
    let desk = AnswerDesk()
    let partner = try Fixture.herID(100)
    let received = ReceivedMessage(
      message: try Fixture.incoming(), bus: "b", queue: "q", kind: .synchronousReply, deliveryCount: 0)
    let answer = try #require(desk.ask("a", of: partner))
    #expect(desk.ask("a", of: partner) == nil)
    #expect(desk.arrives(.message(received), to: "a", from: partner) == .awaited)
    guard case .message? = try await AnswerDesk.wait(for: answer, until: .now + .seconds(600)) else {
      Issue.record("no answer")
      return
    }
    let silent = try #require(desk.ask("b", of: partner))
    #expect(try await AnswerDesk.wait(for: silent, until: .now) == nil)
    let task = Task { try await AnswerDesk.wait(for: silent, until: .now + .seconds(600)) }
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }
}

extension AnswerDesk.Answer: Equatable {
  public static func == (lhs: Self, rhs: Self) -> Bool {
    switch (lhs, rhs) {
    case (.message(let a), .message(let b)): a.message == b.message
    case (.refused(let a), .refused(let b)): a == b
    case (.message, .refused), (.refused, .message): false
    }
  }
}
