// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import NIOConcurrencyHelpers

/// One connection for each bus, with our reply queue on it, shared by many parties. What names, network and login showed is found out once
/// and stands in every party's report; a connection that was lost is made anew for whoever comes next.
final class BusLines: Sendable {
  /// A bus's connection, and what its making showed.
  struct Line: Sendable {
    /// Up to the rung that opens the connection.
    var steps: [ProbeStep]
    /// Nil where a rung failed.
    var connection: AMQPConnection?
    var listening = AddressProbe.Listening.no
    var receiver: AMQPReceiver?
    /// Reads the reply queue until that link ends.
    var reader: Task<Void, Never>?
    /// For the answer to the end of a link.
    var closeLimit = Duration.seconds(3)

    fileprivate func close() async {
      self.reader?.cancel()
      // What was kept for other probers goes back with the link.
      await self.receiver?.close(within: self.closeLimit)
      await self.connection?.close()
    }
  }

  private let lines = NIOLockedValueBox<[BusName: Task<Line, Never>]>([:])

  /// The bus's line: made by the first who asks, waited for by all others. One that failed is not made again: every party would wait for the
  /// same timeout.
  func line(_ bus: BusName, _ make: @Sendable @escaping () async -> Line) async -> Line {
    let standing = self.task(bus, insteadOf: nil, make)
    let line = await standing.value
    guard let connection = line.connection, connection.closedReason != nil else { return line }
    return await self.task(bus, insteadOf: standing, make).value
  }

  /// Of its own, since whoever asked first may be cancelled while others wait. It ends with the timeouts of what it makes.
  private func task(
    _ bus: BusName, insteadOf lost: Task<Line, Never>?, _ make: @Sendable @escaping () async -> Line
  ) -> Task<Line, Never> {
    self.lines.withLockedValue { lines in
      if let line = lines[bus], line != lost { return line }
      let task = Task {
        await lost?.value.close()
        return await make()
      }
      lines[bus] = task
      return task
    }
  }

  /// Ends all lines: once nobody uses them any more.
  func close() async {
    let standing = self.lines.withLockedValue { lines in
      defer { lines = [:] }
      return lines.values
    }
    for task in standing { await task.value.close() }
  }
}
