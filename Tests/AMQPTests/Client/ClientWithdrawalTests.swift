// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import Testing

@testable import AMQP

/// RabbitMQ 4.3 takes a delivery back that a consumer holds for too long, and gives that link nothing more until it is settled.
@Suite("A bus that takes deliveries back, over loopback")
struct ClientWithdrawalTests {
  @Test("its handler is cancelled; it is settled, counted and told, without a line of the caller's; and the message comes again")
  func withdrawn() async throws {
    try await PlayedBusHandle.run { bus in
      try await bus.put(["slow"], in: "q")
      let runs = NIOLockedValueBox(0)
      let events = NIOLockedValueBox<[AMQPProcessEvent]>([])
      let begun = OneShot<Void>()
      let policy = AMQPProcessPolicy(report: { event in events.withLockedValue { $0.append(event) } })
      let counts = try await AMQPClient(bus.configuration()).withClient { client in
        let processing = Task {
          try await client.process(from: "q", policy: policy) { _ in
            let run = runs.withLockedValue { runs in
              runs += 1
              return runs
            }
            guard run == 1 else { return }
            begun.fulfil(())
            // Ends by cancellation only.
            try await OneShot<Void>().wait()
          }
        }
        try await begun.wait()
        try await bus.withdraw("q")
        // What unlocks the link, and the second run's.
        let sight = try await bus.see { $0.withdrawnOutcomes.count == 1 && $0.outcomes.count == 1 }
        #expect(sight.withdrawnOutcomes == [.accepted] && sight.outcomes == [.accepted])
        processing.cancel()
        return try await processing.value
      }
      #expect(runs.withLockedValue { $0 } == 2)
      #expect(counts.withdrawn == 1)
      #expect(counts.accepted == 1)
      let told = events.withLockedValue { $0 }.count { if case .withdrawn("slow"?) = $0 { true } else { false } }
      #expect(told == 1)
    }
  }
}
