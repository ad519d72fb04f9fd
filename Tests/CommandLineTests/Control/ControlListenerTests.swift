// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import NIOCore
import OrderlyService
import Testing

@testable import bus_migrator

@Suite("The control socket", .timeLimit(.minutes(2)))
struct ControlListenerTests {
  /// A listener with a gate before one route, on a socket of its own.
  private func withListener(
    _ room: ConnectionRoom = ConnectionRoom(), patience: Duration = .milliseconds(200),
    _ body: @Sendable @escaping (_ socket: String, DaemonReadiness) async throws -> Void
  ) async throws {
    let socket = "/tmp/cl-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: socket) }
    let (ready, signal) = AsyncStream.makeStream(of: Void.self)
    let readiness = DaemonReadiness {}
    let router = Router(context: ControlContext.self)
    router.add(middleware: RecoveredGate(readiness: readiness, socket: socket, patience: patience))
    router.get("/v1/status") { _, _ in "all is well" }
    router.get("/v1/health") { _, _ in ControlAnswer.health(readiness, environment: nil) }
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let listener = ControlListener(
      place: .made(path: socket), responder: router.buildResponder(), room: room, logger: logger, onReady: { signal.finish() })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await OrderlyService(listener, within: .seconds(10), logger: logger).run() }
      for await _ in ready {}
      readiness.listens()
      try await body(socket, readiness)
      group.cancelAll()
    }
  }

  private func ask(_ path: String, _ socket: String) async throws -> (status: Int, body: String) {
    let host = try #require(socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    return try await HTTPClient.withHTTPClient { http in
      let answer = try await http.execute(HTTPClientRequest(url: "http+unix://\(host)\(path)"), timeout: .seconds(20))
      return (Int(answer.status.code), String(buffer: try await answer.body.collect(upTo: 1 << 16)))
    }
  }

  @Test("While the history is read, nobody is told that there is no pulje: it says that it reads, and health says not ready")
  func recovering() async throws {
    try await self.withListener { socket, readiness in
      let early = try await self.ask("/v1/status", socket)
      #expect(early.status == 503 && early.body.contains("CLI-017"))
      let health = try await self.ask("/v1/health", socket)
      #expect(health.status == 503 && health.body.contains(#""isReady":false"#), "\(health)")
      readiness.recovered()
      #expect(try await self.ask("/v1/status", socket) == (200, "all is well"))
      #expect(try await self.ask("/v1/health", socket).status == 200)
    }
  }

  @Test("Who asks a moment before it is read waits, and is answered")
  func waits() async throws {
    try await self.withListener(patience: .seconds(60)) { socket, readiness in
      async let early = self.ask("/v1/status", socket)
      try await Task.sleep(for: .milliseconds(100))
      readiness.recovered()
      #expect(try await early.status == 200)
    }
  }

  @Test("A socket that is full sends the next one away, and has room again when one has left")
  func full() async throws {
    let me = getuid()
    var room = ConnectionRoom()
    room.limit = me == 0 ? 1 : 1 + room.keptForRoot
    try await self.withListener(room) { socket, readiness in
      readiness.recovered()
      let host = try #require(socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
      try await HTTPClient.withHTTPClient { first in
        // Kept alive after its answer: the place stays taken.
        let answer = try await first.execute(HTTPClientRequest(url: "http+unix://\(host)/v1/status"), timeout: .seconds(20))
        #expect(answer.status == .ok)
        #expect(try await self.ask("/v1/status", socket).status == 503)
      }
      var again = 503
      // The place is free when the listener has seen the end of the first.
      for _ in 0..<100 where again == 503 { again = try await self.ask("/v1/status", socket).status }
      #expect(again == 200)
    }
  }

  @Test("Room: so many of one user, so many in all, and some that only root gets")
  func room() {
    var room = ConnectionRoom()
    room.limit = 10
    room.limitPerUser = 4
    room.keptForRoot = 2
    let first = (0..<5).map { _ in room.arrived(1_000) }
    #expect(first == [true, true, true, true, false])
    let second = (0..<5).map { _ in room.arrived(1_001) }
    #expect(second == [true, true, true, true, false])
    let unknown = room.arrived(nil)
    #expect(!unknown)
    let root = (0..<3).map { _ in room.arrived(0) }
    #expect(root == [true, true, false])
    room.left(1_000)
    room.left(1_234)
    #expect(room.count == 9)
    let ordinary = room.arrived(1_002)
    let rootAgain = room.arrived(0)
    #expect(!ordinary && rootAgain)
  }
}
