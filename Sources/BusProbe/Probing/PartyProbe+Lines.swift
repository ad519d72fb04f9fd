// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

extension PartyProbe {
  /// What all parties of a bus have in common.
  func line(_ access: BusAccess) async -> BusLines.Line {
    var report = ProbeReport(target: "", kind: .asynchronous, steps: [])
    var line = BusLines.Line(steps: [])
    if await self.network(access.endpoint, .echo, &report) { line.connection = await self.open(access, &report) }
    line.steps = report.steps
    line.closeLimit = self.closeLimit(access)
    guard let connection = line.connection else { return line }
    switch await self.way(access) {
    case .others(let listening): line.listening = listening
    case .ourselves(let replyQueue, let reader):
      do throws(AMQPError) {
        let receiver = try await self.listen(replyQueue, connection, access)
        let desk = EchoDesk(subject: self.settings.pingSubject)
        line.listening = .from(OwnEchoes(desk: desk, replyQueue: replyQueue), by: reader)
        line.receiver = receiver
        line.reader = Task { while let batch = try? await receiver.nextBatch() { desk.take(batch) } }
      } catch {
        line.listening = .failed(error, by: reader)
      }
    }
    return line
  }
}
