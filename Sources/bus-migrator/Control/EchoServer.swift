// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Logging
import OrderlyService
import ServiceLifecycle

/// A socket for the desk: it hands over echoes and takes no command, so that whoever pings needs no right to carry out a migration. Who may
/// pass its folder may use it.
struct EchoServer: Service {
  let echoes: EchoControl
  let socket: String
  let logger: Logger

  func run() async throws {
    try ControlSocket.clear(self.socket)
    let router = Router(context: ControlContext.self)
    router.add(middleware: OpenDoor())
    self.echoes.add(to: router)
    var quiet = self.logger
    quiet.logLevel = .error
    let socket = self.socket
    let listener = ControlListener(
      place: .made(path: socket), responder: router.buildResponder(), logger: quiet,
      onReady: { ControlSocket.openToAll(socket) })
    let server = OrderlyService(listener, within: .seconds(10), logger: quiet)
    try await withGracefulShutdownHandler {
      try await server.run()
    } onGracefulShutdown: {
      self.echoes.end()
    }
    ControlSocket.remove(socket)
  }
}

/// Whoever passes the socket's folder is let in, as one who sees: there is nothing but echoes behind it.
private struct OpenDoor: RouterMiddleware {
  func handle(
    _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
  ) async throws -> Response {
    var known = context
    known.asker = ControlAsker(giver: .login(uid: await context.user() ?? UInt32.max, name: nil), roles: [.viewer])
    return try await next(request, known)
  }
}
