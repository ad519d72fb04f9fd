// SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore

/// The sessions of one connection: which link has which, which is free for the next, and which must still be waited for.
/// Pure: the time comes in as a value. `Session` and `Link` are what the engine calls them; tests use numbers.
///
/// Every link has a session of its own (unless several are attached together), because RabbitMQ up to 4.0 answers a refused
/// link by ending the session, neighbours and all. What else it knows of real brokers:
///
/// - RabbitMQ 4.0 drops a Begin on a channel whose session has answered our End but not quite gone. So a session whose links
///   were detached is kept for the next link, and a session that the peer ended keeps its channel for half a second before
///   we answer. Few are kept back: a connection has no more than 64 channels there.
/// - RabbitMQ 3 answers no Detach, but it does answer End. There a session is ended with its link, and the next link's
///   session is begun first, so that it cannot come on the channel of the one that ends.
/// - RabbitMQ 3 now and then leaves an End unanswered: new sessions wait for it no longer than a second.
struct SessionMachine<Session: Hashable & Sendable, Link: Hashable & Sendable>: Sendable {
  /// An attach that was asked for.
  struct RequestID: Hashable, Sendable { let number: Int }

  enum Action: Equatable, Sendable {
    /// Attach the request's links on this session; on a new one where it is nil. Then ``begun(_:on:links:)``.
    case begin(RequestID, on: Session?)
    /// Begin a session for the next link. Then ``spareBegun(_:)``.
    case beginSpare
    /// End the session and keep its links until the peer answers.
    case startEnd(Session)
    /// End the session, or answer its End; its links are forgotten.
    case end(Session)
    /// The request waited for too long.
    case timedOut(RequestID)
    /// As many sessions stand as may.
    case refused(RequestID)
  }

  private enum State: Equatable, Sendable {
    case active(Set<Link>)
    case idle
    /// Our End is not answered.
    case ending(until: NIODeadline)
    /// The peer's End is not answered yet.
    case held(until: NIODeadline)
  }

  private struct Waiting: Sendable {
    let id: RequestID
    let needsNewSession: Bool
    let deadline: NIODeadline
  }

  /// RabbitMQ 3 answers a Detach that closes the link by one that does not: for it the link goes on, until its session ends.
  var answersCloseOfLink = true
  /// The most sessions at a time, those that end included.
  var limit: Int

  static var endBound: TimeAmount { .seconds(1) }
  static var holdTime: TimeAmount { .milliseconds(500) }
  static var heldLimit: Int { 16 }

  private var sessions: [Session: State] = [:]
  private var sessionOf: [Link: Session] = [:]
  /// Oldest first.
  private var held: Deque<Session> = []
  private var waiting: Deque<Waiting> = []
  private var hasEnded = false

  init(limit: Int) { self.limit = max(1, limit) }

  var count: Int { self.sessions.count }
  var waitingRequests: [RequestID] { self.waiting.map(\.id) }
  func session(of link: Link) -> Session? { self.sessionOf[link] }

  // MARK: Attaching

  /// - Parameter needsNewSession: whether a session that served before will not do.
  mutating func attach(_ request: RequestID, needsNewSession: Bool = false, deadline: NIODeadline) -> [Action] {
    guard !self.hasEnded else { return [] }
    self.waiting.append(Waiting(id: request, needsNewSession: needsNewSession, deadline: deadline))
    return self.beginWaiting()
  }

  mutating func begun(_ request: RequestID, on session: Session, links: [Link]) {
    guard !self.hasEnded else { return }
    self.sessions[session] = links.isEmpty ? .idle : .active(Set(links))
    for link in links { self.sessionOf[link] = session }
  }

  mutating func spareBegun(_ session: Session) {
    if !self.hasEnded { self.sessions[session] = .idle }
  }

  private mutating func beginWaiting() -> [Action] {
    var actions: [Action] = []
    while let next = self.waiting.first {
      if !next.needsNewSession, let idle = self.sessions.first(where: { $0.value == .idle })?.key {
        // Taken at once: the next round must not find it idle.
        self.sessions[idle] = .active([])
        actions.append(.begin(next.id, on: idle))
      } else if self.isEnding {
        return actions
      } else if self.sessions.count + actions.count(where: Self.makesSession) >= self.limit {
        // One that is going makes room soon.
        guard self.held.isEmpty else { return actions }
        actions.append(.refused(next.id))
      } else {
        actions.append(.begin(next.id, on: nil))
      }
      self.waiting.removeFirst()
    }
    return actions
  }

  private static func makesSession(_ action: Action) -> Bool { if case .begin(_, on: nil) = action { true } else { false } }

  private var isEnding: Bool { self.sessions.values.contains { if case .ending = $0 { true } else { false } } }

  // MARK: Detaching

  /// Our Detach is being written.
  mutating func detachStarted(_ link: Link, at now: NIODeadline) -> [Action] {
    guard !self.answersCloseOfLink, let session = self.sessionOf[link], self.sessions[session] == .active([link]) else {
      return []
    }
    var actions: [Action] = []
    if !self.sessions.values.contains(.idle), self.sessions.count < self.limit { actions.append(.beginSpare) }
    // The link stays on it: its Detach is answered by the End, if by anything.
    self.sessions[session] = .ending(until: now + Self.endBound)
    return actions + [.startEnd(session)]
  }

  /// Both sides have detached, and the session may serve again: where the peer answers Detach.
  mutating func detached(_ link: Link, at now: NIODeadline) -> [Action] {
    self.answersCloseOfLink ? self.remove(link, reuse: true, at: now) : self.remove(link, reuse: false, at: now)
  }

  /// The link is gone in a way that leaves its session doubtful: it is ended with its last link.
  mutating func lost(_ link: Link, at now: NIODeadline) -> [Action] { self.remove(link, reuse: false, at: now) }

  private mutating func remove(_ link: Link, reuse: Bool, at now: NIODeadline) -> [Action] {
    guard let session = self.sessionOf.removeValue(forKey: link), case .active(var links)? = self.sessions[session] else {
      return []
    }
    links.remove(link)
    guard links.isEmpty else {
      self.sessions[session] = .active(links)
      return []
    }
    guard reuse else {
      self.sessions[session] = .ending(until: now + Self.endBound)
      return [.end(session)]
    }
    self.sessions[session] = .idle
    return self.beginWaiting()
  }

  // MARK: Ends

  /// The peer's End came: its answer to ours, or of its own.
  ///
  /// - Returns: the links that stood on it, and what to do.
  mutating func endedByPeer(_ session: Session, at now: NIODeadline) -> (lost: [Link], actions: [Action]) {
    let links = self.sessionOf.filter { $0.value == session }.map(\.key)
    for link in links { self.sessionOf[link] = nil }
    switch self.sessions[session] {
    // Not waited for any more.
    case nil, .held: return (links, [])
    case .ending:
      self.sessions[session] = nil
      return (links, self.beginWaiting())
    case .active, .idle:
      self.sessions[session] = .held(until: now + Self.holdTime)
      self.held.append(session)
      guard self.held.count > Self.heldLimit else { return (links, []) }
      let oldest = self.held.removeFirst()
      self.sessions[oldest] = nil
      return (links, [.end(oldest)] + self.beginWaiting())
    }
  }

  // MARK: Time

  /// When ``passed(_:)`` is next to be called; nil for never.
  var nextDeadline: NIODeadline? {
    let states = self.sessions.values.compactMap { state -> NIODeadline? in
      switch state {
      case .ending(let until), .held(let until): until
      case .active, .idle: nil
      }
    }
    return (states + self.waiting.map(\.deadline)).min()
  }

  mutating func passed(_ now: NIODeadline) -> [Action] {
    var actions: [Action] = []
    for (session, state) in self.sessions {
      switch state {
      case .ending(let until) where until <= now: self.sessions[session] = nil
      case .held(let until) where until <= now:
        self.sessions[session] = nil
        self.held.removeAll { $0 == session }
        actions.append(.end(session))
      case .active, .idle, .ending, .held: break
      }
    }
    // Those that can begin now do, before those that waited too long are told so.
    actions += self.beginWaiting()
    let late = self.waiting.filter { $0.deadline <= now }.map(\.id)
    self.waiting.removeAll { $0.deadline <= now }
    return actions + late.map(Action.timedOut)
  }

  /// The connection is gone: nothing is answered any more.
  mutating func connectionEnded() {
    self.hasEnded = true
    self.sessions = [:]
    self.sessionOf = [:]
    self.held = []
    self.waiting = []
  }
}
