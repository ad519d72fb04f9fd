// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Which way a shovel may carry health messages, by what was measured. Everything else is refused.
///
/// | from, to | protocols | seen on 3.10.8 and 4.0.5 |
/// | --- | --- | --- |
/// | RabbitMQ 3 to 4 | AMQP 0-9-1 both, declared on the RabbitMQ 4 node | every field and body as sent; nothing lost or doubled |
/// | RabbitMQ 3 to 4 | 0-9-1 to 1.0 | refused: subject, application properties and binary ids are lost, headers are put in their place |
/// | RabbitMQ 3 to 4 | 1.0 to 1.0 | refused: 90 to 1,694 duplicates in 50,000, in every run |
/// | any | declared on the 3.10 node, 1.0 at the target | refused: it crashes on credit |
/// | from RabbitMQ 4 | any | refused: AMQP 0-9-1 does not keep what AMQP 1.0 sent, and the way back was not shown to be sound |
public enum ShovelWay {
  /// - Throws: ``ShovelError`` `combinationUnsound`.
  public static func check(source: Dialect, target: Dialect) throws(ShovelError) {
    func refuse(_ why: String) -> ShovelError { .combinationUnsound(source: source, target: target, why: why) }
    switch target {
    case .rabbitMQ4AddressV1, .rabbitMQ4AddressV2: break
    default: throw refuse("shovels run on a RabbitMQ 4 node, and the target is none")
    }
    switch source {
    case .rabbitMQ3: return
    case .rabbitMQ4AddressV1, .rabbitMQ4AddressV2:
      throw refuse("over AMQP 0-9-1 a RabbitMQ 4 source does not give messages as they were sent, and over 1.0 nothing was shown")
    case .serviceBusWindowsServer, .azureServiceBus, .activeMQ:
      throw refuse("the source speaks no AMQP 0-9-1, and over 1.0 nothing was shown to be sound")
    }
  }
}
