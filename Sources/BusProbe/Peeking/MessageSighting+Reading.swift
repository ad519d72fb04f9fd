// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import TjenestebussClient

extension MessageSighting {
  /// Names that other systems write into application properties.
  enum PropertyName {
    static let system = "X-SystemIdentifier"
    static let deadLetterReason = "DeadLetterReason"
  }

  /// What a message says of itself and the bus of it, without its body. Nothing in it is demanded: what is not there, or not of the
  /// form it should have, is nil.
  ///
  /// - Parameter isDeadLetter: whether it lies among dead letters.
  init(reading message: AMQPMessage, isDeadLetter: Bool = false) {
    let own = message.applicationProperties
    let notes = message.messageAnnotations
    let properties = message.properties
    self.init(
      state: isDeadLetter ? .deadLettered : Self.state(notes), sequenceNumber: notes["x-opt-sequence-number"]?.integer,
      messageID: properties.messageID?.description)
    self.correlationID = properties.correlationID?.description
    self.subject = properties.subject
    self.fromHerID = own[HealthMessage.PropertyName.from]?.plainText.flatMap { try? HerID(text: $0) }
    self.toHerID = own[HealthMessage.PropertyName.to]?.plainText.flatMap { try? HerID(text: $0) }
    self.enqueuedAt = notes["x-opt-enqueued-time"]?.integer
    self.sentAt =
      Self.time(own[HealthMessage.PropertyName.enqueued]) ?? Self.time(own[HealthMessage.PropertyName.timestamp])
      ?? properties.creationTime
    let life = message.header?.timeToLive.map(Int64.init)
    self.expiresAt =
      properties.absoluteExpiryTime
      ?? self.enqueuedAt.flatMap { came in life.map { came.addingReportingOverflow($0) } }.flatMap { $0.overflow ? nil : $0.0 }
    self.deliveryCount = message.header.map { Int64($0.deliveryCount) }
    // As the system names itself, else as our library was told to call it.
    self.system = own[PropertyName.system]?.plainText ?? own[PingForm.PropertyName.product]?.plainText
    // Our library names its version in what it sends; others name none.
    if let version = own[PingForm.PropertyName.libraryVersion]?.plainText {
      self.library = "TjenestebussClient"
      self.libraryVersion = version
    }
    if own[PingForm.PropertyName.role] != nil { self.isPing = true }
    self.deadLetterReason =
      own[PropertyName.deadLetterReason]?.plainText ?? notes["x-last-death-reason"]?.text ?? notes["x-first-death-reason"]?.text
  }

  /// As Azure Service Bus numbers them; what is locked it shows as active.
  private static func state(_ notes: AMQPMap) -> State {
    switch notes["x-opt-message-state"]?.integer {
    case 1: .deferred
    case 2: .scheduled
    default: .active
    }
  }

  /// Milliseconds since 1970.
  private static func time(_ value: AMQPValue?) -> Int64? {
    if case .timestamp(let milliseconds)? = value { return milliseconds }
    return value?.plainText.flatMap { MessageTimestamp($0) }.map { $0.secondsSinceEpoch * 1_000 }
  }
}
