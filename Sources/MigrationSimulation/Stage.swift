// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What every history begins with: two buses, six groups, their entries in the register. Worked out once.
struct Stage: Sendable {
  static let day: Int64 = 86_400_000
  static let hour: Int64 = 3_600_000
  static let minute: Int64 = 60_000

  /// Senders are parties too, with numbers from here on.
  static let firstSender: Int32 = 500_000

  let source = Bus(name: "servicebus", dialect: .serviceBusWindowsServer, hosts: ["sb.example"], path: "NHN")
  let target = Bus(name: "tjenestebuss", dialect: .rabbitMQ4AddressV2, hosts: ["tb.example"], path: "NHN")
  let name: PuljeName
  let records: [PartyRecord]
  let hashes: [HerID: RecordHash]
  /// The party whose entry is written, by group.
  let owners: [HerID]
  let groupOf: [HerID: Int]
  /// The number of a queue; those that only carry dead letters or replies are not in it.
  let queueOf: [QueueAddress: Int]
  private let destinationByText: [String: Traffic.Destination]
  let family: Family

  /// What the parties below an organisation are, and how far a write for it reaches.
  enum Family: Sendable, Hashable, CaseIterable {
    /// They inherit its queues, and follow it.
    case heirs
    /// One names its queues as its own: it is written by itself.
    case ownEntries
    /// The same, and the write for the organisation takes it along.
    case takenAlong
    /// The same, and it is flagged for its organisation's queue when it moves.
    case joining

    /// - Parameter seed: nil for a calm history.
    static func of(seed: UInt64?) -> Family {
      switch seed.map({ $0 % 7 }) {
      case 1: .takenAlong
      case 3: .joining
      case 5: .ownEntries
      default: .heirs
      }
    }

    var scope: PuljeRequest.Scope { self == .takenAlong ? .servicesBelow : .herID }
  }

  private struct Kind: Hashable {
    var groups: Int
    var family: Family
  }

  private static let cached: [Kind: Stage] = {
    var cached: [Kind: Stage] = [:]
    for groups in [2, 6] {
      for family in Family.allCases { cached[Kind(groups: groups, family: family)] = Stage(groups: groups, family: family) }
    }
    return cached
  }()

  static func with(groups: Int, family: Family) -> Stage? {
    self.cached[Kind(groups: groups, family: family)] ?? Stage(groups: groups, family: family)
  }

  private init?(groups: Int, family: Family) {
    self.family = family
    guard let name = PuljeName("pulje-1") else { return nil }
    self.name = name
    var records: [PartyRecord] = []
    var owners: [HerID] = []
    var groupOf: [HerID: Int] = [:]
    var queueOf: [QueueAddress: Int] = [:]
    var destinationByText: [String: Traffic.Destination] = [:]
    for group in 0..<groups {
      let base = Int32(100 * (group + 1))
      let size: Int32 = group.isMultiple(of: 3) ? 3 : 1
      for offset in 0..<size {
        guard let herID = HerID(base + offset) else { return nil }
        if offset == 0 { owners.append(herID) }
        groupOf[herID] = group
        let inherits = offset > 0 && (family == .heirs || offset > 1)
        records.append(
          Self.record(herID, queues: base, parent: offset == 0 ? nil : HerID(base), inherits: inherits, host: "sb.example"))
      }
      for (kind, queue) in QueueKind.inRegister.enumerated() where kind < Traffic.kinds {
        for (bus, host) in [(Traffic.source, "sb.example"), (Traffic.target, "tb.example")] {
          let address = QueueAddress(host: host, path: "NHN", queue: "\(base)_\(queue.rawValue)")
          queueOf[address] = Traffic.queue(group, kind, bus)
          destinationByText["\(host)/NHN/\(base)_\(queue.rawValue)"] = Traffic.Destination(group: group, bus: bus)
        }
      }
    }
    self.records = records
    self.owners = owners
    self.groupOf = groupOf
    self.queueOf = queueOf
    self.destinationByText = destinationByText
    self.hashes = Dictionary(uniqueKeysWithValues: records.map { ($0.herID, $0.hash) })
  }

  private static func record(_ herID: HerID, queues: Int32, parent: HerID?, inherits: Bool, host: String) -> PartyRecord {
    var addresses = QueueKind.inRegister.map {
      PartyRecord.Address(typeCode: $0.registerCode ?? "", text: "\(host)/NHN/\(queues)_\($0.rawValue)", inherited: inherits)
    }
    addresses.append(PartyRecord.Address(typeCode: "E_EDI", text: "edi\(herID)@example.no", inherited: false))
    return PartyRecord(
      herID: herID, name: "Party \(herID)", kind: parent == nil ? .organisation : .service, parent: parent, active: true,
      valid: true, addresses: addresses)
  }

  /// Parties that name their queues as their own though they stand below an organisation.
  func ownsBelow(_ record: PartyRecord) -> Bool {
    record.parent != nil && record.addresses.contains { $0.queueKind != nil && !$0.inherited }
  }

  /// Where a sender that reads `record` brings its messages: whose queues, on which bus. nil when the entry names none that is.
  func destination(_ record: PartyRecord) -> Traffic.Destination? {
    guard let text = record.addresses.first(where: { $0.queueKind != nil })?.text else { return nil }
    return self.destinationByText[text]
  }

  /// Whether all queues of an entry are on one bus.
  static func isWhole(_ record: PartyRecord) -> Bool {
    Set(record.addresses.filter { $0.queueKind != nil }.map { $0.text.prefix(3) }).count <= 1
  }
}
