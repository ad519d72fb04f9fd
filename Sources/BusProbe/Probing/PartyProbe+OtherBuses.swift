// SPDX-License-Identifier: Apache-2.0

import AMQP
import AddressRegistry
import BusModel

extension PartyProbe {
  /// Counts the party's queue on every other bus: what lies there, and who listens. Nothing is sent or attached to the queue.
  func otherBuses(than chosen: BusAccess, queue: String) async -> [ProbeStep] {
    let others = self.buses.filter { $0.endpoint.name != chosen.endpoint.name }
    guard !others.isEmpty else { return [ProbeStep(.otherBusNone)] }
    var steps: [ProbeStep] = []
    for other in others {
      let begun = self.clock.now
      let reading = await self.reading(of: queue, on: other)
      steps.append(
        OtherBusJudgement.step(
          bus: other.endpoint.name, queue: queue, reading, milliseconds: (self.clock.now - begun).inMilliseconds))
    }
    return steps
  }

  private func reading(of queue: String, on access: BusAccess) async -> Result<DepthReading, AMQPError> {
    if let counting = access.counting { return .success(await counting.read(queue)) }
    do throws(AMQPError) {
      let connection = try await AMQPConnection.open(self.configuration(access.endpoint), logger: self.logger)
      let dialect = access.endpoint.dialect
      let own = self.waysToCount(dialect, connection)
      let reading =
        if let counting = OwnWays.ranked(own, dialect) {
          await counting.read(queue)
        } else {
          DepthReading(
            queue: queue, way: nil, readAt: self.wallClock.now,
            value: .unreadable(.countingNotPossible(access.endpoint.name, dialect)))
        }
      await connection.close()
      return .success(reading)
    } catch {
      return .failure(error)
    }
  }
}
