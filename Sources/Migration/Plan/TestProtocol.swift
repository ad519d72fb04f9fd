// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What must have been tried for each party, and signed by somebody, before it is moved.
public struct TestProtocol: Sendable, Hashable, Codable {
  /// The party's system has pinged itself over the target bus.
  public var ownPing: Bool
  /// Central services that it has exchanged a message with, by name.
  public var centralServices: [String]
  /// It has carried a whole chain (referral and answer, say) through with a partner.
  public var valueChain: Bool
  /// Its vendor says so itself.
  public var vendorConfirms: Bool

  public init(ownPing: Bool = true, centralServices: [String] = [], valueChain: Bool = true, vendorConfirms: Bool = true) {
    self.ownPing = ownPing
    self.centralServices = centralServices
    self.valueChain = valueChain
    self.vendorConfirms = vendorConfirms
  }

  /// Everything that is to be signed for a party, in the order in which it is best tried.
  public var items: [TestItem] {
    (self.ownPing ? [.ownPing] : []) + self.centralServices.map { TestItem(centralService: $0) }
      + (self.valueChain ? [.valueChain] : []) + (self.vendorConfirms ? [.vendorConfirms] : [])
  }
}

/// One thing that is tried: `own-ping`, `central-service/NAME`, `value-chain` or `vendor-confirms`.
public struct TestItem: Sendable, Hashable, Codable, CustomStringConvertible {
  public let text: String

  public static let ownPing = TestItem(text: "own-ping")
  public static let valueChain = TestItem(text: "value-chain")
  public static let vendorConfirms = TestItem(text: "vendor-confirms")

  public init(centralService: String) { self.text = "central-service/\(centralService)" }
  /// Whether there is such a thing is for the pulje's protocol to say.
  public init(text: String) { self.text = text }

  public init(from decoder: any Decoder) throws { self.text = try decoder.singleValueContainer().decode(String.self) }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self.text)
  }

  public var description: String { self.text }
}

/// What somebody says came of it. The last word on an item counts: a test that fails later takes an earlier signature away.
public struct TestSignature: Sendable, Hashable, Codable {
  public var herID: HerID
  public var item: TestItem
  public var passed: Bool
  public var by: String
  /// What was seen: with which partner, which message.
  public var seen: String
  public var at: Instant
}

extension GroupState {
  /// What is not signed yet, party by party.
  public func missingTests(_ policy: Policy) -> [(herID: HerID, item: TestItem)] {
    guard let items = policy.testProtocol?.items, !items.isEmpty else { return [] }
    return self.members.flatMap { member in
      items.filter { self.lastSignature(member.herID, $0)?.passed != true }.map { (member.herID, $0) }
    }
  }

  func lastSignature(_ herID: HerID, _ item: TestItem) -> TestSignature? {
    self.tests.last { $0.herID == herID && $0.item == item }
  }

  /// What is missing, in words; nil when nothing is.
  func testsMissing(_ policy: Policy) -> String? {
    let missing = self.missingTests(policy)
    guard !missing.isEmpty else { return nil }
    let shown = missing.prefix(6).map { "\($0.item) of HER-ID \($0.herID)" }.joined(separator: ", ")
    return "not signed: \(shown)\(missing.count > 6 ? " and \(missing.count - 6) more" : "")"
  }

  func decideSignTest(_ herID: HerID, _ item: TestItem, passed: Bool, by: String, seen: String, _ context: GroupContext)
    -> Outcome
  {
    let tried = "sign a test"
    guard !by.isEmpty else { return self.refuse(.nobodyNamed, tried, "no name") }
    guard self.phase.isBeforeCut else { return self.refuse(.notInThisPhase, tried) }
    guard self.member(herID) != nil else { return self.refuse(.unknownParty, tried, "HER-ID \(herID) is not in it") }
    let items = context.policy.testProtocol?.items ?? []
    guard items.contains(item) else {
      let known =
        items.isEmpty ? "the pulje has no test protocol" : "its protocol has \(items.map(\.text).joined(separator: ", "))"
      return self.refuse(.noSuchTest, tried, "\"\(item.text.prefix(80))\"; \(known)")
    }
    return .events([.testSigned(herID: herID, item: item, passed: passed, by: by, seen: seen)])
  }
}
