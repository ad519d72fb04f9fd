// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a person's command comes to.
public enum CommandOutcome: Sendable, Hashable {
  /// To be made durable in one: the record, then what it brings about.
  case done(CommandRecord, events: [MigrationEvent])
  /// It is so already, and nothing changes. `isKept`: the record is to be made durable, since its key must be known when it comes again.
  case already(CommandRecord, isKept: Bool)
  /// The same command came with this key before.
  case repeated(CommandBook.Entry)
  /// Another command came with this key before.
  case keyReused
  case refused(Refusal)
}

extension MigrationState {
  /// Decides on all of a command: all of it or nothing.
  ///
  /// - Parameter inputs: in order; each is decided on what the ones before it leave. Of parties that share a group the first one counts.
  public func decide(_ inputs: [MigrationInput], as record: CommandRecord, now: Instant) -> CommandOutcome {
    switch self.commands.word(on: record, now: now) {
    case .same(let entry): return .repeated(entry)
    case .other: return .keyReused
    case .unknown: break
    }
    var after = self
    var events: [MigrationEvent] = []
    var already: String?
    var met: Set<Roster.Key> = []
    for (index, input) in inputs.enumerated() {
      if let key = after.group(meantBy: input), !met.insert(key).inserted { continue }
      switch after.decide(input, now: now) {
      case .refused(let refusal):
        guard let status = after.alreadySo(input, refusal) else { return .refused(refusal) }
        already = already ?? status
      case .events(let found):
        events += found
        // Whoever comes last leaves nothing to decide on.
        guard index < inputs.count - 1 else { break }
        for event in found {
          guard after.apply(event, at: now) else {
            return .refused(Refusal(.incomplete, tried: "carry out \(record.verb)", seen: "\(event.kind) does not fit"))
          }
        }
      }
    }
    var record = record
    record.kinds = events.map(\.kind)
    guard events.isEmpty, let already else { return .done(record, events: events) }
    record.status = already
    return .already(record, isKept: record.key != nil)
  }

  /// The group that an input changes as a whole, when it names one of its parties.
  private func group(meantBy input: MigrationInput) -> Roster.Key? {
    switch input {
    case .release(let pulje, let herID, _), .quarantine(let pulje, let herID, _, _), .readmit(let pulje, let herID, _),
      .waive(let pulje, let herID, _, _, _), .except(let pulje, let herID, _), .approveForwarding(let pulje, let herID, _),
      .pauseForwarding(let pulje, let herID, _, _), .resumeForwarding(let pulje, let herID, _),
      .endForwarding(let pulje, let herID, _, _), .retire(let pulje, let herID, _), .approveRemoval(let pulje, let herID, _):
      self.puljer[pulje]?.group(of: herID).map { Roster.Key(pulje: pulje, group: $0) }
    case .seal, .begin, .start, .pause, .resume, .rollBack, .accept, .group, .signTest, .stopTheLine, .releaseTheLine, .closeBus,
      .daemonStarted:
      nil
    }
  }

  // MARK: what is so already

  /// The status of what was refused because it is so already; nil for a real no. That a refusal sounds like it is not enough where
  /// something that was asked for may be left undone.
  private func alreadySo(_ input: MigrationInput, _ refusal: Refusal) -> String? {
    switch input {
    case .pause, .pauseForwarding: refusal.code == .pauseUnchanged ? "already_paused" : nil
    case .resume, .resumeForwarding: refusal.code == .pauseUnchanged ? "already_resumed" : nil
    case .release: refusal.code == .notHeld ? "already_resumed" : nil
    case .begin, .start: refusal.code == .alreadyStarted ? "already_started" : nil
    case .stopTheLine: refusal.code == .pauseUnchanged ? "already_stopped" : nil
    case .releaseTheLine: refusal.code == .pauseUnchanged ? "already_released" : nil
    case .quarantine: refusal.code == .quarantined ? "already_quarantined" : nil
    case .readmit: refusal.code == .notHeld ? "already_readmitted" : nil
    case .rollBack(let name, let herIDs, _, _):
      refusal.code == .alreadyGoingBack && self.isBack(name, herIDs) ? "already_rolled_back" : nil
    case .accept(let name, _): self.isAccepted(name) ? "already_accepted" : nil
    case .retire(let name, let herID, _):
      [.retired, .removed].contains(self.phase(of: herID, in: name)) ? "already_retired" : nil
    case .approveRemoval(let name, let herID, _): self.phase(of: herID, in: name) == .removed ? "already_removed" : nil
    case .approveForwarding(let name, let herID, let order):
      refusal.code == .pauseUnchanged && self.forwarding(of: herID, in: name)?.order == order ? "already_approved" : nil
    case .endForwarding(let name, let herID, _, _):
      refusal.code == .noForwarding && self.forwarding(of: herID, in: name) != nil ? "already_ended" : nil
    case .closeBus(let closing, _): self.closedBuses[closing.bus] != nil ? "already_closed" : nil
    case .seal, .waive, .except, .group, .signTest, .daemonStarted: nil
    }
  }

  private func phase(of herID: HerID, in name: PuljeName) -> GroupPhase? {
    guard let pulje = self.puljer[name], let group = pulje.group(of: herID) else { return nil }
    return pulje.groups[group]?.phase
  }

  private func forwarding(of herID: HerID, in name: PuljeName) -> ForwardingLedger? {
    guard let pulje = self.puljer[name], let group = pulje.group(of: herID) else { return nil }
    return pulje.groups[group]?.forwarding
  }

  /// Every group that is meant is on its way back or back, or never left.
  private func isBack(_ name: PuljeName, _ herIDs: [HerID]?) -> Bool {
    guard let pulje = self.puljer[name] else { return false }
    let meant = herIDs.map { Set($0.compactMap(pulje.group(of:))) }
    return pulje.groups.allSatisfy { group in
      meant.map { !$0.contains(group.id) } ?? false || group.direction == .back || group.phase == .withdrawn
    }
  }

  /// Every group that awaited the decision has it.
  private func isAccepted(_ name: PuljeName) -> Bool {
    guard let pulje = self.puljer[name] else { return false }
    let awaited = pulje.groups.filter { $0.quarantine == nil && $0.direction == .forward && $0.phase != .withdrawn }
    return !awaited.isEmpty && awaited.allSatisfy { [.accepted, .retired, .removed].contains($0.phase) }
  }
}
