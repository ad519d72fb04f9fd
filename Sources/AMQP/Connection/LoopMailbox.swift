// SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore

/// Commands from any task to the event loop: many commands, one wake-up. A hop for each would cost far more than the work.
final class LoopMailbox<Command: Sendable>: Sendable {
  private let commands = NIOLockedValueBox<[Command]>([])
  private let eventLoop: any EventLoop
  private let carryOut: @Sendable ([Command]) -> Void

  /// - Parameter carryOut: called on `eventLoop` with all commands that came since the last call, in order.
  init(_ eventLoop: any EventLoop, carryOut: @escaping @Sendable ([Command]) -> Void) {
    self.eventLoop = eventLoop
    self.carryOut = carryOut
  }

  func put(_ command: Command) { self.put(contentsOf: CollectionOfOne(command)) }

  func put(contentsOf added: some Collection<Command>) {
    guard !added.isEmpty else { return }
    let wasEmpty = self.commands.withLockedValue { commands in
      defer { commands.append(contentsOf: added) }
      return commands.isEmpty
    }
    guard wasEmpty else { return }
    self.eventLoop.execute {
      let all = self.commands.withLockedValue { commands in
        defer { commands = [] }
        return commands
      }
      self.carryOut(all)
    }
  }
}
