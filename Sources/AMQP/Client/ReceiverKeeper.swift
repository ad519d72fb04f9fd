// SPDX-License-Identifier: Apache-2.0

/// Receives from one address, attaching again after each loss, and fills a ``DeliveryBuffer``.
///
/// The window of the link bounds what is buffered here: credit is granted for what has been settled only.
struct ReceiverKeeper: Sendable {
  /// What the holder of deliveries must know besides them.
  enum Event: Sendable {
    /// The link is lost; deliveries that came on it can no longer be settled.
    case lost(AMQPEpoch)
    case attached(AMQPReceiver)
  }

  let address: String
  let credit: Int
  let buffer: DeliveryBuffer<AMQPDelivery>
  private let start: LinkRecovery
  private let closeWithin: @Sendable () -> Duration
  private let onEvent: @Sendable (Event) -> Void

  init(
    _ address: String, credit: Int, recovery: LinkRecovery, into buffer: DeliveryBuffer<AMQPDelivery>,
    closeWithin: @escaping @Sendable () -> Duration, onEvent: @escaping @Sendable (Event) -> Void = { _ in }
  ) {
    self.address = address
    self.credit = credit
    self.start = recovery
    self.buffer = buffer
    self.closeWithin = closeWithin
    self.onEvent = onEvent
  }

  /// Receives until the task is cancelled; then gives back what nobody has taken, and detaches. Ends the buffer with the
  /// error when trying again cannot help.
  func run() async {
    var recovery = self.start
    defer { recovery.finished() }
    do {
      while true {
        let (address, credit) = (self.address, self.credit)
        let attached = try await recovery.attach { (connection, isNew) throws(AMQPError) in
          try await connection.openReceiver(from: address, credit: credit, onNewSession: isNew)
        }
        guard let receiver = attached else { return }
        self.onEvent(.attached(receiver))
        let lost = await self.fill(from: receiver)
        if Task.isCancelled {
          await self.leave(receiver)
          return
        }
        // They can be settled no more, and come again: handing them out would have them handled twice.
        _ = self.buffer.removeAll()
        self.onEvent(.lost(receiver.epoch))
        recovery.failed(receiver.connection.closedReason ?? lost)
      }
    } catch let error as AMQPError {
      self.buffer.end(.failure(error))
    } catch {
      self.buffer.end(.success(()))
    }
  }

  /// - Returns: why it ended.
  private func fill(from receiver: AMQPReceiver) async -> AMQPError {
    while true {
      do throws(AMQPError) {
        guard let batch = try await receiver.nextBatch() else {
          return AMQPError(
            .linkClosed, .link, .local, tried: "receive from \(self.address)", seen: "the link was closed on this side")
        }
        self.buffer.append(batch)
      } catch {
        return error
      }
    }
  }

  private func leave(_ receiver: AMQPReceiver) async {
    self.buffer.end(.success(()))
    // First: what is given back must find no credit, or the bus would send the same again.
    receiver.leave()
    for delivery in self.buffer.removeAll() { try? delivery.release() }
    await receiver.close(within: self.closeWithin())
  }
}
