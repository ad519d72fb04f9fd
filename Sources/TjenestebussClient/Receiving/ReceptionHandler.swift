// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import NIOConcurrencyHelpers

/// An intake as the handler of ``AMQPClient/process(from:maxConcurrent:policy:with:)``: notes on the status board what is at work
/// and held, and counts what became of each delivery once the bus has been told.
struct ReceptionHandler<Intake: DeliveryIntake>: AMQPDeliveryHandler {
  let client: TjenestebussClient
  let bus: BusName
  let queue: OwnQueue
  let intake: Intake

  /// A delivery on its way through here.
  final class Item: Sendable {
    fileprivate struct Progress {
      var count: (@Sendable (inout ClientStatus.Counters) -> Void)?
      var isHeld = false
    }

    let content: Intake.Item
    fileprivate let progress = NIOLockedValueBox(Progress())

    init(_ content: Intake.Item) { self.content = content }
  }

  func read(_ delivery: AMQPDelivery) -> Item { Item(self.intake.read(delivery)) }
  func key(of item: Item) -> String? { self.intake.conversation(of: item.content) }
  func needsPlace(_ item: Item) -> Bool { self.intake.needsPlace(item.content) }

  func handle(_ item: Item, _ delivery: AMQPDelivery, _ place: AMQPHandlerPlace) async -> AMQPVerdict {
    // What is answered without the vendor's handlers must not look as if they were busy.
    let counts = self.intake.needsPlace(item.content) ? 1 : 0
    self.note { $0.atWork += counts }
    let verdict = await self.intake.judge(item.content, delivery, place)
    let isHeld = verdict.end.holds
    item.progress.withLockedValue { progress in
      progress.count = verdict.count
      progress.isHeld = isHeld
    }
    self.note { receiver in
      receiver.atWork -= counts
      if isHeld { receiver.held += 1 }
      switch verdict.end {
      case .accept: receiver.failuresInARow = 0
      case .handBack(_, failed: true): receiver.failuresInARow += 1
      case .handBack, .reject: break
      }
    }
    switch verdict.end {
    case .accept: return .accept
    case .reject(let condition): return .deadLetter(condition)
    case .handBack(let delay, let failed): return .handBack(after: delay, failed: failed)
    }
  }

  func ended(_ item: Item, _ ending: AMQPProcessEnding) {
    let progress = item.progress.withLockedValue { $0 }
    if progress.isHeld { self.note { $0.held -= 1 } }
    switch ending {
    case .settled: if let count = progress.count { self.client.board.change { count(&$0.counters) } }
    case .settlementLost: self.client.board.change { $0.counters.settlementsLost += 1 }
    case .withdrawn(let begun):
      if !begun { self.intake.abandon(item.content) }
      self.client.board.change { $0.counters.withdrawn += 1 }
    case .unbegun: self.intake.abandon(item.content)
    case .poisonous: break
    }
  }

  private func note(_ change: (inout ClientStatus.Receiver) -> Void) {
    self.client.board.note(bus: self.bus, queue: self.queue.name, kind: self.queue.kind, change)
  }
}

extension DeliveryVerdict.End {
  /// Whether it stays here for a while.
  fileprivate var holds: Bool { if case .handBack(let delay, _) = self { delay > .zero } else { false } }
}
