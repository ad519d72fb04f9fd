// SPDX-License-Identifier: Apache-2.0

/// The credit of one receiving link. Pure: no IO, no clock.
///
/// It counts a message in one of three places: `credit` (the peer may send it), `buffered` (arrived, and no task has it),
/// `unsettled` (a task has it). After every event:
///
/// 1. credit + buffered + unsettled <= window.
/// 2. buffered + unsettled <= 2 x window.
///
/// A window that is made smaller takes back the credit beyond it; what is held goes down as it is settled.
///
/// They differ because of RabbitMQ 3. It reads a grant as "that many from now on" and takes no notice of how far we had
/// counted when we wrote it, so messages that cross the grant come on top. They are kept, not refused: credit goes below
/// zero by as many, the first sum is as it was, and that much less is granted later. So what is held goes over the window by
/// exactly the overdraft, and the overdraft ends at one window: a peer that goes further does not heed credit at all.
struct CreditMachine: Sendable {
  enum Event: Equatable, Sendable {
    /// The peer's Attach was read: only now may credit be granted (RabbitMQ 4.3 ends the session of a client that is early).
    case attached
    case arrived
    /// A task took this many buffered ones, which it has to settle.
    case taken(Int)
    /// A task took this many buffered ones that their sender had settled.
    case takenSettled(Int)
    /// This many that a task had were settled.
    case settled(Int)
    /// This many buffered ones were settled from here: given back, rejected as too large, or withdrawn by the peer.
    case dropped(Int)
    case drainAsked
    /// The peer gave this much credit back.
    case creditReturned(Int)
    case resumed
    /// Another window from now on. `kept` of what is held stays for long: it counts against the window, and not as what a grant waits for.
    case windowChanged(Int, kept: Int)
    /// The receiver is about to leave: nothing more is wanted, ever, while what is here may still be settled.
    case leaving
    /// The link is going, or gone: no more is granted, ever.
    case closed
  }

  enum Action: Equatable, Sendable {
    case none
    case grant(Int)
    /// Take so much back from the peer, before anything is given back that it could send again.
    case withdraw(Int)
    /// Ask the peer to use up or give back what credit it has.
    case askToDrain
    /// The peer has no credit any more, as was asked.
    case drained(arrived: Int, returned: Int)
    /// The peer sent a whole window more than it might.
    case refuse
  }

  private enum State: Equatable, Sendable {
    case attaching
    case open
    case draining(arrived: Int, returned: Int)
    case drained
    case closed
  }

  private(set) var credit = 0
  private(set) var buffered = 0
  private(set) var unsettled = 0
  private var state = State.attaching
  private(set) var window: Int
  /// The widest that it ever was: so much may cross a smaller one on its way.
  private var widest: Int
  private var kept = 0
  let epoch: AMQPEpoch

  /// - Parameter window: the most messages to be on their way, buffered and unsettled together; 0 to be attached and take nothing.
  init(window: Int, epoch: AMQPEpoch) {
    self.window = max(0, window)
    self.widest = self.window
    self.epoch = epoch
  }

  var held: Int { self.buffered + self.unsettled }
  var isDraining: Bool { if case .draining = self.state { true } else { false } }
  var isDrained: Bool { self.state == .drained }
  var isGranting: Bool { self.state == .open && self.window > 0 }

  /// - Parameter epoch: the link's generation that the event is about: one of another generation changes nothing.
  mutating func handle(_ event: Event, epoch: AMQPEpoch) -> Action {
    guard epoch == self.epoch else { return .none }
    switch event {
    case .attached:
      guard self.state == .attaching else { return .none }
      self.state = .open
      self.credit = self.window
      return self.window > 0 ? .grant(self.window) : .none
    case .arrived: return self.arrived()
    case .taken(let count):
      let moved = min(count, self.buffered)
      self.buffered -= moved
      self.unsettled += moved
      return .none
    case .takenSettled(let count), .dropped(let count):
      self.buffered -= min(count, self.buffered)
      return self.topUp()
    case .settled(let count):
      self.unsettled -= min(count, self.unsettled)
      return self.topUp()
    case .drainAsked: return self.drain()
    case .creditReturned(let count):
      // Never more than it had: what is held is not the peer's to give back.
      let returned = min(count, max(0, self.credit))
      self.credit -= returned
      if case .draining(let arrived, let before) = self.state {
        self.state = .draining(arrived: arrived, returned: before + returned)
      }
      return self.finishDrain()
    case .resumed:
      switch self.state {
      case .drained, .draining: self.state = .open
      case .attaching, .open, .closed: return .none
      }
      return self.grant()
    case .windowChanged(let window, let kept): return self.change(window, kept)
    case .leaving, .closed: return self.leave()
    }
  }

  private mutating func change(_ window: Int, _ kept: Int) -> Action {
    self.window = max(0, window)
    self.kept = min(max(0, kept), self.window)
    self.widest = max(self.widest, self.window)
    switch self.state {
    case .attaching, .closed, .drained, .draining: return .none
    case .open: break
    }
    let back = min(self.credit, self.credit + self.held - self.window)
    guard back > 0 else { return self.topUp() }
    self.credit -= back
    return .withdraw(back)
  }

  private mutating func leave() -> Action {
    guard self.state != .closed else { return .none }
    self.state = .closed
    guard self.credit > 0 else { return .none }
    defer { self.credit = 0 }
    return .withdraw(self.credit)
  }

  private mutating func arrived() -> Action {
    switch self.state {
    case .attaching: return .refuse
    case .open, .drained, .closed: break
    case .draining(let arrived, let returned): self.state = .draining(arrived: arrived + 1, returned: returned)
    }
    guard self.credit > -self.widest else { return .refuse }
    self.credit -= 1
    self.buffered += 1
    return self.finishDrain()
  }

  private mutating func drain() -> Action {
    switch self.state {
    case .open: self.state = .draining(arrived: 0, returned: 0)
    case .draining, .attaching, .closed: return .none
    case .drained: return .drained(arrived: 0, returned: 0)
    }
    let done = self.finishDrain()
    return done == .none ? .askToDrain : done
  }

  private mutating func finishDrain() -> Action {
    guard case .draining(let arrived, let returned) = self.state, self.credit <= 0 else { return .none }
    self.state = .drained
    return .drained(arrived: arrived, returned: returned)
  }

  /// Nothing until half of the window is free that is not kept, so that grants are few.
  private mutating func topUp() -> Action {
    let free = self.window - self.credit - self.held
    guard free * 2 >= self.window - self.kept else { return .none }
    return self.grant()
  }

  private mutating func grant() -> Action {
    let free = self.window - self.credit - self.held
    guard self.state == .open, free > 0 else { return .none }
    self.credit += free
    return .grant(free)
  }
}
