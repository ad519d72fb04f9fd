// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Before the history is read the engine knows of no pulje: nobody must be told that there is none. Whoever asks waits for a moment, and is told
/// then that it takes longer. Whether the daemon is ready is told at once (`GET /v1/health`).
struct RecoveredGate: RouterMiddleware {
  /// They say themselves whether the history is read: monitoring must not take a long recovery for a daemon that is gone.
  private static let open = [ControlRoute.health.path, ControlRoute.metrics.path]

  let readiness: DaemonReadiness
  let socket: String
  /// Below what programs wait for an answer.
  var patience = Duration.seconds(5)

  func handle(
    _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
  ) async throws -> Response {
    if Self.open.contains(request.uri.path) { return try await next(request, context) }
    guard await self.readiness.isRecovered(within: self.patience) else {
      return ControlAnswer.failure(CommandLineError.daemonRecovering(socket: self.socket))
    }
    return try await next(request, context)
  }
}
