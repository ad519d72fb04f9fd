// SPDX-License-Identifier: Apache-2.0

import Disclosure
import Foundation

/// What goes over the daemon's socket when somebody waits for echoes: one JSON object a line. First that the pings may be sent, then each
/// echo as it comes, then why no more come. What an echo says stands in it, never a body.
public enum EchoLine: Sendable, Hashable {
  /// The pings are announced: they may be sent.
  case announced
  case echo(PingEcho)
  /// All came, or the time is up.
  case end
  case failure(code: String, Explanation)

  /// The longest wait that the daemon takes, and the most pings in one.
  public static let longestWait = Duration.seconds(300)
  public static let mostPings = 100

  private struct Wire: Codable {
    struct Echo: Codable {
      var of: String
      var library: String?
      var product: String?
      var queue: String?
      var cache_age_seconds: Int64?
      var hears: [String]
    }
    struct Failure: Codable {
      var code: String
      var explanation: Explanation
    }

    var state: String?
    var echo: Echo?
    var failure: Failure?
  }

  /// With a line feed at its end.
  public func encoded() throws -> Data {
    var wire = Wire()
    switch self {
    case .announced: wire.state = "announced"
    case .end: wire.state = "end"
    case .failure(let code, let explanation): wire.failure = .init(code: code, explanation: explanation)
    case .echo(let echo):
      wire.echo = .init(
        of: echo.originalMessageID, library: echo.libraryVersion, product: echo.product, queue: echo.queue,
        cache_age_seconds: echo.cacheAge?.components.seconds, hears: echo.hears)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(wire) + Data("\n".utf8)
  }

  /// - Returns: nil for what is no such line.
  public init?(decoding data: Data) {
    guard let wire = try? JSONDecoder().decode(Wire.self, from: data) else { return nil }
    switch (wire.state, wire.echo, wire.failure) {
    case ("announced", nil, nil): self = .announced
    case ("end", nil, nil): self = .end
    case (nil, nil, let failure?): self = .failure(code: failure.code, failure.explanation)
    case (nil, let echo?, nil):
      self = .echo(
        PingEcho(
          originalMessageID: echo.of, libraryVersion: echo.library, product: echo.product, queue: echo.queue,
          cacheAge: echo.cache_age_seconds.map { .seconds($0) }, hears: echo.hears))
    default: return nil
    }
  }
}

/// What the daemon says of a bus's reply queue before anything is announced.
public struct EchoQueueAnswer: Sendable, Hashable, Codable {
  public var schema = "bus-migrator/echoes/1"
  public var bus: String
  public var replyQueue: String
  /// The subject that its echoes have.
  public var subject: String
  /// How many pings are waited for on it now.
  public var awaited: Int

  public init(bus: String, replyQueue: String, subject: String, awaited: Int) {
    self.bus = bus
    self.replyQueue = replyQueue
    self.subject = subject
    self.awaited = awaited
  }
}

/// How the daemon says no, as everywhere on its socket.
struct EchoRefusal: Decodable {
  var code: String
  var explanation: Explanation
}
