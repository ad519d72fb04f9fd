// SPDX-License-Identifier: Apache-2.0

/// The life of one connection, from the TCP connection to its end. Pure: no IO, no clock.
///
/// It decides two things that are easily got wrong: which of several failures is the one to be told (the first, but what TLS
/// or the socket saw explains more than Proton's view of the same event, and a close that was asked for is no failure), and
/// what the peer must be answered.
struct ConnectionMachine: Sendable {
  enum Event: Equatable, Sendable {
    /// The peer's Open came.
    case opened
    /// This side wants to close.
    case closeAsked(AMQPError)
    /// The peer's Close came.
    case closedByPeer(AMQPError)
    /// The peer did what the protocol forbids, and is told so.
    case violated(AMQPError, AMQPCondition)
    /// Proton gave the transport up.
    case transportFailed(AMQPError)
    /// Proton has nothing more to say.
    case transportClosed
    /// Do not wait for the peer any longer.
    case abortAsked(AMQPError?)
    /// The channel is gone. `below`: what the channel itself reported; `plain`: what to say when nobody gave a reason.
    case channelClosed(below: AMQPError?, plain: AMQPError)
  }

  enum Action: Equatable, Sendable {
    case announceOpen
    /// Write Close, with a condition or without.
    case sendClose(AMQPCondition?)
    case cutChannel
    /// The same, after Proton's last words: the Close that tells the peer which rule it broke.
    case cutAfterLastWords
    /// Everybody who waits is to be told this. Comes once, last.
    case end(AMQPError)
  }

  enum State: Equatable, Sendable {
    case connecting
    case open
    /// Close was written, by either side's wish.
    case closing
    case closed
  }

  /// The connection's generation.
  let epoch: UInt64
  private(set) var state = State.connecting
  /// Why nothing new may be begun.
  private(set) var failure: AMQPError?

  init(epoch: UInt64) { self.epoch = epoch }

  /// - Parameter epoch: the generation of the connection that the event is about: one of another generation changes nothing.
  mutating func handle(_ event: Event, of epoch: UInt64) -> [Action] {
    guard epoch == self.epoch else { return [] }
    switch (self.state, event) {
    case (.closed, _): return []
    case (.connecting, .opened):
      self.state = .open
      return [.announceOpen]
    case (.open, .opened), (.closing, .opened): return []
    case (.connecting, .closeAsked(let error)), (.open, .closeAsked(let error)):
      self.note(error)
      self.state = .closing
      return [.sendClose(nil)]
    case (.closing, .closeAsked): return []
    case (.connecting, .closedByPeer(let error)), (.open, .closedByPeer(let error)):
      self.note(error)
      self.state = .closing
      return [.sendClose(nil)]
    // Both closed: Proton ends the transport by itself.
    case (.closing, .closedByPeer): return []
    case (.connecting, .violated(let error, let condition)), (.open, .violated(let error, let condition)):
      self.note(error)
      self.state = .closing
      return [.sendClose(condition)]
    case (.closing, .violated): return []
    case (.connecting, .transportFailed(let error)), (.open, .transportFailed(let error)),
      (.closing, .transportFailed(let error)):
      self.note(error)
      return [.cutAfterLastWords]
    case (.connecting, .transportClosed), (.open, .transportClosed), (.closing, .transportClosed): return [.cutChannel]
    case (.connecting, .abortAsked(let error)), (.open, .abortAsked(let error)), (.closing, .abortAsked(let error)):
      if let error { self.note(error) }
      return [.cutChannel]
    case (.connecting, .channelClosed(let below, let plain)), (.open, .channelClosed(let below, let plain)),
      (.closing, .channelClosed(let below, let plain)):
      let reason = self.reason(below: below, plain: plain)
      self.failure = reason
      self.state = .closed
      return [.end(reason)]
    }
  }

  /// The first reason counts: what follows is mostly its consequence.
  private mutating func note(_ error: AMQPError) { if self.failure == nil { self.failure = error } }

  private func reason(below: AMQPError?, plain: AMQPError) -> AMQPError {
    guard let failure = self.failure else { return below ?? plain }
    // Proton says only that the bytes ended; the socket or TLS says why.
    return failure.code == .connectionLost ? below ?? failure : failure
  }
}
