// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import Migration
import MigrationEngine
import NIOCore
import NIOHTTP1
import NIOPosix

/// Tells a server of the operator's own: one POST for each message, signed. Any answer from 200 to 299 means that it arrived.
public struct WebhookChannel: TellingChannel {
  public var name: String
  public var url: String
  public var signature: WebhookSignature
  public var lowest: StandingCondition.Weight
  public var timeout: TimeSpan
  private let http: HTTPClient
  private let clock: any MigrationClock

  public var mostAtOnce: Int { 1 }

  /// - Parameters:
  ///   - url: https; without a login in it.
  ///   - http: follows no redirects: what is signed for one place is not taken to another.
  public init(
    name: String, url: String, signature: WebhookSignature, lowest: StandingCondition.Weight = .person,
    timeout: TimeSpan = .seconds(10), http: HTTPClient, clock: any MigrationClock
  ) {
    self.name = name
    self.url = url
    self.signature = signature
    self.lowest = lowest
    self.timeout = timeout
    self.http = http
    self.clock = clock
  }

  public func tell(_ messages: [TellingMessage]) async throws(TellingFailure) {
    for message in messages { try await self.post(message) }
  }

  private func post(_ message: TellingMessage) async throws(TellingFailure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let body = try? encoder.encode(message) else { throw TellingFailure("it cannot be written as JSON", isFinal: true) }
    // The time of this try: a receiver that refuses old ones takes it however late.
    let seconds = self.clock.now.milliseconds / 1_000
    var request = HTTPClientRequest(url: self.url)
    request.method = .POST
    request.headers = [
      "content-type": "application/json", "user-agent": "bus-migrator", "webhook-id": message.id,
      "webhook-timestamp": "\(seconds)",
      "webhook-signature": self.signature.sign(id: message.id, seconds: seconds, body: body),
    ]
    request.body = .bytes(ByteBuffer(bytes: body))
    let response: HTTPClientResponse
    do {
      response = try await self.http.execute(request, timeout: .milliseconds(self.timeout.milliseconds))
      // What it says is of no use; that it is read to its end lets the connection be used again.
      _ = try await response.body.collect(upTo: 64 << 10)
    } catch { throw TellingFailure("no answer: \(Self.words(error))") }
    guard !(200..<300).contains(response.status.code) else { return }
    // Gone: the receiver says that it will never want it again. Every other no may be mended there.
    let after = response.headers.first(name: "retry-after").flatMap { Int64($0) }.map { TimeSpan.seconds($0) }
    throw TellingFailure("HTTP \(response.status.code)", isFinal: response.status == .gone, after: after)
  }

  /// Without the address: it may hold a token in its path.
  private static func words(_ error: any Error) -> String {
    switch error {
    case let error as HTTPClientError:
      switch error {
      case .deadlineExceeded, .readTimeout, .connectTimeout: "none in time"
      case .remoteConnectionClosed: "the connection was closed"
      default: String(error.description.prefix(80))
      }
    case is NIOConnectionError: "nothing answers there"
    default: String("\(type(of: error))".prefix(80))
    }
  }
}
