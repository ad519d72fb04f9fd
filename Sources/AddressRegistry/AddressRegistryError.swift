// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// What can go wrong with the cache file, a look-up, an import, and the register itself.
///
/// Texts from the register are cut to 300 characters; credentials never come in here.
public enum AddressRegistryError: Error, Sendable, Hashable {
  // The cache file.
  case cacheMissing(path: String)
  case cacheUnusable(path: String, seen: String)
  case cacheReadOnly(path: String, seen: String)
  case cacheForeign(path: String, applicationID: Int32)
  case cacheNewer(path: String, version: Int, known: Int)
  case cacheCorrupt(path: String, seen: String)
  case cacheRowDamaged(HerID, seen: String)
  case cacheFull(path: String, seen: String)
  case cacheBusy(path: String, seen: String)
  case cacheOlder(path: String, version: Int, known: Int)
  case cacheOfOtherEnvironment(path: String, environment: String, wanted: String)

  // Look-ups.
  /// Neither cached nor, where `askedRegister`, known to the register.
  case partyUnknown(HerID, askedRegister: Bool)
  case partyNotActive(HerID)
  case addressMissing(HerID, QueueKind)
  case addressMalformed(HerID, QueueKind, text: String)
  case addressAmbiguous(HerID, QueueKind, texts: [String])
  case addressOnNoBus(HerID, QueueKind, QueueAddress, configured: [BusName])
  case addressOnSeveralBuses(HerID, QueueKind, QueueAddress, [BusName])
  case kindNotInRegister(QueueKind)
  /// It has no queue of any kind, and its entry names other ways to it, by the register's type codes.
  case otherTransport(HerID, QueueKind, typeCodes: [String])
  case tooStale(HerID, age: Duration, limit: Duration, because: String)

  // Imports.
  case importUnreadable(path: String, seen: String)
  case importNotJSON(path: String, seen: String)
  /// `entry` counts from 1; `field` is the path inside it, such as `addresses[2].text`.
  case importEntryInvalid(path: String, entry: Int, herID: HerID?, field: String, problem: String)
  case importDuplicate(path: String, HerID, entries: [Int])
  /// `line` counts from 1.
  case importTableInvalid(path: String, line: Int, problem: String)

  // The register, asked over SOAP.
  case registerUnreachable(url: String, seen: String)
  case registerTimedOut(url: String, after: Duration)
  case registerConnectionLost(url: String, seen: String)
  case registerLoginRefused(url: String, status: Int)
  case registerHTTPError(url: String, status: Int)
  case registerAnswerUnreadable(url: String, seen: String)
  case registerAnswerIncomplete(url: String, missing: String)
  case registerFault(url: String, code: String, message: String)
  case registerValidationFault(url: String, problems: [String])
  case registerConfigurationInvalid(String)
  case registerWriteNotConfigured(String)
  case registerWriteUnconfirmed(HerID, seen: String)
  case tokenRefused(url: String, error: String, description: String)
  case tokenUnreadable(url: String, seen: String)
  case signingKeyUnusable(String)
}

extension AddressRegistryError: ExplainedError {
  public var stableCode: String {
    switch self {
    case .cacheMissing: "AR-101"
    case .cacheUnusable: "AR-102"
    case .cacheReadOnly: "AR-103"
    case .cacheForeign: "AR-104"
    case .cacheNewer: "AR-105"
    case .cacheCorrupt: "AR-106"
    case .cacheRowDamaged: "AR-107"
    case .cacheFull: "AR-108"
    case .cacheBusy: "AR-109"
    case .cacheOlder: "AR-110"
    case .cacheOfOtherEnvironment: "AR-111"
    case .partyUnknown: "AR-201"
    case .partyNotActive: "AR-202"
    case .addressMissing: "AR-203"
    case .addressMalformed: "AR-204"
    case .addressAmbiguous: "AR-205"
    case .addressOnNoBus: "AR-206"
    case .addressOnSeveralBuses: "AR-207"
    case .kindNotInRegister: "AR-208"
    case .tooStale: "AR-209"
    case .otherTransport: "AR-210"
    case .importUnreadable: "AR-301"
    case .importNotJSON: "AR-302"
    case .importEntryInvalid: "AR-303"
    case .importDuplicate: "AR-304"
    case .importTableInvalid: "AR-305"
    case .registerUnreachable: "AR-401"
    case .registerTimedOut: "AR-402"
    case .registerConnectionLost: "AR-403"
    case .registerLoginRefused: "AR-404"
    case .registerHTTPError: "AR-405"
    case .registerAnswerUnreadable: "AR-406"
    case .registerAnswerIncomplete: "AR-407"
    case .registerFault: "AR-408"
    case .registerValidationFault: "AR-409"
    case .registerConfigurationInvalid: "AR-410"
    case .registerWriteNotConfigured: "AR-411"
    case .registerWriteUnconfirmed: "AR-412"
    case .tokenRefused: "AR-421"
    case .tokenUnreadable: "AR-422"
    case .signingKeyUnusable: "AR-423"
    }
  }

  public var explanation: Explanation {
    self.cacheExplanation ?? self.lookUpExplanation ?? self.importExplanation ?? self.registerExplanation
  }
}
