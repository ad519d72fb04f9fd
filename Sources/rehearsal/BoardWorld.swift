// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Register and buses that answer at once: most parties as they should, some not.
final class BoardWorld {
  private var register: [HerID: PartyRecord]
  private let children: [HerID: [HerID]]
  private var looks: [String: Int] = [:]
  private var written = 0

  init(_ records: [PartyRecord]) {
    self.register = Dictionary(records.map { ($0.herID, $0) }, uniquingKeysWith: { first, _ in first })
    var children: [HerID: [HerID]] = [:]
    for record in records { if let parent = record.parent { children[parent, default: []].append(record.herID) } }
    self.children = children
  }

  /// One in so many.
  private static func isOne(in count: Int32, _ herID: HerID) -> Bool { herID.value % count == 0 }

  func write(_ order: WriteOrder) {
    self.written += 1
    self.register[order.herID] = order.goal
    // Somebody else was there as well.
    if self.written == 400 { self.register[order.herID]?.name += " (ny)" }
    for child in self.children[order.herID] ?? [] {
      guard var heir = self.register[child] else { continue }
      for index in heir.addresses.indices where heir.addresses[index].inherited {
        let code = heir.addresses[index].typeCode
        if let text = order.goal.addresses.first(where: { $0.typeCode == code })?.text { heir.addresses[index].text = text }
      }
      self.register[child] = heir
    }
  }

  func answer(_ call: PortCall) -> PortAnswer {
    switch call {
    case .read(let herID): return self.register[herID].map { .record($0) } ?? .notRead("no such party")
    case .preflight(_, let queues, _, _):
      let findings = PreflightCheck.allCases.map { Finding($0, .passed, seen: "seen at the bus: it is as it should be") }
      return .checked(PreflightReport(findings: findings, baseline: self.readings(queues)))
    case .ping(let herID, let bus, _): return .pinged(Self.ping(herID, bus))
    case .look(let queues, _): return .looked(self.readings(queues))
    case .peek(let queues, _): return .sighted(queues.map { QueueSightings(queue: $0.address, sightings: [], isWhole: true) })
    case .hook: return .hook(.assented("CHG-7"))
    }
  }

  private static func ping(_ herID: HerID, _ bus: BusName) -> PingReport {
    let listens = !Self.isOne(in: 97, herID)
    return PingReport(
      herID: herID, bus: bus,
      findings: [
        Finding(.accepted, .passed, seen: "the bus accepted the ping"),
        Finding(.negativeControl, .passed, seen: "a send to a name that cannot exist was refused"),
        Finding(.consumer, listens ? .passed : .failed, seen: listens ? "1 consumer" : "nobody listens"),
        Finding(.depthFalls, listens ? .passed : .impossible, seen: "0 before, 0 after"),
        Finding(.echo, .impossible, seen: "no answer agreed"),
      ])
  }

  /// Most queues are empty; some fall slowly, some never.
  private func readings(_ queues: [GroupQueue]) -> [QueueReading] {
    queues.map { queue in
      guard QueueKind.inRegister.contains(queue.kind) else {
        return QueueReading(address: queue.address, kind: queue.kind, count: .absent)
      }
      let name = queue.address.queue
      let look = self.looks[name, default: 0]
      self.looks[name] = look + 1
      let number = Int(name.prefix { $0.isNumber }) ?? 1
      let isAsynchronous = queue.kind == .asynchronous
      let begun = isAsynchronous && number % 7 == 0 ? 40 + number % 60 : isAsynchronous && number % 31 == 0 ? 5 : 0
      let depth = number % 31 == 0 ? begun : max(0, begun - look)
      return QueueReading(
        address: queue.address, kind: queue.kind,
        count: .counted(depth: Int64(depth), arrivals: Int64(1_204), consumers: 1))
    }
  }
}
