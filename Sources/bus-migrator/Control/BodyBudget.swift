// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOConcurrencyHelpers
import NIOCore

/// How much of requests' bodies is held at a time, over all connections: each may be as large as a plan of thousands, and there is room for
/// hundreds of connections.
final class BodyBudget: Sendable {
  /// Bytes: four plans of the largest size.
  static let usual = 64 << 20
  /// A body's first bytes that do not count: a stop-the-line finds room whatever large plans are being read. There are as many as connections, which
  /// are bounded themselves.
  static let free = 64 << 10

  let limit: Int
  private let held = NIOLockedValueBox(0)

  private let free: Int

  init(limit: Int = BodyBudget.usual, free: Int = BodyBudget.free) { (self.limit, self.free) = (limit, free) }

  /// Reads all of a body and gives it to `body`; held until that has ended.
  ///
  /// - Throws: ``CommandLineError`` `tooLarge`, and `tooMuchAtOnce` where others hold too much just now.
  func withBody<Answer: Sendable>(
    of request: Request, upTo limit: Int, _ body: (ByteBuffer) async throws -> Answer
  ) async throws -> Answer {
    var taken = 0
    var length = 0
    defer { self.held.withLockedValue { [taken] in $0 -= taken } }
    var whole = ByteBuffer()
    for try await piece in request.body {
      length += piece.readableBytes
      guard length <= limit else { throw CommandLineError.tooLarge(limit: limit) }
      let counted = max(0, length - self.free) - taken
      guard self.take(counted) else { throw CommandLineError.tooMuchAtOnce(limit: self.limit) }
      taken += counted
      whole.writeImmutableBuffer(piece)
    }
    return try await body(whole)
  }

  private func take(_ bytes: Int) -> Bool {
    self.held.withLockedValue { held in
      guard held + bytes <= self.limit else { return false }
      held += bytes
      return true
    }
  }
}
