// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// Why a shovel was not declared, watched or removed. No error holds an answer's text or an address with its login: RabbitMQ tells
/// passwords of shovels in clear to whoever may read them.
public enum ShovelError: ExplainedError, Hashable {
  case combinationUnsound(source: Dialect, target: Dialect, why: String)
  case refused(tried: String, status: Int)
  case unreachable(tried: String, seen: String)
  case answerUnreadable(tried: String)
  case queueMissing(queue: String, role: String)
  /// Another shovel takes from the queue already.
  case anotherShovel(queue: String, name: String)
  /// It is still there after it was removed.
  case notRemoved(name: String)
  /// The broker holds it, and it carries nothing.
  case notRunning(name: String, state: String)
  case addressInvalid(problem: String)

  public var stableCode: String {
    switch self {
    case .combinationUnsound: "SHOVEL-001"
    case .refused: "SHOVEL-002"
    case .unreachable: "SHOVEL-003"
    case .answerUnreadable: "SHOVEL-004"
    case .queueMissing: "SHOVEL-005"
    case .anotherShovel: "SHOVEL-006"
    case .notRemoved: "SHOVEL-007"
    case .notRunning: "SHOVEL-008"
    case .addressInvalid: "SHOVEL-009"
    }
  }

  public var explanation: Explanation {
    switch self {
    case .combinationUnsound(let source, let target, let why):
      Explanation(
        tried: "carry messages by a shovel from \(source.rawValue) to \(target.rawValue)", seen: why,
        meaning: "A shovel would lose, double or maim messages on this way. None was declared.",
        next: "Carry them by our own forwarder (--carrier forwarder).", owner: .caller)
    case .refused(let tried, let status):
      Explanation(
        tried: tried, seen: "HTTP status \(status) (its text is not shown: it may hold a password)",
        meaning: "The management interface said no; whether a shovel stands is not known before it is looked at again.",
        next:
          "Check that the management user has the tag policymaker and its permission for the virtual host, and that the plugins "
          + "rabbitmq_shovel and rabbitmq_shovel_management are enabled.", owner: .bus)
    case .unreachable(let tried, let seen):
      Explanation(
        tried: tried, seen: seen, meaning: "The management interface did not answer; whether it did what was asked is not known.",
        next: "Check host, port and firewall of the management interface. It is looked at again before anything is declared.",
        owner: .network)
    case .answerUnreadable(let tried):
      Explanation(
        tried: tried, seen: "an answer that is not the JSON it should be", meaning: "What stands on the bus is not known.",
        next: "Check that the address is that of RabbitMQ's management interface.", owner: .bus)
    case .queueMissing(let queue, let role):
      Explanation(
        tried: "find the \(role) queue \(queue)", seen: "the bus says there is no such queue",
        meaning: "A shovel would make it or wait for ever. None was declared.",
        next: "See to the queue; then approve the order anew.", owner: .bus)
    case .anotherShovel(let queue, let name):
      Explanation(
        tried: "carry \(queue) by a shovel", seen: "shovel \(name) takes from it already",
        meaning: "Two that take from one queue change the order of messages. None was declared.",
        next: "Find whose it is, and have it removed or the order stopped.", owner: .bus)
    case .notRemoved(let name):
      Explanation(
        tried: "remove shovel \(name)", seen: "it still stands", meaning: "It may still take from the party's queue.",
        next: "Remove it by hand: rabbitmqctl delete_shovel \(name).", owner: .bus)
    case .notRunning(let name, let state):
      Explanation(
        tried: "watch shovel \(name)", seen: "its state is \(state)",
        meaning: "It carries nothing. Nothing is lost: it takes only what the target confirms.",
        next: "Look in the broker's log: a wrong password, a queue that is gone, a bus that does not answer.", owner: .bus)
    case .addressInvalid(let problem):
      Explanation(
        tried: "read an address for shovels", seen: problem, meaning: "No shovel can be declared with it.",
        next: "Write it as amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://..., as the RabbitMQ 4 node reaches that bus.",
        owner: .caller)
    }
  }
}
