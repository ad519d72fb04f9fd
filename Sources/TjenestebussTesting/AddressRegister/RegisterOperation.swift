// SPDX-License-Identifier: Apache-2.0

/// What the testing register can be asked.
public enum RegisterOperation: String, Sendable, Hashable, Codable, CaseIterable {
  // SOAP, the real register's contract.
  case ping = "Ping"
  case details = "GetCommunicationPartyDetails"
  case organisation = "GetOrganizationDetails"
  case search = "Search"
  case changeLog = "GetChangeLog"
  case lastChanges = "GetChangedCommunicationPartiesInfo"
  // SOAP, a contract of our own.
  case switchBus = "SwitchBus"
  case switchBusIncludingServices = "SwitchBusIncludingServices"
  case useOrganizationQueue = "UseOrganizationQueue"
  case updateElectronicAddresses = "UpdateElectronicAddresses"
  // REST.
  case token = "connect/token"
  case restParty = "CommunicationParties"
  case restExport = "CommunicationPartyExport"
  case restEvents = "CommunicationPartyEvents"
  case profile = "Profiles"
  case agreement = "Agreements"
  case agreementSummaries = "AgreementSummaries"

  public static let reads: Set<RegisterOperation> = [.ping, .details, .organisation, .search, .changeLog, .lastChanges]
  public static let writes: Set<RegisterOperation> = [
    .switchBus, .switchBusIncludingServices, .useOrganizationQueue, .updateElectronicAddresses,
  ]
  public static let rest: Set<RegisterOperation> = Set(allCases).subtracting(reads).subtracting(writes)
}
