// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// What becomes of each message between two queues. Pure: no IO, no clock; payloads stay with the shell.
///
/// - A source delivery is settled only after the target has accepted its copy.
/// - A message is in the journal before it leaves.
/// - Per sender, what goes first was first in the queue: what the target did not accept while a later one of the same sender got in is
///   set aside, since sending it again would have it come after that.
package struct ForwardMachine: Sendable {
  /// What the shell knows of a delivery when it comes.
  package struct Arrival: Sendable, Equatable {
    /// The shell's: the next one after the arrival before it.
    package var number: UInt64
    package var fingerprint: Fingerprint
    package var messageID: String?
    /// `fromHerId`; empty where there is none, which makes one sender of all such.
    package var sender = ""
    package var size = 0
    /// The journal's number for sending it, if it is sent.
    package var serial: UInt64
    package var standing = JournalMemory.Standing.unknown
    /// Whether the bus says that it was handed out before.
    package var isRedelivered = false
    /// Where the bus numbers the messages of a queue: greater than that of any message before it.
    package var sequenceNumber: Int64?
    package var isNearDeliveryLimit = false
    /// Why it must not be sent, whatever the journal knows.
    package var aside: (reason: SetAside.Reason, seen: String)?
    /// The machine's: when it first came, where it was held.
    var at: Int64 = 0

    package init(number: UInt64, fingerprint: Fingerprint, serial: UInt64) {
      self.number = number
      self.fingerprint = fingerprint
      self.serial = serial
    }

    package static func == (one: Arrival, other: Arrival) -> Bool { one.number == other.number }
  }

  package enum Fate: Sendable, Equatable {
    case accepted
    /// Any other outcome, in words.
    case refused(String)
    /// It was settled without an outcome: it may be there or not, and asking again would bring no better answer.
    case unclear(String)
    /// It was handed over, and the link was lost before an outcome came; `targetFailed` follows.
    case unknown
    /// It is certain that it did not leave.
    case notSent
    /// Its time ran out while it waited here.
    case expired
  }

  package struct Failure: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
      /// The peer ended link or session: it may not have liked a message.
      case link
      /// The connection broke, or could not be made.
      case connection
      /// Trying again cannot help.
      case permanent
    }
    package var kind: Kind
    package var error: ForwardingError

    package init(_ kind: Kind, _ error: ForwardingError) {
      self.kind = kind
      self.error = error
    }
  }

  package enum Event: Sendable {
    case started
    /// - Parameter losesUnseen: it accepts, and loses, what is sent to a queue that is not there.
    case targetAttached(epoch: Int, maximumSize: UInt64?, losesUnseen: Bool = false)
    case targetFailed(epoch: Int, Failure)
    /// The queue was there after all that had been accepted when this look was asked for.
    case queueSeen(epoch: Int, look: Int)
    /// The queue could not be seen, and nothing more is sent on the link. `unsent` is what never left.
    case queueNotSeen(epoch: Int, Failure, unsent: [UInt64])
    /// The answer to `withdraw`: these never left.
    case withdrawn(epoch: Int, [UInt64])
    /// - Parameters:
    ///   - unnoticedLimit: after how many nanoseconds the bus has noticed that a link is dead, whatever became of it.
    ///   - holdLimit: for how many nanoseconds a message may be on hand and not on its way; nil where the source sets no bound.
    case sourceAttached(epoch: Int, unnoticedLimit: Int64 = 0, holdLimit: Int64? = nil)
    case sourceFailed(epoch: Int, Failure)
    case arrived(epoch: Int, [Arrival])
    /// The answer to `again`: the same under their new numbers.
    case arrivedAgain(epoch: Int, [Arrival])
    /// How many links the bus knows on the source queue, while we have none; nil where it does not say.
    case linksSeen(Int?)
    /// What was to be on the disk is there, or cannot be.
    case journaled(batch: UInt64, ForwardingError?)
    case ended(epoch: Int, [(number: UInt64, fate: Fate)])
    case timePassed
    case paused
    case resumed
    /// By `deadline` whatever is still on its way is of unknown outcome.
    case stopAsked(deadline: Int64)
  }

  package enum Action: Sendable, Equatable {
    case attachTarget(epoch: Int)
    case attachSource(epoch: Int)
    /// On the disk before anything of it leaves; answered by `journaled`.
    case journal(batch: UInt64, [JournalRecord])
    case note([JournalRecord])
    /// The journal's attempts go on, or nobody will learn what became of them.
    case goOn([UInt64])
    case interrupt([UInt64])
    case send(epoch: Int, [UInt64])
    /// What was handed to the sender and waits there for credit is taken back; answered by `withdrawn`.
    case withdraw(epoch: Int)
    /// See whether any link is on the source queue; answered by `linksSeen`.
    case seekLinks
    /// See that the target queue is there; answered by `queueSeen` or `queueNotSeen`.
    case look(epoch: Int, Int)
    /// What people should know while it goes on; nil when that is over.
    case tell(ForwardingError?)
    /// Settled as accepted on the source.
    case settle(epoch: Int, [UInt64])
    /// The shell need not keep it.
    case forget([UInt64])
    /// The source may give so many at a time; `kept` of those that it has given stay for long.
    case take(epoch: Int, Int, kept: Int)
    /// What was held came before its turn, which is now: as if they came anew, in this order, with new numbers and serials, and with what the
    /// journal knows now; answered at once by `arrivedAgain`.
    case again(epoch: Int, [Arrival])
    /// No more is taken over the link, and these go back, released, before their locks run out.
    case letGo(epoch: Int, [UInt64])
    /// The link to the source is left with all that it holds: the bus gives that back in its order.
    case leaveSource(epoch: Int)
    /// What was interrupted in earlier runs is not awaited any more.
    case awaitNothing
    /// No more is taken, and these go back to the source in their order.
    case giveBack(epoch: Int, [UInt64])
    /// `timePassed` at that time at the latest.
    case wake(at: Int64)
    case finish(Ending)
  }

  package enum Ending: Sendable, Equatable {
    /// Nothing has come for as long as was asked.
    case idle
    case asked
    case failed(ForwardingError)
  }

  package struct Settings: Sendable {
    package var queue: UInt32 = 1
    package var window = 1
    /// Messages a second; nil for no limit.
    package var rate: Int?
    package var heldLimit = 200
    /// How many are taken ahead at most.
    package var ahead = 16
    /// Whether what was set aside earlier is tried again.
    package var retriesSetAside = false
    /// What earlier runs left on hand: it must come again before anything that came after it.
    package var awaited = Awaited()
    /// Whether the source numbers its messages, so that their order is known whatever comes when.
    package var numbersMessages = false
    /// Whether the machine went down that this ran on: nobody closed its links.
    package var isAfterPowerCut = false
    /// How long nothing is taken at first, in nanoseconds: a process before this one left without a word, and the bus is given the time
    /// to notice.
    package var holdOff: Int64 = 0
    /// How old what the bus says of links on the queue may be, in nanoseconds; nil where nobody can be asked.
    package var linksLag: Int64?
    /// How long it is waited for what was on hand when the bus ended the link to the source, from the next link on, in nanoseconds. Where
    /// the bus may not know yet that the link is dead, the longer one of this and of what `sourceAttached` says.
    package var returnLimit: Int64 = 60_000_000_000
    /// How long outcomes are awaited once the queue has stopped with words, in nanoseconds.
    package var stopLimit: Int64 = 20_000_000_000
    /// After how long without any outcome it is told that the target is silent, in nanoseconds.
    package var silenceLimit: Int64 = 60_000_000_000
    /// Ends when nothing has come for so many nanoseconds.
    package var idle: Int64?
    /// For error texts: "forward a/q to b/q".
    package var tried = ""
    package init() {}
  }

  enum State: Sendable, Equatable {
    case waiting
    case journaling(UInt64)
    case ready
    case onItsWay
    case refused(String)
    /// Held on the source.
    case aside
    case gone
  }

  struct Item: Sendable {
    let number: UInt64
    let fingerprint: Fingerprint
    let messageID: String?
    let sender: String
    let size: Int
    let arrivedAt: Int64
    var serial: UInt64
    var state = State.waiting
    /// Why it may arrive twice, to be listed before it leaves.
    var duplicate: PossibleDuplicate.Reason?
    /// It may be at the target already.
    var mayHaveArrived = false
    var isJournaled = false
    /// On its way when the peer ended the link: sent alone from now on.
    var isSuspect = false
    var lossesAlone = 0
    var isOnSource = true

    /// On hand, and nothing of it is written or sent at this moment.
    var isWaitingHere: Bool { self.isOnSource && (self.state == .waiting || self.state == .ready) }
  }

  /// What the source was told that it may give.
  struct Taking: Equatable, Sendable {
    var window = 0
    var kept = 0
  }

  enum Link: Equatable, Sendable {
    case none
    case retry(at: Int64)
    /// The bus is asked whether any link is left on the queue.
    case seeking
    case attaching
    case attached
  }

  enum Phase: Equatable, Sendable {
    case running
    /// Outcomes are awaited, and nothing more is sent.
    case stopping(Ending, deadline: Int64?)
    case ended
  }

  let settings: Settings
  var bound: HandBound
  var taking = Taking()
  /// The greatest window on the present link.
  var widest = 0
  var holdLimit: Int64?
  /// What waited was let go: what is on its way is awaited, and then the link is made anew.
  var isLettingGo = false
  package internal(set) var counts = ForwardingCounts()
  var items: Deque<Item> = []
  var base: UInt64 = 1
  var phase = Phase.running
  var isPaused = false
  var target = Link.none
  var targetEpoch = 0
  var source = Link.none
  var sourceEpoch = 0
  /// Whether it is asked for links before one is attached.
  var isSeeking = false
  var maximumSize: UInt64?
  /// Nothing before it waits to be journaled or sent.
  var cursor: UInt64 = 1
  /// Journaling, ready or on its way.
  var underWay = 0
  var suspects = 0
  var batch: UInt64 = 0
  /// Batches that are being written: the first and the last number in each.
  var batches: [UInt64: ClosedRange<UInt64>] = [:]
  /// The latest accepted number of each sender, while something before it is open.
  var lastAccepted: [String: UInt64] = [:]
  var lost: [UInt64] = []
  /// A target that loses what it accepts where its queue is gone: `accepted` counts once the queue was seen after it.
  var losesUnseen = false
  /// Accepted, and the queue not seen since. They are on their way still.
  var unseen: [UInt64] = []
  /// Those that the look under way is for.
  var lookedFor: [UInt64] = []
  var look = 0
  /// What waits in the sender is being taken back: nothing is sent before it is known what that was.
  var isWithdrawing = false
  /// When something was last sent with nothing on its way before it, or an outcome came.
  var lastOutcome: Int64 = 0
  var isSilent = false
  /// What lost links held, and what came before its turn.
  var returns = ReturnOrder()
  /// Counted from the next link on; nil before that.
  var returnsUntil: Int64?
  /// Whether people have been told.
  var isWaitingForReturns = false
  /// When the source is asked for one more, to see whether what is owed comes now; nil while it may give more anyway.
  var nextLook: Int64?
  /// How many were held when that was decided.
  var earlyAtLook = 0
  /// How often in a row what came lay behind what is owed.
  var looks = 0
  /// How often in a row the link was left while something was owed.
  var lettings = 0
  /// Was let go over the present link.
  var lettingGo: [(number: UInt64, fingerprint: Fingerprint)] = []
  /// Whether what came last had been handed out before: more like it may lie before what is new.
  var latestWasReturned = false
  /// What was held is on its way through the shell.
  var isReleasing = false
  var connectionLosses = 0
  var failuresInRow = 0
  var tokens: Double
  var tokensAt: Int64 = 0
  var lastArrival: Int64 = 0
  var actions: [Action] = []
  /// Gathered over one event.
  var settling: [UInt64] = []
  var forgotten: [UInt64] = []
  var notes: [JournalRecord] = []
  var milliseconds: Int64 = 0
  private var now: Int64 = 0

  package init(_ settings: Settings) {
    self.settings = settings
    self.bound = HandBound(most: settings.ahead)
    self.tokens = settings.rate.map { min(Double($0), 1) } ?? 0
  }

  package var hasEnded: Bool { self.phase == .ended }

  /// - Parameters:
  ///   - now: nanoseconds on a clock that never goes back.
  ///   - milliseconds: since 1970, for the journal.
  package mutating func handle(_ event: Event, now: Int64, milliseconds: Int64) -> [Action] {
    guard self.phase != .ended else { return [] }
    self.milliseconds = milliseconds
    self.now = now
    var wasOwed = !self.returns.isEmpty || self.isReleasing
    let source = self.sourceEpoch
    defer { self.isWaitingForReturns = self.isWaitingForReturns && (!self.returns.isEmpty || self.isReleasing) }
    switch event {
    case .started:
      self.lastArrival = now
      self.returns.await(self.settings.awaited, isNumbered: self.settings.numbersMessages)
      if self.settings.awaited != Awaited() { self.noteOwed() }
      wasOwed = !self.returns.isEmpty
      // What it had on hand and not yet in the journal is known to nobody.
      if self.settings.holdOff > 0 { self.source = .retry(at: now + self.settings.holdOff) }
      // Of something on hand it is seen by its coming again that the bus knows of the dead link.
      if let lag = self.settings.linksLag, !self.settings.isAfterPowerCut, self.returns.waitsForTime {
        self.isSeeking = true
        self.source = .retry(at: now + max(lag, self.settings.holdOff))
      }
      if self.settings.holdOff > Self.firstPause {
        self.tellOfReturns(
          "nothing is taken for \(self.settings.holdOff / 1_000_000_000) s: this machine went down while messages were on hand")
      }
    case .targetAttached(let epoch, let maximumSize, let losesUnseen):
      guard epoch == self.targetEpoch, self.target == .attaching else { break }
      self.target = .attached
      self.maximumSize = maximumSize
      self.losesUnseen = losesUnseen
    case .targetFailed(let epoch, let failure):
      if epoch == self.targetEpoch { self.targetFailed(failure, now) }
    case .queueSeen(let epoch, let look):
      if epoch == self.targetEpoch, look == self.look { self.queueSeen(now) }
    case .queueNotSeen(let epoch, let failure, let unsent):
      guard epoch == self.targetEpoch else { break }
      for number in unsent { self.ended(number, .notSent, now) }
      self.targetFailed(failure, now)
    case .withdrawn(let epoch, let unsent):
      guard epoch == self.targetEpoch, self.isWithdrawing else { break }
      self.isWithdrawing = false
      for number in unsent { self.ended(number, .notSent, now) }
    case .linksSeen(let count):
      guard self.source == .seeking else { break }
      self.source = .retry(at: now)
      if count == 0 { self.returns.noticed() }
    case .sourceAttached(let epoch, let unnoticedLimit, let holdLimit):
      guard epoch == self.sourceEpoch, self.source == .attaching else { break }
      self.source = .attached
      self.holdLimit = holdLimit
      self.isLettingGo = false
      self.taking = Taking()
      self.widest = 0
      if !self.returns.isEmpty, self.returnsUntil == nil {
        let limit = self.settings.returnLimit
        let isNoticed = self.returns.isNoticed && !(self.settings.isAfterPowerCut && self.sourceEpoch == 1)
        self.returnsUntil = now + (isNoticed ? limit : max(limit, unnoticedLimit))
      }
      self.lastArrival = now
    case .sourceFailed(let epoch, let failure):
      if epoch == self.sourceEpoch { self.sourceFailed(failure, now) }
    case .arrived(let epoch, let arrivals):
      if epoch == self.sourceEpoch { self.arrived(arrivals, now) }
    case .arrivedAgain(let epoch, let arrivals):
      self.isReleasing = false
      if epoch == self.sourceEpoch { self.arrived(arrivals, now, isAgain: true) }
    case .journaled(let batch, let failure): self.journaled(batch, failure, now)
    case .ended(let epoch, let ends):
      if epoch == self.targetEpoch { for end in ends { self.ended(end.number, end.fate, now) } }
    case .timePassed: break
    case .paused:
      self.isPaused = true
      self.withdraw()
    case .resumed:
      self.isPaused = false
      self.lastArrival = now
    case .stopAsked(let deadline):
      switch self.phase {
      case .running:
        self.phase = .stopping(.asked, deadline: deadline)
        self.withdraw()
      case .stopping(let ending, let before):
        self.phase = .stopping(ending, deadline: min(before ?? deadline, deadline))
      case .ended: break
      }
    }
    self.advance(now)
    switch event {
    case .arrived(_, let arrivals), .arrivedAgain(_, let arrivals):
      if let first = arrivals.first { self.noteOnHand(from: first.number) }
    default: break
    }
    // What was held and goes on is noted first.
    if wasOwed, self.returns.isEmpty, !self.isReleasing {
      self.returnsUntil = nil
      self.lettings = 0
      self.notes.append(.nothingOwed(queue: self.settings.queue))
      if self.isWaitingForReturns { self.actions.append(.tell(nil)) }
    }
    return self.takeActions(source)
  }

  mutating func stop(_ error: ForwardingError) {
    guard case .running = self.phase else { return }
    self.phase = .stopping(.failed(error), deadline: self.now + self.settings.stopLimit)
    self.withdraw()
  }

  /// Nothing more is to leave: what waits in the sender comes back.
  mutating func withdraw() {
    guard self.target == .attached, self.counts.onTheirWay > self.unseen.count + self.lookedFor.count, !self.isWithdrawing else {
      return
    }
    self.isWithdrawing = true
    self.actions.append(.withdraw(epoch: self.targetEpoch))
  }

  /// - Parameter source: the link that what is settled now came on; another may have been asked for since.
  private mutating func takeActions(_ source: Int) -> [Action] {
    // Written before the source is told: what the source forgets is then known to have been accepted.
    if !self.notes.isEmpty { self.actions.insert(.note(self.notes), at: 0) }
    if !self.settling.isEmpty {
      let place = self.notes.isEmpty ? 0 : 1
      self.actions.insert(.settle(epoch: source, self.settling), at: place)
    }
    if !self.forgotten.isEmpty { self.actions.append(.forget(self.forgotten)) }
    self.notes.removeAll(keepingCapacity: true)
    self.settling.removeAll(keepingCapacity: true)
    self.forgotten.removeAll(keepingCapacity: true)
    defer { self.actions = [] }
    return self.actions
  }
}
