// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Our own forwarder, as the daemon carries it: what the core says is to be carried is carried, in order, and told in totals.
extension Simulation {
  func forward() {
    self.agenda.enter(.forward, at: self.now + self.random.between(10 * Stage.minute, self.isStorm ? 6 * Stage.hour : Stage.hour))
    guard let daemon, !self.traffic.isDown[Traffic.source], !self.traffic.isDown[Traffic.target] else { return }
    var work = daemon.state.forwarding(now: self.clock)
    if self.settings.sabotage == .deafForwarder {
      let known = Set(work.map(\.group))
      work += daemon.lastWork.filter { !known.contains($0.group) }
      daemon.lastWork = work
    }
    for (pulje, group, work) in work {
      for route in work.routes {
        guard self.carry(route, pulje, group, daemon) else { return }
      }
    }
  }

  /// - Returns: false when the daemon died of it.
  private func carry(_ route: ForwardingWork.Route, _ pulje: PuljeName, _ id: GroupID, _ daemon: SimulatedDaemon) -> Bool {
    guard let from = self.stage.queueOf[route.from], let to = self.stage.queueOf[route.to], self.traffic.queues[to].exists else {
      return true
    }
    self.traffic.expire(from, at: self.now)
    var messages = self.traffic.take(from: from, by: .forwarder)
    if messages.isEmpty { return true }
    self.checkOrder(pulje, id)
    if self.settings.sabotage == .twoForwarders { messages.reverse() }
    self.reach(.messageForwarded)
    var count = daemon.carried[route.from] ?? ForwardingCount(run: "daemon-\(daemon.id)")
    var stopped = false
    // What is set aside lies where it lay, and is passed over from then on.
    var aside: [Int32] = []
    for (place, message) in messages.enumerated() {
      if self.asideAt[message] == from {
        aside.append(message)
        continue
      }
      count.received += 1
      if let reason = self.setsAside(message) {
        self.reach(.messageSetAside)
        self.asideAt[message] = from
        self.asideWhy[from, default: [:]][reason, default: 0] += 1
        self.traffic.setAside(message)
        count.leftAlone += 1
        aside.append(message)
        continue
      }
      let isDoubtful = self.doubtful[message] == from
      if isDoubtful { self.doubtful[message] = nil }
      if isDoubtful, self.random.chance(1, in: 2) {
        // The journal shows that the target had it before the last forwarder died.
        count.settledAgain += 1
        continue
      }
      if self.isStorm, self.random.chance(1, in: 60) {
        if self.settings.sabotage == .leakyForwarder {
          self.traffic.setFate(.lost, of: Int(message))
          count.accepted += 1
          continue
        }
        // Rejected: what was not accepted lies where it lay, in its order, and a person looks.
        count.leftAlone += 1
        self.traffic.giveBack(Array(messages[place...]), to: from)
        stopped = true
        break
      }
      if isDoubtful { count.possibleDuplicates += 1 }
      self.traffic.carry(message, to: to)
      count.accepted += 1
      if self.isStorm, self.random.chance(1, in: 60) {
        self.reach(.forwarderDied)
        self.traffic.putBack(Array(messages[place...]), to: from)
        self.traffic.giveBack(aside, to: from)
        self.doubtful[message] = from
        self.die(daemon)
        return false
      }
    }
    self.traffic.giveBack(aside, to: from)
    count.aside = self.asideWhy[from] ?? [:]
    count.notReturned = 0
    daemon.carried[route.from] = count
    self.agenda.enter(.poll(group: to / (2 * Traffic.kinds)), at: self.now + self.random.below(Stage.minute))
    _ = self.submit(.group(pulje, id, .forwarded(route.from, count)), daemon)
    if self.settings.sabotage == .forwarderBeside {
      // Another link carries every other message; each link is in order in itself.
      var other = count
      other.run += "b"
      _ = self.submit(.group(pulje, id, .forwarded(route.from, other)), daemon)
    }
    if stopped {
      _ = self.submit(.group(pulje, id, .forwardingStopped(route.from, code: "FWD-101", seen: "rejected")), daemon)
    }
    return daemon.isAlive
  }

  /// Too large for the other bus, or such that it ends the link over it: by the message, so that trying again changes nothing.
  private func setsAside(_ message: Int32) -> String? {
    guard self.settings.isStormy else { return nil }
    return message % 89 == 7 ? "tooLarge" : message % 97 == 11 ? "poison" : nil
  }

  /// What a history tells to be set aside on a queue is what the journal has, over all daemons that there were.
  func checkForwarded(_ group: GroupState, _ queue: QueueAddress, _ count: ForwardingCount) {
    guard let from = self.stage.queueOf[queue] else { return }
    let ledgers = [group.forwarding, group.forwardDrain?.forwarding].compactMap { $0 }
    let told = ledgers.first { ledger in ledger.totals.contains { $0.queue == queue } }?.total(of: queue).aside ?? [:]
    let known = self.asideWhy[from] ?? [:]
    if told != known { self.breach(.noMessageLost, "\(told) of \(queue) are told to be set aside, and \(known) are") }
  }

  /// What people have ordered, and nobody has paused, ended or stopped since, by what is durable.
  private func checkOrder(_ pulje: PuljeName, _ id: GroupID) {
    let state = self.store.folded
    let forwarding = state.puljer[pulje]?.groups[id]?.forwarding
    let isOrdered = forwarding.map { $0.stands && $0.pause == nil } ?? false
    if !isOrdered || state.stop != nil || state.puljer[pulje]?.pause != nil {
      self.breach(.pingerOnlyWrites, "messages of \(id) are taken by us, and nobody has ordered it")
    }
  }
}
