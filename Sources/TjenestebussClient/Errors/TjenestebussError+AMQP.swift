// SPDX-License-Identifier: Apache-2.0

import AMQP

extension TjenestebussError {
  /// For a place that holds what the bus or the way to it refuses.
  var asAMQPError: AMQPError {
    let words = self.explanation
    return AMQPError(.configurationInvalid, .connection, .local, tried: words.tried, seen: "[\(self.stableCode)] \(words.seen)")
  }
}
