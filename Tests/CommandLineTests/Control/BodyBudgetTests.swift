// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
import Testing

@testable import bus_migrator

/// However many send however much, so much is held and no more.
@Suite("Bodies in flight")
struct BodyBudgetTests {
  private func request(_ pieces: [Int]) -> Request {
    let body = AsyncStream<ByteBuffer> { continuation in
      for size in pieces { continuation.yield(ByteBuffer(repeating: 32, count: size)) }
      continuation.finish()
    }
    return Request(
      head: .init(method: .post, scheme: "http", authority: "localhost", path: "/v1/command"),
      body: RequestBody(asyncSequence: body))
  }

  private func code(_ work: () async throws -> Int) async -> String {
    do { return "\(try await work())" } catch let error as CommandLineError { return error.stableCode } catch {
      return "\(error)"
    }
  }

  @Test("a body is given whole, and its room back when it has been dealt with, whatever came of it")
  func room() async {
    let budget = BodyBudget(limit: 100, free: 0)
    for _ in 0..<10 {
      #expect(await self.code { try await budget.withBody(of: self.request([40, 40]), upTo: 90) { $0.readableBytes } } == "80")
      #expect(
        await self.code { try await budget.withBody(of: self.request([60, 40]), upTo: 90) { $0.readableBytes } } == "CLI-025")
      #expect(
        await self.code {
          try await budget.withBody(of: self.request([90]), upTo: 90) { _ in throw CommandLineError.routeNotThere }
        } == "CLI-023")
    }
  }

  @Test("while others hold too much, more is told to come again, and nothing of it is held")
  func crowd() async {
    let budget = BodyBudget(limit: 100, free: 0)
    let inner = await self.code {
      try await budget.withBody(of: self.request([70]), upTo: 90) { _ in
        #expect(
          await self.code { try await budget.withBody(of: self.request([20, 20]), upTo: 90) { $0.readableBytes } } == "CLI-030")
        return try await budget.withBody(of: self.request([30]), upTo: 90) { $0.readableBytes }
      }
    }
    #expect(inner == "30")
  }

  @Test("however large plans fill it, a command of a few bytes finds room")
  func brake() async {
    let budget = BodyBudget(limit: 100, free: 10)
    let inner = await self.code {
      try await budget.withBody(of: self.request([110]), upTo: 200) { _ in
        #expect(await self.code { try await budget.withBody(of: self.request([11]), upTo: 90) { $0.readableBytes } } == "CLI-030")
        return try await budget.withBody(of: self.request([5, 5]), upTo: 90) { $0.readableBytes }
      }
    }
    #expect(inner == "10")
  }
}
