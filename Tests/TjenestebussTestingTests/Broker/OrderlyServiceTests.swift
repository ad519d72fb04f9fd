// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Logging
import NIOCore
import NIOPosix
import OrderlyService
import Testing

/// Cancelled at the worst moment: connections have come that the server has not yet taken up. A Hummingbird server alone traps there,
/// which ends the whole test run.
struct OrderlyServiceTests {
  @Test("Cancelled while connections wait to be taken up, the server ends in order", .timeLimit(.minutes(2)))
  func cancelledAmongConnections() async throws {
    let silent = Logger(label: "orderly", factory: { _ in SwiftLogNoOpLogHandler() })
    for _ in 1...20 {
      let (ports, told) = AsyncStream.makeStream(of: Int.self)
      let server = Application(
        responder: CallbackResponder { (_: Request, _: BasicRequestContext) in Response(status: .ok) },
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: nil),
        onServerRunning: { channel in told.yield(channel.localAddress?.port ?? 0) }, logger: silent)
      let serving = Task { try await OrderlyService(server, logger: silent).run() }
      var port = 0
      for await bound in ports {
        port = bound
        break
      }
      let connects = (1...16).map { _ in
        ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(host: "127.0.0.1", port: port)
      }
      serving.cancel()
      _ = await serving.result
      for connect in connects {
        // Refused, or taken up and closed by the server.
        guard let channel = try? await connect.get() else { continue }
        try? await channel.close()
      }
    }
  }
}
