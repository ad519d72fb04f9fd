// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle

/// What is done with the messages of a party's queue: pings swallowed, faulty ones told to their sender, duplicates recognised,
/// the others opened and handed to the handlers.
struct MessageIntake: DeliveryIntake {
  let client: TjenestebussClient
  let endpoint: BusEndpoint
  let queue: OwnQueue
  let handlers: MessageHandlers
  private let failures = NIOLockedValueBox(FailureLedger())

  init(_ client: TjenestebussClient, _ endpoint: BusEndpoint, _ queue: OwnQueue, _ handlers: MessageHandlers) {
    self.client = client
    self.endpoint = endpoint
    self.queue = queue
    self.handlers = handlers
  }

  /// A delivery, read.
  struct Item: Sendable {
    enum Content: Sendable {
      /// The bytes are no AMQP message.
      case unreadable(code: String)
      /// It lacks what receivers check.
      case faulty(ReportError, code: String)
      case ping(ReceivedMessage)
      case report(ErrorReport)
      case message(ReceivedMessage, DuplicateWindow.Arrival)
    }

    var content: Content
    var facts: FaultyMessage?
    var deliveryCount: UInt32 = 0

    /// What its failures are counted by.
    var ledgerKey: String? {
      guard let facts, let id = facts.messageID else { return nil }
      return "\(facts.from?.value ?? 0)/\(facts.to?.value ?? 0)/\(id)"
    }
  }

  private var configuration: TjenestebussConfiguration { self.client.configuration }

  // MARK: Reading

  func read(_ delivery: AMQPDelivery) -> Item {
    let amqp: AMQPMessage
    do throws(AMQPError) { amqp = try delivery.message() } catch {
      self.client.board.change { $0.counters.malformed += 1 }
      return Item(content: .unreadable(code: error.stableCode))
    }
    var item = Item(
      content: .unreadable(code: "-"), facts: FaultyMessage(amqp),
      deliveryCount: UInt32(clamping: amqp.redelivery.attemptsTowardsLimit))
    if self.queue.kind == .error, !self.isPing(amqp) {
      item.content = .report(ErrorReport(reading: amqp, bus: self.endpoint.name, queue: self.queue.name))
      return item
    }
    let message: HealthMessage
    do throws(TjenestebussError) { message = try HealthMessage(reading: amqp) } catch {
      self.client.board.change { $0.counters.malformed += 1 }
      item.content = .faulty(error.asReport, code: error.stableCode)
      return item
    }
    let enqueued = amqp.applicationProperties[HealthMessage.PropertyName.enqueued]?.text.flatMap { MessageTimestamp($0) }
    let received = ReceivedMessage(
      message: message, bus: self.endpoint.name, queue: self.queue.name, kind: self.queue.kind, replyTo: amqp.properties.replyTo,
      deliveryCount: item.deliveryCount, redelivery: amqp.redelivery, deadLetter: amqp.deadLetter, enqueued: enqueued)
    if PingForm.role(of: message, subject: self.configuration.pingSubject) != nil {
      item.content = .ping(received)
    } else {
      item.content = .message(received, self.duplicates?.arrives(MessageKey(message)) ?? .first)
    }
    return item
  }

  private func isPing(_ message: AMQPMessage) -> Bool { message.properties.subject == self.configuration.pingSubject }

  /// What lies in a dead-letter queue has been handed out before.
  private var duplicates: DuplicateGate? { self.queue.kind == .deadLetter ? nil : self.client.duplicates }

  func needsPlace(_ item: Item) -> Bool {
    switch item.content {
    case .unreadable, .faulty, .ping, .message(_, .handledBefore), .message(_, .underWay): false
    case .report, .message(_, .first): true
    }
  }

  func conversation(of item: Item) -> String? {
    guard self.configuration.serve.orderedByConversation, case .message(let received, .first) = item.content else { return nil }
    return received.conversation
  }

  func abandon(_ item: Item) {
    if case .message(let received, .first) = item.content { self.duplicates?.failed(MessageKey(received.message)) }
  }

  // MARK: Judging

  func judge(_ item: Item, _ delivery: AMQPDelivery, _ place: AMQPHandlerPlace) async -> DeliveryVerdict {
    switch item.content {
    case .unreadable(let code):
      self.log("a delivery that is no message was dead-lettered", code, item)
      return .reject(AMQPCondition(TransportErrorCondition.unsupportedMessage.rawValue, text: "[\(code)] no AMQP message"))
    case .faulty(let error, let code):
      self.log("a message lacks what receivers check", code, item)
      return await self.tellSender(error, item)
    case .ping(let received):
      await self.client.swallowPing(received)
      return .accept()
    case .report(let report):
      guard await self.begin(place) else { return .untouched }
      return await self.handle(report, item, delivery)
    case .message(let received, let arrival):
      return await self.judge(received, arrival, item, delivery, place)
    }
  }

  private func judge(
    _ received: ReceivedMessage, _ arrival: DuplicateWindow.Arrival, _ item: Item, _ delivery: AMQPDelivery,
    _ place: AMQPHandlerPlace
  ) async -> DeliveryVerdict {
    let key = MessageKey(received.message)
    var arrival = arrival
    if arrival == .underWay, let duplicates {
      // As long as may be: each time that it is given back counts on RabbitMQ 4.0.
      arrival = await duplicates.wait(for: key, within: self.longestDelay)
    }
    switch arrival {
    case .handledBefore: return .accept { $0.duplicates += 1 }
    case .underWay:
      // The first is still at work: the copy goes back, and comes again when more is known.
      self.client.board.change { $0.counters.duplicatesHandedBack += 1 }
      return .untouched
    case .first: break
    }
    guard await self.begin(place) else {
      self.duplicates?.failed(key)
      return .untouched
    }
    do {
      try await delivery.processing { try await self.handlers.messages(try await self.opened(received)) }
      self.duplicates?.handled(key)
      self.failures.withLockedValue { $0.succeeded(item.ledgerKey) }
      return .accept { $0.handled += 1 }
    } catch {
      self.duplicates?.failed(key)
      return await self.failed(error, item)
    }
  }

  private func handle(_ report: ErrorReport, _ item: Item, _ delivery: AMQPDelivery) async -> DeliveryVerdict {
    self.client.log(report)
    // A call that waits for an answer has got one: it was not taken.
    if let id = report.originalMessageID { self.client.answers.arrives(.refused(report), to: id, from: report.from) }
    guard let handler = self.handlers.errorReports else { return .accept { $0.errorReportsReceived += 1 } }
    do {
      try await delivery.processing { try await handler(report) }
      self.failures.withLockedValue { $0.succeeded(item.ledgerKey) }
      return .accept { $0.errorReportsReceived += 1 }
    } catch let error as ReportError {
      // Never an error about an error.
      return .reject(AMQPCondition(error.condition.rawValue)) { $0.refused += 1 }
    } catch {
      return await self.failed(error, item)
    }
  }

  /// Whether a handler may begin: it has a place, and we are not leaving.
  private func begin(_ place: AMQPHandlerPlace) async -> Bool {
    guard await place.take() else { return false }
    return !Task.isShuttingDownGracefully
  }

  private func opened(_ received: ReceivedMessage) async throws -> ReceivedMessage {
    guard let protection = self.client.protection else { return received }
    var opened = received
    do {
      opened.message.body = try await protection.unprotect(received.message)
    } catch let failure as ProtectionFailure {
      self.client.board.change { $0.counters.unopened += 1 }
      throw ReportError(failure.condition, text: failure.text)
    }
    return opened
  }

  // MARK: Failing

  private func failed(_ error: any Error, _ item: Item) async -> DeliveryVerdict {
    switch error {
    case let refusal as Refuse:
      self.failures.withLockedValue { $0.forget(item.ledgerKey) }
      return .reject(AMQPCondition(refusal.condition, text: refusal.text)) { $0.refused += 1 }
    case let report as ReportError where !report.condition.isTemporary:
      return await self.tellSender(report, item)
    case is ReportError:
      // Temporary: told to nobody, never dead-lettered by us, and not counted against it where the bus can tell the two apart.
      self.log("a message cannot be taken for a passing reason; it is kept", "TB-511", item)
      let inARow = self.failures.withLockedValue { ledger in
        _ = ledger.failed(nil)
        return ledger.inARow
      }
      guard case .later(let delay, _) = self.rule(limit: nil).verdict(attempts: 1, failuresInARow: inARow) else {
        return .untouched
      }
      return DeliveryVerdict(end: .handBack(after: delay, failed: false)) { $0.released += 1 }
    case is CancellationError where Task.isCancelled:
      // We are leaving: that is no fault of the message.
      return .untouched
    default:
      self.log("the handler threw; the message is given back", "TB-503", item)
      return self.tryAgain(item, asked: (error as? TryAgain)?.after)
    }
  }

  private func tryAgain(_ item: Item, asked: Duration? = nil) -> DeliveryVerdict {
    let (count, inARow) = self.failures.withLockedValue { ledger in
      let count = ledger.failed(item.ledgerKey)
      return (count, ledger.inARow)
    }
    let attempts = max(count, Int(item.deliveryCount) + 1)
    switch self.rule(limit: self.configuration.poisonLimit).verdict(attempts: attempts, failuresInARow: inARow, asked: asked) {
    case .later(let delay, let nearLimit):
      if nearLimit { self.tell(item, attempts, isDeadLettered: false) }
      return DeliveryVerdict(end: .handBack(after: delay, failed: true)) { $0.released += 1 }
    case .deadLetter:
      self.failures.withLockedValue { $0.forget(item.ledgerKey) }
      self.tell(item, attempts, isDeadLettered: true)
      return .reject(
        AMQPCondition(TransportErrorCondition.internalError.rawValue, text: "failed \(attempts) times")
      ) { $0.poisonous += 1 }
    }
  }

  /// A Service Bus takes the message back when its lock has run out, however long we hold it.
  private var longestDelay: Duration {
    self.endpoint.dialect.holdsLocks ? self.configuration.redeliveryDelay : self.configuration.longestRedeliveryDelay
  }

  private func rule(limit: Int?) -> RetryRule {
    let configuration = self.configuration
    return RetryRule(
      delay: configuration.redeliveryDelay,
      longestDelay: self.longestDelay,
      window: configuration.concurrency(of: self.queue.kind) * 2, limit: limit, warning: 5)
  }

  private func tell(_ item: Item, _ attempts: Int, isDeadLettered: Bool) {
    if isDeadLettered {
      self.log("a message failed too often and is dead-lettered", "TB-504", item)
    } else {
      self.log("a message has failed so often that it is about to be dead-lettered", "TB-505", item)
    }
    self.handlers.repeatedFailures?(
      RepeatedFailure(
        messageID: item.facts?.messageID, from: item.facts?.from, to: item.facts?.to, bus: self.endpoint.name,
        queue: self.queue.name, attempts: attempts, limit: self.configuration.poisonLimit ?? .max,
        isDeadLettered: isDeadLettered))
  }

  // MARK: Telling the sender

  /// An error message to the sender's error queue; the faulty message is accepted once the bus has taken that, and never before.
  ///
  /// Where nobody may or can be told, the message is dead-lettered, so that it does not vanish; where the bus or the register
  /// cannot be asked now, it is kept and tried again.
  private func tellSender(_ error: ReportError, _ item: Item) async -> DeliveryVerdict {
    let condition = AMQPCondition(error.condition.rawValue)
    guard let facts = item.facts else { return .reject(condition) }
    switch ErrorAnswer(about: facts, readFrom: self.queue.kind) {
    case .silent:
      return .reject(condition) { $0.errorsNotSent += 1 }
    case .tell(let sender):
      guard let own = facts.to ?? self.queue.owner ?? self.configuration.serve.herIDs.first,
        self.client.mayReportError(to: sender)
      else {
        self.log("the sender is not told of its faulty message: too many in a minute, or no HER-ID of ours", "TB-506", item)
        return .reject(condition) { $0.errorsNotSent += 1 }
      }
      let report = ErrorMessage.make(about: facts, to: sender, own: own, error: error, receivedAt: .now)
      let result = await self.client.sendAsIs(report, kind: .error)
      switch result.certainty {
      case .taken:
        self.failures.withLockedValue { $0.forget(item.ledgerKey) }
        return .accept {
          $0.errorsSent += 1
          $0.refused += 1
        }
      case .never:
        self.log("the sender's error queue cannot be reached; its faulty message is dead-lettered", result.outcome.code, item)
        return .reject(condition) { $0.errorsNotSent += 1 }
      case .perhapsLater:
        self.log("the sender could not be told of its faulty message; it is kept", result.outcome.code, item)
        return self.tryAgain(item)
      }
    }
  }

  private func log(_ text: Logger.Message, _ code: String, _ item: Item) {
    self.client.logger.warning(
      text,
      metadata: [
        LogKey.bus.rawValue: "\(self.endpoint.name)", LogKey.queue.rawValue: "\(self.queue.name)",
        LogKey.error.rawValue: "\(code)", LogKey.messageID.rawValue: "\(item.facts?.messageID?.prefix(100) ?? "-")",
      ])
  }
}

extension TjenestebussError {
  /// What the sender of a message is told that cannot be read.
  fileprivate var asReport: ReportError {
    switch self {
    case .messageFieldsInvalid(let names):
      ReportError(.invalidFieldValue, text: "missing or malformed: \(names.joined(separator: ", "))", data: names)
    case .messageBodyUnreadable(let seen): ReportError(.unsupportedMessage, text: seen)
    default: ReportError(.internalError, text: "[\(self.stableCode)] the message could not be read")
    }
  }
}

extension Dialect {
  /// Whether a delivery is lent for a time, after which the bus takes it back unasked.
  var holdsLocks: Bool {
    switch self {
    case .serviceBusWindowsServer, .azureServiceBus: true
    case .rabbitMQ3, .rabbitMQ4AddressV1, .rabbitMQ4AddressV2, .activeMQ: false
    }
  }
}
