// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// Something that people should know before they approve a plan. It blocks only where the policy says so (`blocks`).
///
/// Findings are of the moment and not in the plan's hash: a connection that comes and goes must not spend an approval.
public struct PlanFinding: Sendable, Hashable, Codable, ExplainedError {
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    case agreementNamesSource = "MIG-601"
    case profileNamesSource = "MIG-602"
    case libraryTooOld = "MIG-603"
    case librarySoonTooOld = "MIG-604"
    case libraryNotUpdated = "MIG-605"
    case libraryUnknown = "MIG-606"
    case listensOnOneBus = "MIG-607"
    case noAMQP10 = "MIG-608"
    case leftOut = "MIG-609"
    case notLookedAt = "MIG-610"
    case preflightFails = "MIG-611"
  }

  public var code: Code
  public var herID: HerID?
  public var vendor: String?
  /// The other party of an agreement, say.
  public var others: [HerID]
  public var seen: String

  public init(_ code: Code, herID: HerID? = nil, vendor: String? = nil, others: [HerID] = [], seen: String) {
    self.code = code
    self.herID = herID
    self.vendor = vendor
    self.others = others
    self.seen = seen
  }

  public var stableCode: String { self.code.rawValue }

  public var explanation: Explanation {
    func explain(_ meaning: String, _ next: String, _ owner: FaultOwner) -> Explanation {
      Explanation(
        tried: self.herID.map { "look into the move of HER-ID \($0)" } ?? "look into the pulje", seen: self.seen,
        meaning: meaning,
        next: next, owner: owner)
    }
    switch self.code {
    case .agreementNamesSource:
      return explain(
        "The agreement (CPA) names an address that the party leaves: who goes by it sends to a queue that nobody reads.",
        "Have the agreement made anew when the party has moved; until then the drain shows who still sends there.", .party)
    case .profileNamesSource:
      return explain(
        "The profile (CPP) names an address that the party leaves; agreements that are made from it will, too.",
        "Have the profile renewed when the party has moved.", .party)
    case .libraryTooOld:
      return explain(
        "The party's client library is older than the policy allows.", "Have the vendor update it before the move.", .party)
    case .librarySoonTooOld:
      return explain(
        "The party's client library will be older than the policy allows from the named day on.", "Have the vendor update it.",
        .party)
    case .libraryNotUpdated:
      return explain("The party's client library was not updated for long.", "Ask the vendor for an update plan.", .party)
    case .libraryUnknown:
      return explain(
        "Which client library the party runs, or how old it is, is not known; that is no pass.",
        "Ask the vendor, and put it into the list of libraries (libraries-file).", .party)
    case .listensOnOneBus:
      return explain(
        "Its receiver hears one bus only: mail that comes late to the source bus is read only if somebody bridges.",
        "Have the vendor listen on both buses while it moves.", .party)
    case .noAMQP10:
      return explain(
        "The party's system was seen, or is said, to speak another protocol than AMQP 1.0: it cannot come up on the target bus.",
        "Have the vendor change to an AMQP 1.0 client first.", .party)
    case .leftOut:
      return explain("A party of a named organisation is not in the plan.", "Name it by its HER-ID if it should be.", .caller)
    case .preflightFails:
      return explain(
        "A check before the cut fails now; started like this, the group would wait for it. The way back is among the checks.",
        "Mend what was seen: by the bus, the queue or the party's system that it names.", .party)
    case .notLookedAt:
      return explain("Something could not be looked at; nothing is said of it.", "See why, then plan again.", .caller)
    }
  }
}

/// What was found out about parties beside their register entries. Each source that failed says so.
public struct PlanEvidence: Sendable, Hashable, Codable {
  /// An endpoint of a profile or an agreement that names another bus than the party's entry will when it has moved.
  public struct LeftEndpoint: Sendable, Hashable, Codable {
    public var isAgreement: Bool
    public var documentID: String
    public var herID: HerID
    public var counterpart: HerID?
    public var address: String

    public init(isAgreement: Bool, documentID: String, herID: HerID, counterpart: HerID?, address: String) {
      self.isAgreement = isAgreement
      self.documentID = documentID
      self.herID = herID
      self.counterpart = counterpart
      self.address = address
    }
  }

  public var sightings: [LibrarySighting]
  public var endpoints: [LeftEndpoint]
  /// What could not be looked at, and why.
  public var notLookedAt: [String]

  public init(sightings: [LibrarySighting] = [], endpoints: [LeftEndpoint] = [], notLookedAt: [String] = []) {
    self.sightings = sightings
    self.endpoints = endpoints
    self.notLookedAt = notLookedAt
  }
}

extension PlanFinding {
  /// Everything there is to say of a plan. Pure.
  public static func find(
    _ plan: Plan, request: PuljeRequest, leftOut: [PuljeRequest.LeftOut], evidence: PlanEvidence, today: LocalDate
  ) -> [PlanFinding] {
    let parties = Dictionary(request.parties.map { ($0.herID, $0) }, uniquingKeysWith: { first, _ in first })
    let sightings = Sightings(evidence.sightings)
    var found: [PlanFinding] = []
    for herID in plan.herIDs.sorted() {
      guard let party = parties[herID] else { continue }
      found += Self.find(party, plan.policy, sightings.of(party), today)
    }
    found += evidence.endpoints.map { endpoint in
      let what = endpoint.isAgreement ? "agreement \(endpoint.documentID)" : "profile \(endpoint.documentID)"
      return PlanFinding(
        endpoint.isAgreement ? .agreementNamesSource : .profileNamesSource, herID: endpoint.herID,
        vendor: parties[endpoint.herID]?.vendor, others: endpoint.counterpart.map { [$0] } ?? [],
        seen: "\(what) names \(endpoint.address.prefix(200))\(endpoint.counterpart.map { ", for \($0)" } ?? "")")
    }
    found += leftOut.map { PlanFinding(.leftOut, herID: $0.herID, seen: "organisation \($0.organisation): \($0.why)") }
    found += evidence.notLookedAt.map { PlanFinding(.notLookedAt, seen: $0) }
    return found
  }

  private static func find(
    _ party: PuljeRequest.Party, _ policy: Policy, _ sightings: [LibrarySighting], _ today: LocalDate
  ) -> [PlanFinding] {
    func finding(_ code: Code, _ seen: String) -> PlanFinding {
      PlanFinding(code, herID: party.herID, vendor: party.vendor, seen: seen)
    }
    var found: [PlanFinding] = []
    // With `leftovers: report` it is an obstacle already.
    if party.listens == .one, policy.leftovers != .report {
      found.append(finding(.listensOnOneBus, "listens: one, or not stated"))
    }
    if party.speaksAMQP10 == false {
      found.append(finding(.noAMQP10, "the pulje file says so"))
    } else if let other = sightings.first(where: { $0.speaksAMQP10 == false }) {
      found.append(finding(.noAMQP10, "\(other.words) speaks \(other.wire ?? "")"))
    }
    for (code, seen) in policy.libraries?.findings(sightings, today: today) ?? [] { found.append(finding(code, seen)) }
    return found
  }
}

/// What was seen of libraries, found by whom it was seen of: thousands of parties have thousands of connections.
private struct Sightings {
  private let all: [LibrarySighting]
  /// Places in ``all``.
  private var byParty: [HerID: [Int]] = [:]
  private var byVendor: [String: [Int]] = [:]

  init(_ all: [LibrarySighting]) {
    self.all = all
    for (place, sighting) in all.enumerated() {
      if let herID = sighting.herID {
        self.byParty[herID, default: []].append(place)
      } else if let vendor = sighting.vendor {
        self.byVendor[vendor.lowercased(), default: []].append(place)
      }
    }
  }

  /// The party's own, and its vendor's, in the order in which they came.
  func of(_ party: PuljeRequest.Party) -> [LibrarySighting] {
    let vendors = self.byVendor.isEmpty ? [] : self.byVendor[party.vendor.lowercased()] ?? []
    return ((self.byParty[party.herID] ?? []) + vendors).sorted().map { self.all[$0] }
  }
}
