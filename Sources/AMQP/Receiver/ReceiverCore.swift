// SPDX-License-Identifier: Apache-2.0

/// One receiving link on the event loop: carries out what ``CreditMachine`` decides.
final class ReceiverCore {
  let link: LinkID
  let address: String
  let buffer: ReceiverBuffer
  private var credit: CreditMachine

  init(link: LinkID, address: String, window: Int, buffer: ReceiverBuffer) {
    self.link = link
    self.address = address
    self.buffer = buffer
    self.credit = CreditMachine(window: window)
  }

  func attached(_ engine: ProtonEngine) { self.grant(self.credit.attached(), engine) }

  /// - Returns: false when the peer sent more than it had credit for.
  func arrived(_ transfer: IncomingTransfer) -> Bool {
    guard self.credit.arrived() else { return false }
    self.buffer.append(transfer)
    return true
  }

  /// A message too large for us came and was rejected: it used credit all the same.
  func arrivedOversized(_ engine: ProtonEngine) {
    if self.credit.arrived() { self.grant(self.credit.finished(1), engine) }
  }

  func settle(_ delivery: DeliveryID, _ disposition: AMQPDisposition, _ engine: ProtonEngine) {
    if engine.settle(delivery, disposition) { self.grant(self.credit.finished(1), engine) }
  }

  /// Pre-settled deliveries were taken by the application.
  func taken(_ count: Int, _ engine: ProtonEngine) { self.grant(self.credit.finished(count), engine) }

  /// Stops granting, and gives back what nobody has taken.
  func close(_ engine: ProtonEngine) {
    self.credit.closed()
    for transfer in self.buffer.end(.success(())) where !transfer.settled { engine.settle(transfer.delivery, .released) }
  }

  func linkEnded(_ error: AMQPError) {
    self.credit.closed()
    _ = self.buffer.end(.failure(error))
  }

  private func grant(_ credit: Int, _ engine: ProtonEngine) {
    if credit > 0 { engine.grant(credit, on: self.link) }
  }
}
