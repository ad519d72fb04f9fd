// SPDX-License-Identifier: Apache-2.0

import BusModel

extension PuljeRequest {
  /// An organisation with everything of it that the registry knows: itself and its services.
  public struct Organisation: Sendable, Hashable, Codable {
    /// The national organisation number.
    public var number: Int32
    public var vendor: String
    public var listens: Party.Listens
    public var startConfirmed: Bool

    public init(number: Int32, vendor: String, listens: Party.Listens = .one, startConfirmed: Bool = false) {
      self.number = number
      self.vendor = vendor
      self.listens = listens
      self.startConfirmed = startConfirmed
    }
  }

  /// The request with the organisations' parties in it, and what was left out of them, with the reason. A party that is named by
  /// itself is as it says there.
  ///
  /// - Parameter source: parties of an organisation that are on no queue of this bus have nothing to move.
  public func expanded(by records: some Sequence<PartyRecord>, source: Bus?) -> (request: PuljeRequest, leftOut: [LeftOut]) {
    guard !self.organisations.isEmpty else { return (self, []) }
    var byNumber: [Int32: [PartyRecord]] = [:]
    for record in records { if let number = record.organisationNumber { byNumber[number, default: []].append(record) } }
    var request = self
    var leftOut: [LeftOut] = []
    var named = Set(self.parties.map(\.herID))
    for organisation in self.organisations {
      let found = byNumber[organisation.number] ?? []
      if found.isEmpty {
        leftOut.append(LeftOut(organisation: organisation.number, herID: nil, why: "nobody known has this number"))
      }
      for record in found.sorted(by: { $0.herID < $1.herID }) where named.insert(record.herID).inserted {
        if let why = Self.nothingToMove(record, source: source) {
          leftOut.append(LeftOut(organisation: organisation.number, herID: record.herID, why: why))
        } else {
          request.parties.append(
            Party(
              herID: record.herID, vendor: organisation.vendor, listens: organisation.listens,
              startConfirmed: organisation.startConfirmed))
        }
      }
    }
    return (request, leftOut)
  }

  public struct LeftOut: Sendable, Hashable, Codable {
    public var organisation: Int32
    /// nil when nobody of the organisation is known.
    public var herID: HerID?
    public var why: String
  }

  private static func nothingToMove(_ record: PartyRecord, source: Bus?) -> String? {
    if !record.active || !record.valid { return "it is inactive or invalid" }
    let queues = record.queues
    if queues.isEmpty { return "it has no AMQP queue" }
    guard let source else { return nil }
    // What cannot be read is no reason to leave it out: the plan says what is wrong with it.
    let isElsewhere = queues.allSatisfy { address in (try? QueueAddress(text: address.text)).map { !source.holds($0) } ?? false }
    return isElsewhere ? "none of its queues is on \(source.name)" : nil
  }
}
