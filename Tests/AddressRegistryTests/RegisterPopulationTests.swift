// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing
import TjenestebussTesting

@Suite("The made-up register: the same from a seed, in the shapes of the real one, and nobody in it exists")
struct RegisterPopulationTests {
  private let records = RegisterPopulation(count: 8_000, seed: 7).records()

  @Test("the same seed gives the same parties, another one others; a smaller one is the beginning of a bigger one")
  func deterministic() {
    #expect(RegisterPopulation(count: 8_000, seed: 7).records() == self.records)
    #expect(RegisterPopulation(count: 8_000, seed: 8).records() != self.records)
    #expect(RegisterPopulation(count: 500, seed: 7).records() == Array(self.records.prefix(500)))
  }

  @Test("hospitals with hundreds that inherit, offices with one, municipalities between; HER-IDs rise, parents come first")
  func shapes() {
    var below: [HerID: Int] = [:]
    var seen: Set<HerID> = []
    for record in self.records {
      #expect(record.herID.value < 1_000_000)
      #expect(seen.insert(record.herID).inserted)
      if let parent = record.parent {
        #expect(seen.contains(parent))
        below[parent, default: 0] += 1
      } else {
        #expect(record.kind == .organisation)
      }
    }
    #expect(self.records.map(\.herID) == self.records.map(\.herID).sorted())
    let sizes = below.values
    #expect(sizes.contains { $0 >= 200 })
    #expect(sizes.contains { (15..<65).contains($0) })
    #expect(sizes.filter { $0 == 1 }.count > 20)
    let inheriting = self.records.filter { $0.addresses.contains { $0.inherited && $0.queueKind != nil } }
    #expect(inheriting.count > self.records.count / 3)
    #expect(RegisterPopulation().records().count == 100_000)
    #expect(self.records.contains { !$0.active })
    #expect(self.records.contains { !$0.futureAddresses.isEmpty })
    #expect(self.records.contains { $0.addresses.allSatisfy { $0.queueKind == nil } })
  }

  @Test("names say that they are made up, numbers are none that are given out, mail goes nowhere")
  func invented() {
    let words = ["oppdikt", "innbilt", "fiktiv", "tenkt", "påfunnet", "uvirkelig", "diktet"]
    for record in self.records {
      #expect(words.contains { record.name.lowercased().contains($0) })
      #expect(record.organisationNumber.map { $0 < 200_000_000 } == true)
      for address in record.addresses where address.queueKind == nil { #expect(address.text.hasSuffix("@edi.example.no")) }
    }
  }

  @Test("what it says is inherited is what the register works out")
  func consistent() {
    let state = AddressRegisterState(records: self.records)
    #expect(state.records == self.records)
  }
}
