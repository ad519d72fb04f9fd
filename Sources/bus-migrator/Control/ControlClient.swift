// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import BusModel
import Foundation
import Migration
import MigrationEngine
import MigrationReport
import NIOCore
import NIOHTTP1

/// Speaks to the daemon over its socket.
struct ControlClient {
  let socket: String

  /// Answered at once, also while the daemon reads its history.
  func health() async throws -> ControlAPI.Health {
    try Self.decode(try await self.ask("GET", "/v1/health", body: nil, within: .seconds(20), orNotReady: true))
  }

  func status(of pulje: PuljeName? = nil) async throws -> ControlAPI.Status {
    try Self.decode(try await self.ask("GET", "/v1/status\(Self.query(pulje))", body: nil, within: .seconds(20)))
  }

  /// In words: of thousands of parties it is told at once what would take seconds to be written and read as JSON.
  func statusText(of pulje: PuljeName?) async throws -> String {
    let query = Self.query(pulje)
    let data = try await self.ask(
      "GET", "/v1/status\(query)\(query.isEmpty ? "?" : "&")form=text", body: nil, within: .seconds(20))
    return String(decoding: data, as: UTF8.self)
  }

  /// - Parameters:
  ///   - after: the last event that is known here: the answer comes when there is a later one, or after `patience`.
  func drain(
    of pulje: PuljeName?, herIDs: [HerID], after: Int64? = nil, patience: TimeSpan = .seconds(25)
  ) async throws -> DrainStatus {
    var query = Self.query(pulje, herIDs)
    if let after { query += "\(query.isEmpty ? "?" : "&")after=\(after)&patience=\(patience.milliseconds)" }
    return try Self.decode(
      try await self.ask("GET", "/v1/drain\(query)", body: nil, within: .milliseconds(patience.milliseconds) + .seconds(20)))
  }

  func explanation(of herID: HerID, _ pulje: PuljeName?) async throws -> DrainExplanation {
    try Self.decode(try await self.ask("GET", "/v1/drain/explain\(Self.query(pulje, [herID]))", body: nil, within: .seconds(20)))
  }

  func forwarding(of pulje: PuljeName?, herIDs: [HerID]) async throws -> ForwardingView {
    try Self.decode(
      try await self.ask("GET", "/v1/drain/forwarding\(Self.query(pulje, herIDs))", body: nil, within: .seconds(20)))
  }

  /// - Parameter order: what would be approved.
  func forwardingTrial(of pulje: PuljeName?, herIDs: [HerID], order: ForwardingOrder) async throws -> ForwardingTrial {
    let question = ControlAPI.TrialQuestion(pulje: pulje, herIDs: herIDs, order: order)
    return try Self.decode(
      try await self.ask("POST", "/v1/drain/trial", body: ControlAPI.encode(question), within: .minutes(5)))
  }

  /// Lists every queue of the bus, which may take its time.
  func drain(ofBus bus: BusName) async throws -> BusDrain {
    let name = bus.text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    return try Self.decode(try await self.ask("GET", "/v1/drain/bus?name=\(name)", body: nil, within: .minutes(5)))
  }

  private static func query(_ pulje: PuljeName?, _ herIDs: [HerID]) -> String {
    let ids = herIDs.map(\.description).joined(separator: ",")
    let parts = [pulje.map { "pulje=\($0)" }, ids.isEmpty ? nil : "her-id=\(ids)"].compactMap { $0 }
    return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
  }

  private static func query(_ pulje: PuljeName?) -> String { pulje.map { "?pulje=\($0)" } ?? "" }

  func metrics() async throws -> String {
    String(decoding: try await self.ask("GET", "/metrics", body: nil, within: .seconds(20)), as: UTF8.self)
  }

  func report(_ pulje: PuljeName?) async throws -> PuljeReport {
    try Self.decode(try await self.ask("GET", "/v1/report\(Self.query(pulje))", body: nil, within: .seconds(20)))
  }

  /// Made now by the daemon; a PDF of thousands of parties takes minutes.
  func pilotReport(_ pulje: PuljeName?, form: ReportControl.Form, language: ReportLanguage) async throws -> Data {
    let query = Self.query(pulje)
    return try await self.ask(
      "GET", "/v1/reports/now\(query)\(query.isEmpty ? "?" : "&")form=\(form.rawValue)&language=\(language.rawValue)", body: nil,
      within: .minutes(10))
  }

  /// A start reads the register for every party, which takes its time.
  ///
  /// - Parameter key: stands for this one command: sent again with it, it is not carried out again.
  func carryOut(_ command: ControlAPI.Command, key: String? = nil) async throws -> ControlAPI.CommandAnswer {
    try Self.decode(
      try await self.ask("POST", "/v1/command", body: ControlAPI.encode(command), key: key, within: .minutes(10)))
  }

  /// Takes in what the daemon tells as it happens, until it ends the connection or the task is cancelled.
  ///
  /// - Parameters:
  ///   - after: the last event that is known here.
  ///   - silence: after so long without a word the connection counts as lost.
  /// - Throws: ``CommandLineError``; what `take` throws; `CancellationError`.
  func live(after: Int64?, silence: TimeAmount, take: (ByteBufferView) async throws -> Void) async throws {
    var request = try self.request(.GET, ControlRoute.live.path)
    if let after { request.headers.add(name: "last-event-id", value: "\(after)") }
    let socket = self.socket
    try await self.answered(request, silence: silence) { response in
      guard response.status == .ok else {
        throw Self.failure(
          response.status, Data(try await response.body.collect(upTo: 1 << 20).readableBytesView), socket: socket)
      }
      var chunks = response.body.makeAsyncIterator()
      while true {
        guard let chunk = try await chunks.next() else { return }
        do { try await take(chunk.readableBytesView) } catch { throw TakenInError(error: error) }
      }
    }
  }

  private static func failure(_ status: HTTPResponseStatus, _ data: Data, socket: String) -> CommandLineError {
    guard let failure = try? JSONDecoder().decode(ControlAPI.Failure.self, from: data) else {
      return .answerUnreadable(seen: "status \(status.code)")
    }
    if status == .serviceUnavailable, failure.code == CommandLineError.daemonRecovering(socket: "").stableCode {
      return .daemonRecovering(socket: socket)
    }
    let word = CommandLineError.DaemonWord(code: failure.code, text: failure.text, explanation: failure.explanation)
    if failure.isRefusal { return .refusedByDaemon(word) }
    return status == .badRequest ? .wrongForDaemon(word) : .failedInDaemon(word)
  }

  private func ask(
    _ method: String, _ path: String, body: Data?, key: String? = nil, within timeout: TimeAmount,
    orNotReady: Bool = false
  ) async throws -> Data {
    var request = try self.request(.init(rawValue: method), path)
    if let key { request.headers.add(name: CommandControl.keyHeader, value: key) }
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.headers.add(name: BrowserGate.header, value: "1")
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    let socket = self.socket
    return try await self.answered(request, within: timeout) { response in
      let data = Data(try await response.body.collect(upTo: 256 << 20).readableBytesView)
      guard response.status != .ok else { return data }
      // Told so by whoever is asked whether it is ready.
      if orNotReady, response.status == .serviceUnavailable,
        (try? JSONDecoder().decode(ControlAPI.Failure.self, from: data)) == nil
      {
        return data
      }
      throw Self.failure(response.status, data, socket: socket)
    }
  }

  private func request(_ method: HTTPMethod, _ path: String) throws -> HTTPClientRequest {
    guard let host = self.socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) else {
      throw CommandLineError.daemonNotReachable(socket: self.socket, seen: "the path cannot be written in an address")
    }
    var request = HTTPClientRequest(url: "http+unix://\(host)\(path)")
    request.method = method
    return request
  }

  /// Asks over a connection of its own, which ends with `read`.
  ///
  /// - Parameters:
  ///   - timeout: of the whole answer; nil for an answer without end.
  ///   - silence: after so long without a word the connection counts as lost.
  /// - Throws: ``CommandLineError`` `daemonNotReachable` for all that goes wrong on the way; what `read` throws of the answer, and of its own.
  private func answered<Answer: Sendable>(
    _ request: HTTPClientRequest, within timeout: TimeAmount? = nil, silence: TimeAmount? = nil,
    _ read: (HTTPClientResponse) async throws -> Answer
  ) async throws -> Answer {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.timeout.connect = .seconds(5)
    configuration.timeout.read = silence
    let deadline = timeout.map { NIODeadline.now() + $0 } ?? .distantFuture
    return try await HTTPClient.withHTTPClient(configuration: configuration) { http in
      do {
        return try await read(try await Self.knocking { try await http.execute(request, deadline: deadline) })
      } catch let error as CommandLineError {
        throw error
      } catch let error as TakenInError {
        throw error.error
      } catch {
        if Task.isCancelled { throw CancellationError() }
        throw CommandLineError.daemonNotReachable(socket: self.socket, seen: "\(error)")
      }
    }
  }

  /// What went wrong with whoever takes an answer in: not on the way here.
  private struct TakenInError: Error {
    var error: any Error
  }

  /// A crowd may stand before the socket: then the system says at once that nobody can be put in the queue, and nothing was sent. Tried
  /// again for a moment.
  private static func knocking<Answer>(_ ask: () async throws -> Answer) async throws -> Answer {
    let ends = ContinuousClock.now + .seconds(5)
    while true {
      do { return try await ask() } catch let error as IOError where error.errnoCode == EAGAIN && ContinuousClock.now < ends {
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  private static func decode<Answer: Decodable>(_ data: Data) throws -> Answer {
    do { return try JSONDecoder().decode(Answer.self, from: data) } catch {
      throw CommandLineError.answerUnreadable(seen: "\(data.count) bytes that are not the answer's form")
    }
  }
}
