// SPDX-License-Identifier: Apache-2.0

import AMQP

/// How a broker behaves where products differ and `DialectCapabilities` says nothing of it.
///
/// Sources: real brokers, as their recorded exchanges have it (`Tests/ExchangeTests/Recordings`); Service Bus from Microsoft's
/// protocol guide, not observed.
package struct BrokerManners: Sendable {
  /// What a refused link costs.
  package enum Refusal: Sendable { case detach, endOfSession }

  /// What the broker's Open says of itself.
  package struct Introduction: Sendable {
    package var idleTimeoutMilliseconds: UInt32
    package var maximumFrameSize: UInt32
    package var channelMax: UInt16
    /// Whether it says the client's own frame size and channels instead.
    package var echoes = false
  }

  package let product: BrokerProduct
  package var introduction = Introduction(idleTimeoutMilliseconds: 30_000, maximumFrameSize: 65_536, channelMax: 4_999)
  package var refusal = Refusal.detach
  /// In bytes; 0 for no limit.
  package var maximumMessageSize: UInt64 = 0
  package var creditWindow = 1_000
  package var checksUserID = false
  /// Whether a message without header counts as durable.
  package var durableByDefault = false
  /// Whether a delivery settled without an outcome ends the session, or is given back.
  package var demandsOutcome = false
  /// Whether a missing write permission is told at the attach, or at the first message.
  package var checksWriteAtAttach = true
  /// Whether a full queue answers `rejected`, or nothing at all.
  package var answersWhenFull = true
  /// RabbitMQ 4's `/management`.
  package var answersManagement = false
  /// Whether senders may attach without an address.
  package var knowsAnonymousTerminus = true
  /// How long a refused login waits for its answer, and an Open that is not to be answered for its end, in milliseconds.
  package var refusalDelay: Int64 = 0
  /// How long a client that has logged in may take to send its Open, in milliseconds; nil for ever.
  package var openDeadline: Int64?
  /// Whether an Open with an idle-time-out below a second is answered.
  package var refusesShortIdleTimeout = false
  /// Links a session may have and sessions a connection may have; nil for as many as AMQP allows.
  package var mostLinks: Int?
  package var mostSessions: Int?
  /// Whether header.first-acquirer is told.
  package var tellsFirstAcquirer = true
  package var rules = QueueRules()
  /// The same for queues of RabbitMQ's kind classic.
  package var classicRules = QueueRules()

  package init(_ product: BrokerProduct) {
    self.product = product
    switch product {
    case .serviceBusWindowsServer, .azureServiceBus: self.setServiceBus()
    case .rabbitMQ310: self.setRabbitMQ3()
    case .rabbitMQ40, .rabbitMQ43: self.setRabbitMQ4()
    case .activeMQ: self.setActiveMQ()
    }
  }

  private mutating func setServiceBus() {
    self.introduction = Introduction(idleTimeoutMilliseconds: 120_000, maximumFrameSize: 65_536, channelMax: 4_999)
    self.maximumMessageSize = self.product == .azureServiceBus ? 256 << 10 : 50 << 20
    self.knowsAnonymousTerminus = false
    self.durableByDefault = true
    // Ten deliveries, the tenth return is one too many. Each return counts, a lost link too.
    self.rules = QueueRules(
      deliveryLimit: 9, released: .deliveryCount, failed: .deliveryCount, lost: .deliveryCount, detached: .deliveryCount)
    self.classicRules = self.rules
  }

  private mutating func setRabbitMQ3() {
    self.introduction = Introduction(
      idleTimeoutMilliseconds: 60_000, maximumFrameSize: 32_768, channelMax: 32_767, echoes: true)
    self.refusal = .endOfSession
    self.creditWindow = 65_536
    self.checksUserID = true
    self.demandsOutcome = true
    self.checksWriteAtAttach = false
    self.answersWhenFull = false
    self.knowsAnonymousTerminus = false
    self.refusalDelay = 3_000
    self.openDeadline = 10_000
    self.rules = QueueRules(released: .nothing, failed: .nothing, lost: .nothing, detached: .nothing)
    self.classicRules = self.rules
  }

  private mutating func setRabbitMQ4() {
    self.introduction = Introduction(idleTimeoutMilliseconds: 30_000, maximumFrameSize: 131_072, channelMax: 63)
    self.refusal = self.product == .rabbitMQ43 ? .detach : .endOfSession
    self.maximumMessageSize = 16 << 20
    self.creditWindow = 170
    self.checksUserID = true
    self.demandsOutcome = true
    self.durableByDefault = self.product == .rabbitMQ40
    self.answersManagement = true
    self.refusalDelay = 3_000
    self.openDeadline = 10_000
    self.refusesShortIdleTimeout = true
    self.mostLinks = 256
    self.mostSessions = 64
    if self.product == .rabbitMQ40 {
      self.rules = QueueRules(
        deliveryLimit: 20, released: .limit, failed: .deliveryCount, lost: .deliveryCount, detached: .limit,
        rejectedCounts: true, tellsLimitAsDeliveryCount: true)
      self.classicRules = QueueRules(
        released: .nothing, failed: .nothing, lost: .nothing, detached: .nothing, keepsAnnotations: false)
    } else {
      self.rules = QueueRules(
        deliveryLimit: 20, released: .nothing, failed: .deliveryCount, lost: .deliveryCount, detached: .nothing,
        rejectedCounts: true, tellsAcquiredCount: true)
      self.classicRules = QueueRules(
        released: .nothing, failed: .deliveryCount, lost: .deliveryCount, detached: .deliveryCount, rejectedCounts: true,
        keepsAnnotations: false)
    }
  }

  private mutating func setActiveMQ() {
    self.introduction = Introduction(idleTimeoutMilliseconds: 15_000, maximumFrameSize: 131_072, channelMax: 32_767)
    self.tellsFirstAcquirer = false
    self.rules = QueueRules(
      released: .deliveryCount, failed: .deliveryCount, lost: .deliveryCount, detached: .nothing, keepsAnnotations: false)
    self.classicRules = self.rules
  }

  /// The SASL mechanisms offered, in order.
  ///
  /// - Parameter isEncrypted: with a certificate of the client's, EXTERNAL says who it is.
  package func mechanisms(anonymousUser: String?, isEncrypted: Bool) -> [String] {
    let anonymous = anonymousUser == nil ? [] : ["ANONYMOUS"]
    switch self.product {
    // In the order that traps a client which takes the first it knows.
    case .rabbitMQ310: return anonymous + (isEncrypted ? ["EXTERNAL"] : []) + ["PLAIN", "AMQPLAIN"]
    case .rabbitMQ40: return ["PLAIN", "AMQPLAIN"] + (isEncrypted ? ["EXTERNAL"] : []) + anonymous
    case .rabbitMQ43: return ["PLAIN", "AMQPLAIN"] + (isEncrypted ? ["EXTERNAL"] : []) + anonymous
    case .activeMQ: return ["PLAIN"] + anonymous
    case .serviceBusWindowsServer: return ["PLAIN"] + (isEncrypted ? ["EXTERNAL"] : []) + anonymous
    // Whoever comes anonymously shows a token to `$cbs`.
    case .azureServiceBus: return ["MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"]
    }
  }
}
