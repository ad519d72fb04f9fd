// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel

/// Who reads our reply queue.
extension PartyProbe {
  enum EchoWay {
    /// By our own receiver on this queue.
    case ourselves(String, EchoReader)
    /// Through the daemon, or not at all.
    case others(AddressProbe.Listening)
  }

  /// How echoes come to us on this bus. A queue that others read too is never read by a receiver of our own.
  func way(_ access: BusAccess) async -> EchoWay {
    let own = access.isReplyQueueShared ? nil : access.replyQueue
    guard let echoes else {
      if let own { return .ourselves(own, .ourselves) }
      return .others(.no)
    }
    switch await echoes.source(on: access.endpoint.name, subject: self.settings.pingSubject) {
    case .success(let source): return .others(.from(source, by: .daemon))
    case .failure(let error):
      if let own { return .ourselves(own, .ourselvesInsteadOfDaemon(error)) }
      return .others(.daemonUnable(error, isShared: access.replyQueue != nil))
    }
  }

  func listen(
    _ replyQueue: String, _ connection: AMQPConnection, _ access: BusAccess
  ) async throws(AMQPError) -> AMQPReceiver {
    try await connection.openReceiver(
      from: access.endpoint.receivingAddress(ofQueue: replyQueue).text, credit: EchoDesk.credit, within: self.settings.timeout)
  }

  func closeLimit(_ access: BusAccess) -> Duration {
    access.endpoint.dialect.capabilities.answersCloseOfLink ? .seconds(3) : .milliseconds(200)
  }

  func pingWithEcho(
    _ connection: AMQPConnection, _ access: BusAccess, _ herID: HerID, _ queue: String, _ replyQueue: String,
    _ reader: EchoReader
  ) async -> PingJudgement {
    let receiver: AMQPReceiver
    do throws(AMQPError) {
      receiver = try await self.listen(replyQueue, connection, access)
    } catch {
      return await self.observe(connection, access, herID, queue, notSent: nil, .failed(error, by: reader))
    }
    let desk = EchoDesk(subject: self.settings.pingSubject)
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while let batch = try? await receiver.nextBatch() { desk.take(batch) }
      }
      let judged = await self.observe(
        connection, access, herID, queue, notSent: nil, .from(OwnEchoes(desk: desk, replyQueue: replyQueue), by: reader))
      group.cancelAll()
      // What was kept for other probers goes back with the link.
      await receiver.close(within: self.closeLimit(access))
      return judged
    }
  }
}
