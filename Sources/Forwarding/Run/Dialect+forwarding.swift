// SPDX-License-Identifier: Apache-2.0

import BusModel

extension Dialect {
  /// Whether it accepts, and loses, what is sent to a queue that is not there.
  var losesUnseen: Bool { self.capabilities.missingQueueForSender == .acceptsAndLoses }

  /// Whether `first-acquirer` in the header means something.
  var tellsFirstAcquirer: Bool {
    switch self {
    case .rabbitMQ3, .rabbitMQ4AddressV1, .rabbitMQ4AddressV2: true
    case .serviceBusWindowsServer, .azureServiceBus, .activeMQ: false
    }
  }

  /// After how many nanoseconds at most the bus has noticed that nobody is there any more who closed nothing: a network was cut, or a
  /// machine lost its power.
  ///
  /// RabbitMQ (3.10: 360 s with a stated idle timeout of 60 s, 4.0: 180 s with 30 s, both measured) goes by six times the idle timeout
  /// that it states. Service Bus keeps a message as long as its lock lasts, five minutes at most.
  ///
  /// - Parameter stated: the idle timeout that it stated when the connection was opened; nil for what is usual.
  func unnoticedLimit(stated: Duration?) -> Int64 {
    let usual: Duration
    switch self {
    case .rabbitMQ3: usual = .seconds(60)
    case .rabbitMQ4AddressV1, .rabbitMQ4AddressV2: usual = .seconds(30)
    case .activeMQ: usual = .seconds(15)
    case .serviceBusWindowsServer, .azureServiceBus: return 330_000_000_000
    }
    let idle = stated.flatMap { $0 > .zero ? $0 : nil } ?? usual
    return Int64((idle * 6 + .seconds(30)) / .nanoseconds(1))
  }

  /// Whether a message stays locked when the link that had it is closed: then it must be released. Elsewhere closing the link gives all of it back
  /// in its order, and a release may not (quorum queues of RabbitMQ 3.10).
  var keepsLocks: Bool {
    switch self {
    case .serviceBusWindowsServer, .azureServiceBus: true
    case .rabbitMQ3, .rabbitMQ4AddressV1, .rabbitMQ4AddressV2, .activeMQ: false
    }
  }

  /// Whether `x-opt-sequence-number` says where in its queue a message stands, however often it was handed out.
  var numbersMessages: Bool { self.keepsLocks }

  /// For how many nanoseconds a message may wait here: a third of the lock that a Service Bus gives by default (60 s), so that what is sent at the last
  /// moment can still be settled. Nil where no lock runs out.
  var holdLimit: Int64? {
    switch self {
    case .serviceBusWindowsServer, .azureServiceBus: 20_000_000_000
    case .rabbitMQ3, .rabbitMQ4AddressV1, .rabbitMQ4AddressV2, .activeMQ: nil
    }
  }

  /// Deliveries after which a queue drops or dead-letters a message, where nobody has set it otherwise.
  var usualDeliveryLimit: Int? {
    switch self {
    case .rabbitMQ4AddressV1, .rabbitMQ4AddressV2: 20
    case .serviceBusWindowsServer, .azureServiceBus: 10
    case .rabbitMQ3, .activeMQ: nil
    }
  }
}
