// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// What every history begins with: two buses, six groups, their entries in the register. Worked out once.
struct Stage: Sendable {
  static let day: Int64 = 86_400_000
  static let hour: Int64 = 3_600_000
  static let minute: Int64 = 60_000

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

  private static let cached: [Int: Stage] = Dictionary(
    uniqueKeysWithValues: [2, 6].compactMap { count in Stage(groups: count).map { (count, $0) } })

  static func with(groups: Int) -> Stage? { self.cached[groups] ?? Stage(groups: groups) }

  private init?(groups: Int) {
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
        records.append(Self.record(herID, queues: base, parent: offset == 0 ? nil : HerID(base), host: "sb.example"))
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

  private static func record(_ herID: HerID, queues: Int32, parent: HerID?, host: String) -> PartyRecord {
    var addresses = QueueKind.inRegister.map {
      PartyRecord.Address(
        typeCode: $0.registerCode ?? "", text: "\(host)/NHN/\(queues)_\($0.rawValue)", inherited: parent != nil)
    }
    addresses.append(PartyRecord.Address(typeCode: "E_EDI", text: "edi\(herID)@example.no", inherited: false))
    return PartyRecord(
      herID: herID, name: "Party \(herID)", kind: parent == nil ? .organisation : .service, parent: parent, active: true,
      valid: true, addresses: addresses)
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
