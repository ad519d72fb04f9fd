// SPDX-License-Identifier: Apache-2.0

/// Which answer belongs to which request. Pure: a request ends once, by its answer, its deadline, or the loss of its links;
/// what comes later is counted and changes nothing.
struct RequestReplyMachine: Sendable {
  /// Names a request; never used twice.
  typealias RequestID = UInt64

  enum Ending: Sendable, Equatable {
    case answered
    /// Nothing came in time: whether the request was carried out is not known.
    case timedOut
    /// The links were lost: whether it was carried out is not known once it was handed over.
    case lost(AMQPError, wasHandedOver: Bool)
    case cancelled
  }

  private struct Pending: Sendable {
    var correlation: AMQPMessageID
    var epoch: UInt64
    var wasHandedOver = false
  }

  private var pending: [RequestID: Pending] = [:]
  private var byCorrelation: [AMQPMessageID: RequestID] = [:]
  /// Correlations of requests that ended without their answer: so that a late one is told from an unknown one. Bounded.
  private var given: [AMQPMessageID] = []
  private var lastID: RequestID = 0
  /// Answers that came after their request had ended.
  private(set) var lateAnswers = 0
  /// Answers to nothing that was asked here, or without a correlation.
  private(set) var unknownAnswers = 0

  private static let rememberedLimit = 256

  var pendingCount: Int { self.pending.count }

  /// - Returns: nil when a request with that correlation is under way: two answers could not be told apart.
  mutating func begin(_ correlation: AMQPMessageID, epoch: UInt64) -> RequestID? {
    guard self.byCorrelation[correlation] == nil else { return nil }
    self.lastID += 1
    self.pending[self.lastID] = Pending(correlation: correlation, epoch: epoch)
    self.byCorrelation[correlation] = self.lastID
    return self.lastID
  }

  mutating func handedOver(_ id: RequestID) { self.pending[id]?.wasHandedOver = true }

  /// - Returns: the request it answers; nil when none waits for it.
  mutating func answered(_ correlation: AMQPMessageID?, epoch: UInt64) -> RequestID? {
    guard let correlation else {
      self.unknownAnswers += 1
      return nil
    }
    guard let id = self.byCorrelation[correlation], self.pending[id]?.epoch == epoch else {
      if self.given.contains(correlation) || self.byCorrelation[correlation] != nil {
        self.lateAnswers += 1
      } else {
        self.unknownAnswers += 1
      }
      return nil
    }
    self.forget(id)
    return id
  }

  /// - Returns: how it ends; nil when it has ended already.
  mutating func timedOut(_ id: RequestID) -> Ending? { self.end(id) == nil ? nil : .timedOut }

  mutating func cancelled(_ id: RequestID) -> Ending? { self.end(id) == nil ? nil : .cancelled }

  /// It could not be sent.
  mutating func notSent(_ id: RequestID, _ error: AMQPError) -> Ending? {
    self.end(id) == nil ? nil : .lost(error, wasHandedOver: false)
  }

  /// The links of `epoch` are lost: what was asked on them is answered no more.
  mutating func linksLost(_ error: AMQPError, epoch: UInt64) -> [(RequestID, Ending)] {
    self.pending.filter { $0.value.epoch == epoch }.keys.sorted().compactMap { id in
      self.end(id).map { (id, .lost(error, wasHandedOver: $0.wasHandedOver)) }
    }
  }

  private mutating func end(_ id: RequestID) -> Pending? {
    guard let ended = self.pending[id] else { return nil }
    self.forget(id)
    self.given.append(ended.correlation)
    if self.given.count > Self.rememberedLimit { self.given.removeFirst() }
    return ended
  }

  private mutating func forget(_ id: RequestID) {
    if let correlation = self.pending.removeValue(forKey: id)?.correlation { self.byCorrelation[correlation] = nil }
  }
}
