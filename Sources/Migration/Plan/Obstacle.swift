// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// Something that stands in the way of a pulje. One is enough to block the plan.
public struct Obstacle: Sendable, Hashable, Codable, ExplainedError {
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    case unknownParty = "MIG-101"
    case inactiveParty = "MIG-102"
    case noConfiguredBus = "MIG-103"
    case alreadyOnTarget = "MIG-104"
    case noQueues = "MIG-105"
    case inOpenPulje = "MIG-106"
    case groupNotClosed = "MIG-107"
    case inheritanceUnexplained = "MIG-108"
    case halfMoved = "MIG-109"
    case addressMalformed = "MIG-110"
    case listensOnOneBus = "MIG-111"
    case busUnknown = "MIG-113"
    case partyTwice = "MIG-114"
    case noParties = "MIG-115"
    case policyUnsound = "MIG-116"
    case onOtherBus = "MIG-117"
    case organisationUnknown = "MIG-118"
    case findingBlocks = "MIG-119"
    case scopeNotOffered = "MIG-130"
    case noOrganisationQueue = "MIG-131"
    case joinerTakenAlong = "MIG-132"
  }

  public var code: Code
  /// The party it is about; nil when it is about the pulje.
  public var herID: HerID?
  /// Further parties it names.
  public var others: [HerID]
  /// What was seen.
  public var seen: String

  public init(_ code: Code, herID: HerID? = nil, others: [HerID] = [], seen: String) {
    self.code = code
    self.herID = herID
    self.others = others
    self.seen = seen
  }

  public var stableCode: String { self.code.rawValue }

  public var explanation: Explanation {
    func explain(_ meaning: String, _ next: String, _ owner: FaultOwner) -> Explanation {
      Explanation(
        tried: self.herID.map { "plan the move of HER-ID \($0)" } ?? "plan the pulje", seen: self.seen, meaning: meaning,
        next: next, owner: owner)
    }
    switch self.code {
    case .unknownParty:
      return explain("The register does not know this party.", "Correct the HER-ID in the pulje file.", .caller)
    case .inactiveParty:
      return explain(
        "An inactive or invalid party receives nothing; moving it proves nothing.",
        "Have it activated in the register, or take it out of the pulje.", .addressRegister)
    case .noConfiguredBus:
      return explain(
        "Its address names a host that is on no configured bus.",
        "Add the host to the bus in the configuration, or take the party out.", .caller)
    case .alreadyOnTarget:
      return explain("The party is on the target bus already.", "Take it out of the pulje.", .caller)
    case .noQueues:
      return explain(
        "The party has no AMQP queue in the register; it is reached in other ways and has nothing to move.",
        "Take it out of the pulje.", .caller)
    case .inOpenPulje:
      return explain(
        "Two puljer must not touch one party.", "Finish, roll back or withdraw the other pulje first.", .caller)
    case .groupNotClosed:
      return explain(
        "Parties that share a queue address move together or not at all; these members are missing from the pulje.",
        "Add them to the pulje file.", .caller)
    case .inheritanceUnexplained:
      return explain(
        "The party inherits a queue, and the one it inherits it from is not in the register as we see it.",
        "Refresh the register cache; if it stays so, have the entry corrected.", .addressRegister)
    case .halfMoved:
      return explain(
        "The party's queues lie on more than one bus: it was moved by halves, by somebody.",
        "Have the register entry put right before the pulje.", .addressRegister)
    case .addressMalformed:
      return explain(
        "The register's text is no queue address; it is not guessed.", "Have it corrected in the register.", .addressRegister)
    case .listensOnOneBus:
      return explain(
        "Its receiver hears one bus only, so mail that comes late to the source bus would lie there unread.",
        "Have the vendor listen on both buses (listens: both), or settle who bridges (leftovers: external).", .party)
    case .busUnknown:
      return explain(
        "Source and target must be two different configured buses.", "Correct the names in the pulje file.", .caller)
    case .partyTwice:
      return explain("A party stands in the pulje file twice.", "Remove one of the lines.", .caller)
    case .noParties:
      return explain("A pulje without parties moves nothing.", "Name the parties in the pulje file.", .caller)
    case .policyUnsound:
      return explain("The policy cannot be carried out as it stands.", "Correct it in the pulje file.", .caller)
    case .scopeNotOffered:
      return explain(
        "The register's writer, as it is configured, has no operation that does this in one write.",
        "Configure the operation (register.writer), or leave the scope out of the pulje file.", .caller)
    case .noOrganisationQueue:
      return explain(
        "The party is to use its organisation's queue, and there is none on the target bus.",
        "Put the organisation into the pulje too, move it first, or leave organisation-queue out.", .caller)
    case .joinerTakenAlong:
      return explain(
        "The party is to use its organisation's queue, and a write with all services below would move its own queues first.",
        "Leave scope: services-below out, or move the party to its organisation's queue in a pulje of its own.", .caller)
    case .organisationUnknown:
      return explain(
        "No party of this organisation number is known here; that does not mean that it has none.",
        "Bring the registry's cache up to date (bus-migrator registry sync), or correct the number.", .caller)
    case .findingBlocks:
      return explain(
        "The policy lets nobody move of whom this is found.",
        "Mend what the named code says, or take it out of the policy's blocks.",
        .caller)
    case .onOtherBus:
      return explain(
        "The party is neither on the source nor on the target bus.", "Take it out, or make a pulje from that bus.", .caller)
    }
  }
}
