// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore

/// Somebody who watches. What he has not read yet is kept for him within bounds; who reads too slowly is told to begin anew.
final class LiveListener: Sendable {
  /// Chunks that wait for a slow reader.
  static let patience = 64

  let chunks: AsyncStream<ByteBuffer>
  private let outlet: AsyncStream<ByteBuffer>.Continuation
  private let behind = NIOLockedValueBox(false)
  private let hangUp: @Sendable () -> Void

  /// - Parameter hangUp: ends the connection of a reader who does not even read that he is too slow.
  init(patience: Int = LiveListener.patience, hangUp: @escaping @Sendable () -> Void) {
    (self.chunks, self.outlet) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingOldest(patience))
    self.hangUp = hangUp
  }

  /// Whether something could not be kept for him any more.
  var isBehind: Bool { self.behind.withLockedValue { $0 } }

  /// Never waits.
  ///
  /// - Returns: false when he has fallen behind; then nothing more comes.
  func tell(_ chunk: ByteBuffer) -> Bool {
    if self.isBehind { return false }
    guard case .dropped = self.outlet.yield(chunk) else { return true }
    self.behind.withLockedValue { $0 = true }
    self.outlet.finish()
    return false
  }

  func end() { self.outlet.finish() }
  func cutOff() { self.hangUp() }
}
