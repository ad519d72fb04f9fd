// SPDX-License-Identifier: Apache-2.0

import BusModel

/// How a broker of a dialect behaves where the dialects differ and `DialectCapabilities` says nothing of it.
///
/// Sources: real brokers, as `docs/brokers.md` has them; Service Bus from Microsoft's protocol guide, not observed.
package struct BrokerManners: Sendable {
  /// What a refused link costs.
  package enum Refusal: Sendable { case detach, endOfSession }
  /// What happens to a sender whose message cannot be taken for its form.
  package enum MalformedMessage: Sendable { case rejected, endOfSession, cut }

  package var refusal: Refusal
  package var malformed: MalformedMessage
  /// Whether a message must have a body section and annotation keys that begin with `x-`.
  package var isStrictAboutSections: Bool
  /// In bytes; 0 for no limit.
  package var maximumMessageSize: UInt64
  package var checksUserID: Bool
  /// Whether a message without header counts as durable.
  package var durableByDefault: Bool
  /// Whether a delivery settled without an outcome ends the session, or is given back.
  package var demandsOutcome: Bool
  /// Whether a missing write permission is told at the attach, or at the first message.
  package var checksWriteAtAttach: Bool
  /// Whether a full queue answers `rejected`, or nothing at all.
  package var answersWhenFull: Bool
  package var answersManagement: Bool
  package var rules: QueueRules

  package init(_ dialect: Dialect) {
    switch dialect {
    case .serviceBusWindowsServer, .azureServiceBus:
      self.init(
        refusal: .detach, malformed: .rejected, isStrictAboutSections: false,
        maximumMessageSize: dialect == .azureServiceBus ? 256 << 10 : 50 << 20, checksUserID: false, durableByDefault: true,
        demandsOutcome: false, checksWriteAtAttach: true, answersWhenFull: true, answersManagement: false,
        // Ten deliveries, the tenth return is one too many. Each return counts.
        rules: QueueRules(deliveryLimit: 9, released: .deliveryCount, lost: .deliveryCount))
    case .rabbitMQ3:
      self.init(
        refusal: .endOfSession, malformed: .cut, isStrictAboutSections: false, maximumMessageSize: 0, checksUserID: true,
        durableByDefault: false, demandsOutcome: true, checksWriteAtAttach: false, answersWhenFull: false,
        answersManagement: false, rules: QueueRules(released: .nothing, lost: .nothing))
    case .rabbitMQ4AddressV1, .rabbitMQ4AddressV2:
      self.init(
        refusal: .endOfSession, malformed: .endOfSession, isStrictAboutSections: true, maximumMessageSize: 16 << 20,
        checksUserID: true, durableByDefault: true, demandsOutcome: true, checksWriteAtAttach: true, answersWhenFull: true,
        answersManagement: true, rules: QueueRules(deliveryLimit: 20, released: .limit, lost: .deliveryCount))
    case .activeMQ:
      self.init(
        refusal: .detach, malformed: .rejected, isStrictAboutSections: false, maximumMessageSize: 0, checksUserID: false,
        durableByDefault: false, demandsOutcome: false, checksWriteAtAttach: true, answersWhenFull: true,
        answersManagement: false, rules: QueueRules(released: .nothing, lost: .deliveryCount))
    }
  }

  private init(
    refusal: Refusal, malformed: MalformedMessage, isStrictAboutSections: Bool, maximumMessageSize: UInt64, checksUserID: Bool,
    durableByDefault: Bool, demandsOutcome: Bool, checksWriteAtAttach: Bool, answersWhenFull: Bool, answersManagement: Bool,
    rules: QueueRules
  ) {
    self.refusal = refusal
    self.malformed = malformed
    self.isStrictAboutSections = isStrictAboutSections
    self.maximumMessageSize = maximumMessageSize
    self.checksUserID = checksUserID
    self.durableByDefault = durableByDefault
    self.demandsOutcome = demandsOutcome
    self.checksWriteAtAttach = checksWriteAtAttach
    self.answersWhenFull = answersWhenFull
    self.answersManagement = answersManagement
    self.rules = rules
  }
}
