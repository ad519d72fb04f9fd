// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure

/// What the client refuses, and why.
///
/// No case holds a password, a piece of a connection string that could be one, or anything from a message body.
public enum TjenestebussError: ExplainedError, Hashable {
  // Connection strings. None carries the text itself: what is malformed may well be the password.
  case connectionStringEmpty
  case connectionStringKindUnknown
  case connectionStringMalformed(part: ConnectionStringPart, problem: String)
  case connectionStringPartMissing(ConnectionStringPart)
  case connectionStringEscapeInvalid(ConnectionStringPart)
  case connectionStringPortInvalid
  /// `position` counts the parts between semicolons from 1.
  case connectionStringKeyUnknown(position: Int)
  case connectionStringKeyTwice(String)
  case connectionStringSeveralHosts

  // Configuration.
  case noBus
  case busTwice(BusName)
  case hostOnSeveralBuses(host: String, [BusName])
  case busUnknown(BusName)
  case settingInvalid(name: String, problem: String)
  /// The configuration does not say which dialect the bus speaks, and the bus does not either. `product`: what it calls itself.
  case dialectUnknown(BusName, product: String?)

  // Message form.
  /// A message lacks fields that receivers check, or they cannot be read.
  case messageFieldsInvalid([String])
  case messageBodyUnreadable(String)
  case messageUnsendable(field: String, problem: String)

  // Sending.
  case routeNotFound(HerID, QueueKind, Cause)
  case notSent(HerID, Cause)
  case stopping
  /// The vendor's signing or encryption failed; not sent.
  case notProtected(HerID, Cause)
  indirect case notAccepted(messageID: String, outcome: SendResult.Outcome)

  // Receiving.
  case nothingToReceive
  case ownQueueUnknown(HerID, QueueKind, Cause)
  /// An error queue is received from, but nobody takes its reports.
  case nobodyTakesErrorReports

  // Asking and answering.
  case noReplyTo(messageID: String)
  case noReplyQueue
  case replyQueueNotReceived(String)
  /// `asked`: the bus had accepted the request.
  case callTimedOut(messageID: String, after: Duration, asked: Bool)
  case callRefused(ErrorReport)

  /// The error of a layer below, with its own code.
  public struct Cause: Sendable, Hashable {
    public var code: String
    public var explanation: Explanation

    public init(_ error: any Error) {
      if let error = error as? any ExplainedError {
        self.code = error.stableCode
        self.explanation = error.explanation
      } else if error is CancellationError {
        self.code = "TB-408"
        self.explanation = Explanation(
          tried: "go on", seen: "the task was cancelled", meaning: "Nothing was sent.", next: "Send again if it is still wanted.",
          owner: .caller)
      } else {
        // Only the type: the text of a foreign error may hold anything.
        self.code = "TB-999"
        self.explanation = Explanation(
          tried: "go on", seen: "an error of type \(type(of: error))", meaning: "Code outside this library failed.",
          next: "Look at the code that was called.", owner: .caller)
      }
    }
  }

  public var stableCode: String {
    switch self {
    case .connectionStringEmpty: "TB-101"
    case .connectionStringKindUnknown: "TB-102"
    case .connectionStringMalformed: "TB-103"
    case .connectionStringPartMissing: "TB-104"
    case .connectionStringEscapeInvalid: "TB-105"
    case .connectionStringPortInvalid: "TB-106"
    case .connectionStringKeyUnknown: "TB-107"
    case .connectionStringKeyTwice: "TB-108"
    case .connectionStringSeveralHosts: "TB-109"
    case .noBus: "TB-201"
    case .busTwice: "TB-202"
    case .hostOnSeveralBuses: "TB-203"
    case .busUnknown: "TB-204"
    case .settingInvalid: "TB-205"
    case .dialectUnknown: "TB-206"
    case .messageFieldsInvalid: "TB-301"
    case .messageBodyUnreadable: "TB-302"
    case .messageUnsendable: "TB-303"
    case .routeNotFound: "TB-401"
    case .notSent: "TB-402"
    case .notAccepted(_, let outcome):
      switch outcome {
      case .rejected: "TB-403"
      case .released: "TB-404"
      case .modified: "TB-405"
      case .accepted, .unknown: "TB-406"
      case .notSent(let error): error.stableCode
      }
    case .stopping: "TB-407"
    case .notProtected: "TB-409"
    case .noReplyTo: "TB-410"
    case .noReplyQueue: "TB-411"
    case .replyQueueNotReceived: "TB-412"
    case .callTimedOut: "TB-413"
    case .callRefused: "TB-414"
    case .nothingToReceive: "TB-501"
    case .ownQueueUnknown: "TB-502"
    case .nobodyTakesErrorReports: "TB-509"
    }
  }
}

/// A part of a connection string, to be named where the string itself must not be shown.
public enum ConnectionStringPart: String, Sendable, Hashable, CaseIterable {
  case scheme, user, password, host, port, path, endpoint = "Endpoint", keyValue = "key=value"
}
