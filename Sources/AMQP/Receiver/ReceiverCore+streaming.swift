// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The message that is coming in on a link that streams bodies: what has been read of it, and who gets it.
struct StreamedArrival {
  let delivery: DeliveryID
  let settled: Bool
  let tag: AMQPDeliveryTag
  let body = IncomingBody()
  var split = BodySplitMachine()
  var size = 0
  /// Whether a delivery was made of it.
  var isHandedOut = false
  /// Whether the body is no data section, and the message is handed out when it is whole.
  var isUndivided = false
  /// Whether its holder has settled it.
  var isSettledByHolder = false
  /// What it is settled with when its last byte has come; until then the bytes are dropped.
  var disposition: AMQPDisposition?
}

extension ReceiverCore {
  /// Reads what has come of bodies, as far as there is room for it.
  ///
  /// - Returns: false when the peer sent a whole window more than it had credit for.
  func readBodies(_ engine: ProtonEngine, at now: NIODeadline) -> Bool {
    while true {
      if self.arrival == nil {
        guard let (delivery, settled, tag) = engine.beginReceive(on: self.link) else { return true }
        guard self.noteArrival(engine, at: now) else { return false }
        self.arrival = StreamedArrival(delivery: delivery, settled: settled, tag: tag)
        if self.isClosing { self.arrival?.disposition = .released }
      }
      guard let arrival = self.arrival else { return true }
      let room = arrival.disposition != nil || !arrival.isHandedOut ? 64 << 10 : arrival.body.room
      guard room > 0 else { return true }
      let part = engine.readPart(of: arrival.delivery, on: self.link, limit: room)
      if !part.bytes.isEmpty { self.take(part.bytes, engine) }
      switch part.progress {
      case .more: if part.bytes.isEmpty { return true }
      case .complete: self.arrivalEnded(engine, at: now)
      case .aborted: self.arrivalAborted(engine, at: now)
      }
    }
  }

  private func take(_ bytes: [UInt8], _ engine: ProtonEngine) {
    guard var arrival = self.arrival else { return }
    // Out of the property while it changes, so that its bytes are not copied.
    self.arrival = nil
    arrival.size += bytes.count
    defer { self.arrival = arrival }
    guard arrival.disposition == nil else { return }
    guard arrival.size <= engine.settings.maxMessageSize else {
      let limit = engine.settings.maxMessageSize
      self.refuse(&arrival, .messageTooLarge, AMQPCondition.messageSizeExceeded, "it grew beyond \(limit) bytes")
      return
    }
    for output in arrival.split.receive(bytes) {
      switch output {
      case .head(let head):
        arrival.isHandedOut = true
        self.handOut(
          IncomingTransfer(
            delivery: arrival.delivery, payload: head, settled: arrival.settled, tag: arrival.tag, body: arrival.body))
      case .body(let piece): arrival.body.append(piece)
      case .undivided: arrival.isUndivided = true
      case .malformed:
        self.refuse(&arrival, .messageMalformed, AMQPCondition.decodeError, "its bytes are no sequence of sections")
      }
    }
  }

  private func refuse(_ arrival: inout StreamedArrival, _ code: AMQPError.Code, _ condition: String, _ seen: String) {
    let error = AMQPError(code, .delivery, .remote, tried: "receive a message from \(self.address)", seen: seen)
    arrival.disposition = .rejected(AMQPCondition(condition))
    arrival.body.end(.failure(error))
  }

  private func arrivalEnded(_ engine: ProtonEngine, at now: NIODeadline) {
    guard let arrival = self.arrival else { return }
    self.arrival = nil
    if let disposition = arrival.disposition {
      engine.settle(arrival.delivery, disposition)
      self.drop(arrival, engine, at: now)
    } else {
      if !arrival.isHandedOut {
        // Undivided, or without a body.
        self.handOut(
          IncomingTransfer(
            delivery: arrival.delivery, payload: arrival.split.collected, settled: arrival.settled, tag: arrival.tag,
            body: arrival.body))
      }
      arrival.body.end(.success(()))
    }
  }

  private func arrivalAborted(_ engine: ProtonEngine, at now: NIODeadline) {
    guard let arrival = self.arrival else { return }
    self.arrival = nil
    let error = AMQPError(
      .bodyAborted, .delivery, .remote, tried: "receive a message from \(self.address)",
      seen: "its sender gave it up after \(arrival.size) bytes")
    arrival.body.end(.failure(error))
    self.drop(arrival, engine, at: now)
  }

  /// - Returns: whether it concerns the message that is coming in: it is settled when it has come.
  func settleArrival(_ delivery: DeliveryID, _ disposition: AMQPDisposition, _ engine: ProtonEngine, at now: NIODeadline) -> Bool
  {
    guard self.arrival?.delivery == delivery else { return false }
    if self.arrival?.disposition == nil { self.arrival?.disposition = disposition }
    self.arrival?.isSettledByHolder = true
    self.arrival?.body.end(.success(()))
    _ = self.readBodies(engine, at: now)
    return true
  }
}
