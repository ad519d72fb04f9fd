// SPDX-License-Identifier: Apache-2.0

import BusModel
import Testing

@testable import AddressRegistry

@Suite("A record as bytes")
struct RecordContentTests {
  private func record(_ random: inout SeededGenerator) -> PartyRecord {
    func text() -> String {
      let lengths = [0, 1, 5, 127, 128, 300, 20_000]
      return String(
        repeating: ["a", "ø", "\u{1F600}", "\0"].randomElement(using: &random) ?? "a",
        count: lengths.randomElement(using: &random) ?? 0)
    }
    func address() -> PartyRecord.Address {
      PartyRecord.Address(typeCode: text(), text: text(), inherited: .random(using: &random))
    }
    var record = party(
      .random(in: 1...Int32.max, using: &random), name: text(),
      kind: [.organisation, .department, .service, .person, .unknown].randomElement(using: &random) ?? .unknown,
      parent: Bool.random(using: &random) ? .random(in: 1...Int32.max, using: &random) : nil, active: .random(using: &random),
      valid: .random(using: &random), addresses: (0..<Int.random(in: 0..<6, using: &random)).map { _ in address() })
    if Bool.random(using: &random) { record.organisationNumber = .random(in: .min ... .max, using: &random) }
    record.futureAddresses = (0..<Int.random(in: 0..<3, using: &random)).map { _ in
      PartyRecord.FutureAddress(address: address(), validFrom: text())
    }
    return record
  }

  @Test("comes back as it was, whatever is in it", arguments: 0..<100 as Range<UInt64>)
  func roundTrip(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let record = self.record(&random)
    #expect(try RecordContent.bytes(of: record).withUnsafeBytes { try RecordContent.record($0) } == record)
  }

  @Test("cut short or changed, it is another record or none, and never more than its bytes are read")
  func damaged() throws {
    var random = SeededGenerator(seed: 1)
    let bytes = RecordContent.bytes(of: family()[1])
    for count in 0..<bytes.count {
      let cut = Array(bytes.prefix(count))
      #expect(throws: RecordContent.Malformed.self) { try cut.withUnsafeBytes { try RecordContent.record($0) } }
    }
    for _ in 0..<2_000 {
      var changed = bytes
      changed[.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      _ = changed.withUnsafeBytes { try? RecordContent.record($0) }
    }
  }
}
