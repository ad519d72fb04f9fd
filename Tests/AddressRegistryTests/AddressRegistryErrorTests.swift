// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Testing

@Suite("Every error of the registry explains itself")
struct AddressRegistryErrorTests {
  private let all: [AddressRegistryError] = [
    .cacheMissing(path: "p"), .cacheUnusable(path: "p", seen: "s"), .cacheReadOnly(path: "p", seen: "s"),
    .cacheForeign(path: "p", applicationID: 1), .cacheNewer(path: "p", version: 2, known: 1), .cacheCorrupt(path: "p", seen: "s"),
    .cacheRowDamaged(her(1), seen: "s"), .cacheFull(path: "p", seen: "s"), .cacheBusy(path: "p", seen: "s"),
    .cacheOlder(path: "p", version: 1, known: 2), .cacheOfOtherEnvironment(path: "p", environment: "test", wanted: "production"),
    .partyUnknown(her(1), askedRegister: true), .partyNotActive(her(1)), .addressMissing(her(1), .error),
    .addressMalformed(her(1), .error, text: "t"), .addressAmbiguous(her(1), .error, texts: ["a", "b"]),
    .addressOnNoBus(her(1), .error, QueueAddress(host: "h", path: "", queue: "q"), configured: ["b"]),
    .addressOnSeveralBuses(her(1), .error, QueueAddress(host: "h", path: "", queue: "q"), ["a", "b"]),
    .kindNotInRegister(.deadLetter), .tooStale(her(1), age: .seconds(9), limit: .seconds(5), because: "b"),
    .otherTransport(her(1), .error, typeCodes: ["E_EDI", "E_X"]),
    .importUnreadable(path: "p", seen: "s"), .importNotJSON(path: "p", seen: "s"),
    .importEntryInvalid(path: "p", entry: 1, herID: nil, field: "f", problem: "x"),
    .importDuplicate(path: "p", her(1), entries: [1, 2]), .importTableInvalid(path: "p", line: 2, problem: "x"),
    .registerUnreachable(url: "u", seen: "s"),
    .registerTimedOut(url: "u", after: .seconds(1)), .registerConnectionLost(url: "u", seen: "s"),
    .registerLoginRefused(url: "u", status: 401), .registerHTTPError(url: "u", status: 500),
    .registerAnswerUnreadable(url: "u", seen: "s"), .registerAnswerIncomplete(url: "u", missing: "m"),
    .registerFault(url: "u", code: "c", message: "m"), .registerValidationFault(url: "u", problems: ["p"]),
    .registerConfigurationInvalid("p"), .registerWriteNotConfigured("c"),
    .registerWriteUnconfirmed(her(1), seen: "s"), .tokenRefused(url: "u", error: "e", description: "d"),
    .tokenUnreadable(url: "u", seen: "s"), .signingKeyUnusable("s"),
  ]

  @Test("codes are these, in this order, each once")
  func codes() {
    let expected =
      (101...111).map { "AR-\($0)" } + (201...210).map { "AR-\($0)" } + (301...305).map { "AR-\($0)" }
      + (401...412).map { "AR-\($0)" } + (421...423).map { "AR-\($0)" }
    #expect(self.all.map(\.stableCode) == expected)
  }

  @Test("each says what was tried, seen, meant, what next")
  func explanations() {
    for error in self.all {
      let e = error.explanation
      #expect([e.tried, e.seen, e.meaning, e.next].allSatisfy { !$0.isEmpty }, "\(error.stableCode)")
      #expect(!e.meaning.contains("no explanation"), "\(error.stableCode)")
      #expect("\(error)".hasPrefix("[\(error.stableCode)] tried to "))
    }
  }
}
