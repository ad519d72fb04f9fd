// SPDX-License-Identifier: Apache-2.0

import BusModel

/// A made-up register of any size in the shapes that the real one has: hospitals with hundreds of services that inherit their
/// organisation's queues, municipalities with some dozens, offices with a doctor or two. The same seed gives the same parties.
///
/// Nobody in it exists: names say that they are made up, and organisation numbers begin with a digit that none is given out with.
public struct RegisterPopulation: Sendable {
  /// How many parties. Default 100,000.
  public var count: Int
  public var seed: UInt64
  /// What most queue addresses begin with, and the others: the ones that have moved.
  public var home: String
  public var moved: String
  /// How many of a hundred organisations have moved. Default 10.
  public var movedPercent: Int

  public init(
    count: Int = 100_000, seed: UInt64 = 1, home: String = "sb.test.nhn.no/DigitalDialog",
    moved: String = "tb.test.nhn.no/NHNTESTServiceBus", movedPercent: Int = 10
  ) {
    self.count = count
    self.seed = seed
    self.home = home
    self.moved = moved
    self.movedPercent = movedPercent
  }

  /// The parties, in order of HER-ID: each organisation before those below it.
  public func records() -> [PartyRecord] {
    var maker = Maker(population: self, draw: Draw(state: self.seed))
    maker.records.reserveCapacity(self.count)
    while maker.records.count < self.count { maker.organisation() }
    return maker.records
  }

  /// SplitMix64: small, and the same everywhere.
  private struct Draw {
    var state: UInt64

    mutating func next() -> UInt64 {
      self.state &+= 0x9E37_79B9_7F4A_7C15
      var z = self.state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }

    /// Below `bound`.
    mutating func below(_ bound: Int) -> Int { Int(self.next() % UInt64(bound)) }

    mutating func percent(_ percent: Int) -> Bool { self.below(100) < percent }
  }

  private struct Maker {
    let population: RegisterPopulation
    var draw: Draw
    var records: [PartyRecord] = []
    private var lastHerID: Int32 = 1_000
    private var organisations: Int32 = 0

    private static let wards = [
      "Oppdiktet poliklinikk", "Innbilt sengepost", "Tenkt laboratorium", "Fiktivt radiologisk senter", "Påfunnet dagkirurgi",
      "Uvirkelig akuttmottak", "Diktet habilitering",
    ]
    private static let services = [
      "Innbilt hjemmetjeneste", "Fiktiv helsestasjon", "Oppdiktet sykehjem", "Tenkt legevakt", "Påfunnet fysioterapi",
      "Uvirkelig tildelingskontor",
    ]
    private static let places = [
      "Tulledal", "Skrønevik", "Eventyrnes", "Luftslott", "Ønskeby", "Fabelhaug", "Røverfjord", "Åsgårdmo",
    ]

    init(population: RegisterPopulation, draw: Draw) {
      self.population = population
      self.draw = draw
    }

    private mutating func nextHerID() -> HerID? {
      self.lastHerID += 1 + Int32(self.draw.below(8))
      return HerID(self.lastHerID)
    }

    mutating func organisation() {
      self.organisations += 1
      let place = Self.places[self.draw.below(Self.places.count)]
      // A hospital weighs as many parties as a thousand doctors' offices, so it comes seldom.
      switch self.draw.below(1_000) {
      case 0..<8:
        let name = "Oppdiktet sykehus \(place) \(self.organisations)"
        self.family(name, below: 200 + self.draw.below(600), names: Self.wards, inheriting: 96, persons: 2)
      case 8..<70:
        let name = "\(place) oppdiktede kommune \(self.organisations)"
        self.family(name, below: 15 + self.draw.below(50), names: Self.services, inheriting: 60, persons: 10)
      default:
        let name = "Innbilt legekontor \(place) \(self.organisations)"
        self.family(name, below: 1 + self.draw.below(4), names: ["Oppdiktet allmennlege"], inheriting: 85, persons: 75)
      }
    }

    private mutating func family(_ name: String, below: Int, names: [String], inheriting: Int, persons: Int) {
      guard let organisation = self.nextHerID() else { return }
      let number = 100_000_000 + self.organisations
      let bus = self.draw.percent(self.population.movedPercent) ? self.population.moved : self.population.home
      let active = !self.draw.percent(2)
      let own = self.queues(organisation, bus) + self.mail(organisation, inherited: false)
      self.add(
        PartyRecord(
          herID: organisation, name: name, kind: .organisation, parent: nil, active: active, valid: false, addresses: own,
          organisationNumber: number, futureAddresses: self.future(organisation, on: bus)))
      for index in 0..<below {
        guard self.records.count < self.population.count, let herID = self.nextHerID() else { return }
        let isPerson = self.draw.percent(persons)
        let inherits = self.draw.percent(inheriting)
        var addresses: [PartyRecord.Address]
        if inherits {
          addresses = own.map { PartyRecord.Address(typeCode: $0.typeCode, text: $0.text, inherited: true) }
        } else {
          addresses = self.queues(herID, bus) + self.mail(organisation, inherited: true)
        }
        // Some can only be reached by mail.
        if isPerson, self.draw.percent(10) { addresses.removeAll { $0.queueKind != nil } }
        self.add(
          PartyRecord(
            herID: herID, name: "\(names[self.draw.below(names.count)]) \(index + 1), \(name)",
            kind: isPerson ? .person : .service,
            parent: organisation, active: active && !self.draw.percent(1), valid: true, addresses: addresses,
            organisationNumber: number))
      }
    }

    private mutating func add(_ record: PartyRecord) {
      if self.records.count < self.population.count { self.records.append(record) }
    }

    private func queues(_ owner: HerID, _ bus: String) -> [PartyRecord.Address] {
      let base = "\(bus)/\(owner)_"
      return [
        PartyRecord.Address(typeCode: "E_SB_ASYNC", text: base + "async", inherited: false),
        PartyRecord.Address(typeCode: "E_SB_SYNC", text: base + "sync", inherited: false),
        PartyRecord.Address(typeCode: "E_SB_ERROR", text: base + "error", inherited: false),
      ]
    }

    private func mail(_ owner: HerID, inherited: Bool) -> [PartyRecord.Address] {
      [PartyRecord.Address(typeCode: "E_EDI", text: "oppdiktet-\(owner)@edi.example.no", inherited: inherited)]
    }

    /// One of a hundred is scheduled to change by itself.
    private mutating func future(_ owner: HerID, on bus: String) -> [PartyRecord.FutureAddress] {
      guard bus == self.population.home, self.draw.percent(1) else { return [] }
      return self.queues(owner, self.population.moved).map {
        PartyRecord.FutureAddress(address: $0, validFrom: "2099-01-01T00:00:00")
      }
    }
  }
}
