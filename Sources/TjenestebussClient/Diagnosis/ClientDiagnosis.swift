// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure

/// Why nothing moves, or that all is well: in one sentence, with whose it is to mend. Pure: made from a ``ClientStatus``.
public struct ClientDiagnosis: Sendable, Hashable, CustomStringConvertible {
  public struct Finding: Sendable, Hashable {
    public enum Weight: Int, Sendable, Hashable, Comparable {
      /// Nothing of that kind moves: no queue is received from, no bus is connected.
      case standstill
      /// Something does not move.
      case fault
      /// Worth knowing; may be quite in order.
      case note

      public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    public var weight: Weight
    /// Without content, without secrets.
    public var text: String
    public var owner: FaultOwner
    /// Nil when it is of no single bus.
    public var bus: BusName?
  }

  /// One queue that is received from or sent to.
  public struct Queue: Sendable, Hashable {
    public enum Use: String, Sendable, Hashable { case receiving, sending }

    public var bus: BusName
    public var queue: String
    public var use: Use
    /// In one sentence why nothing moves on it, or that messages move. Without content, without secrets.
    public var sentence: String
    public var weight: Finding.Weight
  }

  /// The weightiest first.
  public var findings: [Finding]
  /// Every queue that is received from, on each bus, and those that sends wait for: each with its sentence.
  public var queues: [Queue]
  private var wellBeing: String

  /// Whether there is nothing but notes.
  public var isWell: Bool { self.findings.allSatisfy { $0.weight == .note } }

  /// One sentence.
  public var sentence: String {
    guard let first = self.findings.first, !self.isWell else { return self.wellBeing }
    let others = self.findings.count { $0.weight != .note } - 1
    return "\(first.text) (\(first.owner.whose))\(others > 0 ? "; and \(others) more" : "")."
  }

  public var description: String { self.sentence }

  /// - Parameters:
  ///   - buses: the configured ones: a bus that the status does not name is not connected.
  ///   - isRunning: whether ``TjenestebussClient/run()`` runs.
  ///   - concurrency: how many handlers of a queue there are.
  ///   - links: what the connections of each bus say of themselves, with the queue that a link is attached to.
  init(
    _ status: ClientStatus, buses: [BusName], isRunning: Bool, concurrency: (QueueKind) -> Int, links: [LinkFinding] = []
  ) {
    var findings: [Finding] = []
    if !isRunning {
      findings.append(
        Finding(weight: .standstill, text: "run() does not run, so nothing is sent and no ping answered", owner: .caller))
    } else {
      findings += Self.sending(status, buses)
    }
    if let error = status.waitingForRegister {
      findings.append(
        Finding(
          weight: .standstill,
          text: "nothing is received, since our own queues are not known: [\(error.stableCode)] "
            + error.explanation.seen, owner: error.explanation.owner))
    }
    findings += Self.dialects(status)
    let receiving = Self.receiving(status)
    let handling = Self.handling(status, concurrency)
    findings += receiving.map(\.finding) + handling.map(\.finding)
    // Of handlers that fail more is known here than on the link.
    let told = Set(handling.filter { $0.finding.weight != .note }.map(\.place))
    let onLinks = links.filter { !($0.diagnosis.reason == .held && told.contains($0.place)) }
    findings += onLinks.map(\.finding)
    self.queues = Self.queues(status, receiving + handling, onLinks)
    // Stable, so that two looks at the same state say the same.
    self.findings = findings.enumerated().sorted { ($0.element.weight, $0.offset) < ($1.element.weight, $1.offset) }.map(
      \.element)
    let connected = buses.count { status.sending[$0] == .connected }
    let attached = status.receivers.count { $0.state == .receiving }
    self.wellBeing =
      "all is well: \(connected) of \(buses.count) buses connected, \(attached) of \(status.receivers.count) receivers attached."
  }

  private static func sending(_ status: ClientStatus, _ buses: [BusName]) -> [Finding] {
    let connected = buses.count { status.sending[$0] == .connected }
    let weight: Finding.Weight = connected == 0 ? .standstill : .fault
    return buses.sorted().compactMap { bus in
      switch status.sending[bus] {
      case .connected?: nil
      case .connecting?, nil:
        Finding(weight: weight, text: "\(bus) is being connected to", owner: .network, bus: bus)
      case .waiting(_, let error)?, .ended(let error)?:
        Finding(
          weight: weight, text: "\(bus) cannot be sent to: [\(error.stableCode)] \(error.explanation.seen)",
          owner: error.explanation.owner, bus: bus)
      }
    }
  }

  private static func dialects(_ status: ClientStatus) -> [Finding] {
    status.dialects.sorted { $0.key < $1.key }.compactMap { bus, dialect in
      guard case .contradicted(let configured, let seen) = dialect else { return nil }
      return Finding(
        weight: .fault,
        text: "[TB-207] \(bus) says that it speaks \(seen.rawValue), and is configured as \(configured.rawValue)", owner: .caller,
        bus: bus)
    }
  }

  private static func receiving(_ status: ClientStatus) -> [(place: LinkFinding.Place, finding: Finding)] {
    struct Place: Hashable {
      var queue: String
      var kind: QueueKind
    }
    let places = Dictionary(grouping: status.receivers) { Place(queue: $0.queue, kind: $0.kind) }
    var findings: [(place: LinkFinding.Place, finding: Finding)] = []
    func add(_ bus: BusName, _ queue: String, _ finding: Finding) {
      findings.append((LinkFinding.Place(bus: bus, queue: queue, use: .receiving), finding))
    }
    for (place, receivers) in places.sorted(by: { $0.key.queue < $1.key.queue }) {
      let isReceived = receivers.contains { $0.state == .receiving }
      for receiver in receivers.sorted(by: { $0.bus < $1.bus }) {
        let what = "\(place.queue) on \(receiver.bus)"
        switch receiver.state {
        case .receiving: break
        case .connecting:
          add(
            receiver.bus, place.queue,
            Finding(
              weight: isReceived ? .note : .standstill, text: "\(what) is being attached to", owner: .network, bus: receiver.bus))
        case .queueMissing:
          // During a move a queue is on one bus before it is on the other: that is as it should be.
          add(
            receiver.bus, place.queue,
            Finding(
              weight: isReceived ? .note : .standstill,
              text: isReceived
                ? "\(what) does not exist, which is in order while the party is on the other bus only"
                : "\(place.queue) exists on no bus, \(receiver.bus) included", owner: .bus, bus: receiver.bus))
        case .waiting(_, let error), .ended(let error):
          add(
            receiver.bus, place.queue,
            Finding(
              weight: isReceived ? .fault : .standstill,
              text: "\(what) cannot be received from: [\(error.stableCode)] \(error.explanation.seen)",
              owner: error.explanation.owner, bus: receiver.bus))
        }
      }
    }
    return findings
  }

  private static func handling(
    _ status: ClientStatus, _ concurrency: (QueueKind) -> Int
  ) -> [(place: LinkFinding.Place, finding: Finding)] {
    status.receivers.sorted { ($0.queue, $0.bus) < ($1.queue, $1.bus) }.compactMap { receiver in
      let places = concurrency(receiver.kind)
      let what = "\(receiver.queue) on \(receiver.bus)"
      let place = LinkFinding.Place(bus: receiver.bus, queue: receiver.queue, use: .receiving)
      if receiver.failuresInARow >= places {
        return (
          place,
          Finding(
            weight: receiver.held >= places * 2 ? .standstill : .fault,
            text: "the handler has failed \(receiver.failuresInARow) times in a row on \(what), "
              + "\(receiver.held) messages are held back", owner: .caller, bus: receiver.bus)
        )
      }
      if receiver.atWork >= places {
        return (
          place,
          Finding(
            weight: .note, text: "all \(places) handlers of \(what) are at work, nothing more is begun before one ends",
            owner: .caller, bus: receiver.bus)
        )
      }
      return nil
    }
  }

  /// A sentence for each queue: its weightiest finding, or that messages move.
  private static func queues(
    _ status: ClientStatus, _ found: [(place: LinkFinding.Place, finding: Finding)], _ links: [LinkFinding]
  ) -> [Queue] {
    // Of two that weigh the same, the link's says more.
    let all = links.filter { !$0.place.queue.isEmpty }.map { ($0.place, $0.finding) } + found
    var weightiest: [LinkFinding.Place: Finding] = [:]
    for (place, finding) in all where weightiest[place].map({ finding.weight < $0.weight }) ?? true {
      weightiest[place] = finding
    }
    for receiver in status.receivers {
      let place = LinkFinding.Place(bus: receiver.bus, queue: receiver.queue, use: .receiving)
      if weightiest[place] == nil {
        weightiest[place] = Finding(
          weight: .note, text: "\(receiver.queue) on \(receiver.bus): messages are received as they come", owner: .caller,
          bus: receiver.bus)
      }
    }
    return weightiest.map { place, finding in
      Queue(bus: place.bus, queue: place.queue, use: place.use, sentence: finding.text, weight: finding.weight)
    }.sorted { ($0.queue, $0.bus, $0.use.rawValue) < ($1.queue, $1.bus, $1.use.rawValue) }
  }
}

extension FaultOwner {
  /// In words, as the end of a sentence.
  fileprivate var whose: String {
    switch self {
    case .caller: "ours to mend"
    case .network: "the network's to mend"
    case .bus: "the bus's to mend"
    case .addressRegister: "the address register's to mend"
    case .party: "the partner's to mend"
    case .host: "this machine's to mend"
    case .tjenestebuss: "this library's to mend"
    }
  }
}

extension TjenestebussClient {
  /// Why nothing moves, in one sentence and with whose it is to mend; or that all is well. ``ClientDiagnosis/queues`` has a
  /// sentence for each queue.
  ///
  /// - Parameter limits: what is taken for long.
  public func diagnose(limits: AMQPDiagnosis.Limits = AMQPDiagnosis.Limits()) async -> ClientDiagnosis {
    var links: [LinkFinding] = []
    for lane in self.lanes.values.sorted(by: { $0.endpoint.name < $1.endpoint.name }) {
      let endpoint = lane.dialect.spoken.map { lane.endpoint.speaking($0) } ?? lane.endpoint
      for client in lane.clients {
        links += await client.diagnoses(limits: limits).compactMap { LinkFinding($0, on: endpoint, among: self.status.receivers) }
      }
    }
    return ClientDiagnosis(
      self.status, buses: self.configuration.buses.map(\.name), isRunning: self.isRunning,
      concurrency: self.configuration.concurrency(of:), links: links)
  }
}
