// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOConcurrencyHelpers
import UnixSignals

/// Ctrl-C, SIGTERM and SIGHUP end the work in order: what is under way is called off, connections are closed, and who waits for
/// an exit code gets one.
enum Interruption {
  /// How long the work may take to end after a signal; then the program ends without it.
  static let patience = Duration.seconds(5)

  /// What a terminal must get before the program ends at once: a screen of our own must not outlive us.
  static let lastWords = NIOLockedValueBox("")

  /// Runs `body` until it ends, or a signal cancels it. A second signal, or patience, ends the program at once.
  ///
  /// - Returns: what `body` returned, and the signal that came, if one did.
  static func watching<Result: Sendable>(
    _ body: @Sendable @escaping () async throws -> Result
  ) async throws -> (Result, interruptedBy: Int32?) {
    let came = NIOLockedValueBox<Int32?>(nil)
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      let work = Task { try await body() }
      group.addTask {
        try await withTaskCancellationHandler {
          try await work.value
        } onCancel: {
          work.cancel()
        }
      }
      group.addTask {
        for await signal in signals {
          let number = Self.number(signal)
          let isFirst = came.withLockedValue { came in
            defer { came = came ?? number }
            return came == nil
          }
          guard isFirst else { Self.leave(number) }
          work.cancel()
          // Outlives this group only by ending the program.
          Task.detached {
            try? await ContinuousClock().sleep(for: Self.patience)
            Self.leave(number)
          }
        }
        return nil
      }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let result { return (result, came.withLockedValue { $0 }) }
      }
      throw CancellationError()
    }
  }

  /// The exit code of a program that a signal ended, as shells report it.
  static func exitCode(_ signal: Int32) -> Int32 { 128 + signal }

  private static func leave(_ signal: Int32) -> Never {
    let words = Self.lastWords.withLockedValue { $0 }
    // Who has stopped the terminal's output (Ctrl-S) gets none: it must not keep the program.
    var room = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    if !words.isEmpty, poll(&room, 1, 0) == 1 { try? StandardOutput().write(words) }
    exit(Self.exitCode(signal))
  }

  private static func number(_ signal: UnixSignal) -> Int32 {
    switch signal {
    case .sigterm: SIGTERM
    case .sighup: SIGHUP
    default: SIGINT
    }
  }
}
