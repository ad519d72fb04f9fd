// SPDX-License-Identifier: Apache-2.0

import BusModel

/// The register's answers that hold many things, read. A party that cannot be read is a failure of its own; a list that cannot
/// be read is a problem of the answer.
enum RegisterLists {
  typealias Problem = PartyDetails.Problem

  /// The answer to `GetOrganizationDetails`.
  static func organisation(_ response: XMLNode, asked: HerID, url: String) throws(Problem) -> OrganisationEntry {
    let result = try PartyDetails.result(response, of: "GetOrganizationDetails")
    let organisation = try PartyDetails.record(result)
    guard organisation.herID == asked else { throw Problem(field: "HerId (of the organisation that was asked about)") }
    var below: [PartyResult] = []
    for (list, item) in [("Services", "Service"), ("People", "OrganizationPerson")] {
      for element in try result.list(list, of: item) ?? [] {
        below.append(Self.party(element, place: below.count + 1, url: url))
      }
    }
    return OrganisationEntry(organisation: organisation, below: below)
  }

  /// The answer to `Search`.
  static func page(_ response: XMLNode, number: Int, url: String) throws(Problem) -> PartyPage {
    let result = try PartyDetails.result(response, of: "Search")
    guard let elements = try result.list("Results", of: "CommunicationParty") else { throw Problem(field: "Results") }
    var page = PartyPage(page: number, hits: [], failures: [], total: nil)
    if let total = try result.number("TotalResults") {
      guard total >= 0 else { throw Problem(field: "TotalResults") }
      page.total = Int(total)
    }
    for (index, element) in elements.enumerated() {
      do throws(Problem) {
        let herID = try PartyDetails.herID(element)
        let name = try PartyDetails.name(element)
        page.hits.append(PartyHit(herID: herID, name: name, record: try? PartyDetails.record(element)))
      } catch {
        page.failures.append(
          PartyFailure(herID: nil, place: index + 1, error: .registerAnswerIncomplete(url: url, missing: error.field)))
      }
    }
    return page
  }

  /// The answer to `GetChangeLog`.
  static func log(_ response: XMLNode) throws(Problem) -> [RegisterLogEntry] {
    try PartyDetails.result(response, of: "GetChangeLog").items("EntityLogEntry").map { entry throws(Problem) in
      guard let time = try entry.value("Time") else { throw Problem(field: "Time of a log entry") }
      let changes = try entry.list("Changes", of: "EntityLogEntryData") ?? []
      return RegisterLogEntry(
        time: time, byUser: try entry.text("ByUser"), description: try entry.text("Description"),
        changes: try changes.map { change throws(Problem) in
          RegisterLogEntry.Change(
            name: try change.text("Name") ?? "", oldValue: try change.text("OldValue"), newValue: try change.text("NewValue"))
        })
    }
  }

  /// The answer to `GetChangedCommunicationPartiesInfo`.
  static func lastChanges(_ response: XMLNode, asked: [HerID]) throws(Problem) -> [HerID: String] {
    let operation = "GetChangedCommunicationPartiesInfo"
    let known = Set(asked)
    var changes: [HerID: String] = [:]
    for info in try PartyDetails.result(response, of: operation).items("CommunicationPartyLastChangedInfo") {
      let herID = try PartyDetails.herID(info)
      guard known.contains(herID), changes[herID] == nil else { throw Problem(field: "HerId (one that was asked about, once)") }
      guard let time = try info.value("LastUpdated") else { throw Problem(field: "LastUpdated") }
      changes[herID] = time
    }
    return changes
  }

  private static func party(_ element: RegisterElement, place: Int, url: String) -> PartyResult {
    do throws(Problem) { return .party(try PartyDetails.record(element)) } catch {
      return .unreadable(
        PartyFailure(
          herID: try? PartyDetails.herID(element), place: place,
          error: .registerAnswerIncomplete(url: url, missing: error.field)))
    }
  }
}
