// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// The sends of one sending link: waiting for credit, in flight, done. Pure: no IO, no clock.
///
/// It decides the one thing that must never be guessed: a send that ends early is *not sent* while it waits, and of
/// *unknown* outcome once it was handed over. `Delivery` is what the link calls a transfer; tests use numbers.
struct SendMachine<Delivery: Hashable & Sendable>: Sendable {
  struct SendID: Hashable, Sendable { let number: UInt64 }

  /// How a send ends.
  enum Completion: Equatable, Sendable {
    case outcome(AMQPOutcome)
    /// It never left. Carries why.
    case notSent(Reason)
  }

  enum Reason: Equatable, Sendable {
    case timedOut
    case cancelled
    case linkEnded(AMQPError)
  }

  /// Why a send is ended from outside.
  enum Ending: Equatable, Sendable {
    case timedOut
    case cancelled
  }

  private enum State: Sendable {
    case waiting
    /// Some of its bytes were handed over: the peer has no whole message, and will not get one if it ends now.
    case partial(Delivery)
    case inFlight(Delivery)
  }

  private var order: Deque<SendID> = []
  private var states: [SendID: State] = [:]
  /// Nil: the caller gave up on it; the late outcome is still settled, and told to nobody.
  private var inFlight: [Delivery: SendID?] = [:]
  private var ended: AMQPError?
  /// Why nothing more is taken, though outcomes are still awaited.
  private var refusal: AMQPError?

  private(set) var waitingCount = 0
  var inFlightCount: Int { self.inFlight.count }
  var isIdle: Bool { self.states.isEmpty }

  /// A message is to be sent.
  ///
  /// - Returns: its completion, when the link has ended already.
  mutating func enqueue(_ id: SendID) -> Completion? {
    if let reason = self.ended ?? self.refusal { return .notSent(.linkEnded(reason)) }
    self.states[id] = .waiting
    self.waitingCount += 1
    self.order.append(id)
    return nil
  }

  /// The next message to hand over, in the order they came; the caller has credit for it.
  mutating func next() -> SendID? {
    while let id = self.order.first {
      self.order.removeFirst()
      if case .waiting? = self.states[id] { return id }
    }
    return nil
  }

  /// The send that has waited longest for credit.
  mutating func oldestWaiting() -> SendID? {
    while let id = self.order.first {
      if case .waiting? = self.states[id] { return id }
      self.order.removeFirst()
    }
    return nil
  }

  /// The first bytes of what ``next()`` gave were handed over as `delivery`; the rest follows.
  mutating func began(_ id: SendID, as delivery: Delivery) {
    guard case .waiting? = self.states[id] else { return }
    self.states[id] = .partial(delivery)
    self.waitingCount -= 1
  }

  /// What ``next()`` gave was handed over as `delivery`, to its last byte.
  mutating func transferred(_ id: SendID, as delivery: Delivery) {
    switch self.states[id] {
    case .waiting?: self.waitingCount -= 1
    case .partial?: break
    case .inFlight?, nil: return
    }
    self.states[id] = .inFlight(delivery)
    self.inFlight[delivery] = .some(id)
  }

  /// The peer stated an outcome, or settled without one.
  ///
  /// - Returns: the send that ends with it; nil when its caller has given up already.
  mutating func disposition(_ delivery: Delivery, _ outcome: AMQPOutcome?, settled: Bool) -> (SendID, AMQPOutcome)? {
    guard outcome != nil || settled, let entry = self.inFlight.removeValue(forKey: delivery), let id = entry else { return nil }
    self.states[id] = nil
    return (id, outcome ?? .unknown(.settledWithoutOutcome))
  }

  /// A deadline passed, or the caller's task was cancelled.
  ///
  /// - Returns: nil when the send has ended already.
  mutating func end(_ id: SendID, _ ending: Ending) -> Completion? {
    switch self.states.removeValue(forKey: id) {
    case nil: return nil
    case .waiting:
      self.waitingCount -= 1
      return .notSent(ending == .timedOut ? .timedOut : .cancelled)
    case .partial: return .notSent(ending == .timedOut ? .timedOut : .cancelled)
    case .inFlight(let delivery):
      self.inFlight.updateValue(nil, forKey: delivery)
      return .outcome(.unknown(ending == .timedOut ? .timedOut : .cancelled))
    }
  }

  /// The link takes nothing more, and stands until the outcomes of what is in flight have come.
  mutating func refuse(_ error: AMQPError) -> [(SendID, Completion)] {
    self.refusal = error
    let waiting = self.states.filter { if case .inFlight = $0.value { false } else { true } }.keys.sorted {
      $0.number < $1.number
    }
    for id in waiting { self.states[id] = nil }
    self.waitingCount = 0
    self.order = []
    return waiting.map { ($0, .notSent(.linkEnded(error))) }
  }

  /// The link, session or connection ended: what waits was not sent, what is in flight is unknown.
  mutating func linkEnded(_ error: AMQPError) -> [(SendID, Completion)] {
    guard self.ended == nil else { return [] }
    self.ended = error
    let completions = self.states.sorted { $0.key.number < $1.key.number }.map { id, state -> (SendID, Completion) in
      switch state {
      case .waiting, .partial: (id, .notSent(.linkEnded(error)))
      case .inFlight: (id, .outcome(.unknown(.lost(error))))
      }
    }
    self.states = [:]
    self.waitingCount = 0
    self.inFlight = [:]
    self.order = []
    return completions
  }
}
