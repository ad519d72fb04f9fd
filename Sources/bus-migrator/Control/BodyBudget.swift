// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOConcurrencyHelpers
import NIOCore

/// How much of requests' bodies is held at a time, over all connections: each may be as large as a plan of thousands, and there is room for
/// hundreds of connections.
final class BodyBudget: Sendable {
  /// Bytes: four plans of the largest size.
  static let usual = 64 << 20

  let limit: Int
  private let held = NIOLockedValueBox(0)

  init(limit: Int = BodyBudget.usual) { self.limit = limit }

  /// Reads all of a body and gives it to `body`; held until that has ended.
  ///
  /// - Throws: ``CommandLineError`` `tooLarge`, and `tooMuchAtOnce` where others hold too much just now.
  func withBody<Answer: Sendable>(
    of request: Request, upTo limit: Int, _ body: (ByteBuffer) async throws -> Answer
  ) async throws -> Answer {
    var taken = 0
    defer { self.held.withLockedValue { [taken] in $0 -= taken } }
    var whole = ByteBuffer()
    for try await piece in request.body {
      guard taken + piece.readableBytes <= limit else { throw CommandLineError.tooLarge(limit: limit) }
      guard self.take(piece.readableBytes) else { throw CommandLineError.tooMuchAtOnce(limit: self.limit) }
      taken += piece.readableBytes
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
