// SPDX-License-Identifier: Apache-2.0

import Disclosure

extension TjenestebussError {
  public var explanation: Explanation {
    self.connectionStringExplanation ?? self.configurationExplanation ?? self.messageExplanation ?? self.answerExplanation
      ?? self.trafficExplanation
  }

  private static let forms =
    "amqps://user:password@host:5671/exchange, or Endpoint=sb://host/namespace;RuntimePort=..;ManagementPort=..;"
    + "OAuthUsername=..;OAuthPassword=.."

  private var connectionStringExplanation: Explanation? {
    func refused(_ seen: String, _ meaning: String, next: String = "Write it as \(Self.forms)") -> Explanation {
      Explanation(tried: "read a connection string", seen: seen, meaning: meaning, next: next, owner: .caller)
    }
    return switch self {
    case .connectionStringEmpty:
      refused("it is empty", "Without it there is no bus to connect to.")
    case .connectionStringKindUnknown:
      refused("it begins neither with amqps://, amqp:// nor holds Endpoint=sb://", "It is of no kind this client knows.")
    case .connectionStringMalformed(let part, let problem):
      refused("\(part.rawValue): \(problem)", "It cannot be read safely, and is not guessed.")
    case .connectionStringPartMissing(let part):
      refused("no \(part.rawValue)", "The login or the address is not complete.")
    case .connectionStringEscapeInvalid(let part):
      refused(
        "the \(part.rawValue) holds a % that begins no escape, or bytes that are no UTF-8",
        "User, password and path of an amqps:// string are URL-escaped.",
        next: "Escape % as %25, @ as %40, / as %2F, : as %3A in user and password.")
    case .connectionStringPortInvalid:
      refused("a port that is no number from 1 to 65535", "There is no such port.", next: "AMQP over TLS is on 5671.")
    case .connectionStringKeyUnknown(let position):
      refused(
        "part \(position) between the semicolons is unknown (not shown: it may be a piece of the password)",
        "Known are Endpoint, StsEndpoint, RuntimePort, ManagementPort, OAuthUsername, OAuthPassword, SharedAccessKeyName, "
          + "SharedAccessKey, TransportType, OperationTimeout, EntityPath.",
        next: "Correct the key. A password with a semicolon cannot be written in this form: use amqps://.")
    case .connectionStringKeyTwice(let key):
      refused("\(key) stands in it twice", "Which one is meant is not guessed.", next: "Leave one.")
    case .connectionStringSeveralHosts:
      refused("Endpoint lists several hosts", "One connection goes to one host.", next: "Name one host.")
    default: nil
    }
  }

  private var configurationExplanation: Explanation? {
    func refused(_ seen: String, _ meaning: String, next: String) -> Explanation {
      Explanation(tried: "set up the client", seen: seen, meaning: meaning, next: next, owner: .caller)
    }
    return switch self {
    case .noBus:
      refused("no bus is configured", "There is nothing to connect to.", next: "Configure at least one bus.")
    case .busTwice(let name):
      refused("two buses are called \(name)", "A name means one bus.", next: "Give each bus a name of its own.")
    case .hostOnSeveralBuses(let host, let names):
      refused(
        "the host \(host) is listed for the buses \(names.map(\.text).joined(separator: ", "))",
        "An address on that host would lie on several buses.", next: "List each host for one bus.")
    case .busUnknown(let name):
      refused("no bus is called \(name)", "A route or call names a bus that is not configured.", next: "Configure it.")
    case .settingInvalid(let name, let problem):
      refused("\(name): \(problem)", "The setting cannot work.", next: "Correct it as stated.")
    case .dialectUnknown(let name, let product):
      refused(
        "\(name) calls itself \(product.map { "\"\($0.prefix(40))\"" } ?? "nothing")",
        "Addresses and outcomes differ between kinds of bus, and are not guessed. Nothing is sent to it or received from it.",
        next: "State the bus's dialect in the configuration.")
    default: nil
    }
  }

  private var messageExplanation: Explanation? {
    switch self {
    case .messageFieldsInvalid(let names):
      Explanation(
        tried: "read a message", seen: "missing or malformed: \(names.joined(separator: ", "))",
        meaning: "Receivers refuse a message without fromHerId, toHerId, subject, applicationTimeStamp and content-type.",
        next: "The sending system must set these fields.", owner: .party)
    case .messageBodyUnreadable(let seen):
      Explanation(
        tried: "read a message", seen: seen, meaning: "The body is of no form that health messages have.",
        next: "The sending system must send one data section.", owner: .party)
    case .messageUnsendable(let field, let problem):
      Explanation(
        tried: "send a message", seen: "\(field): \(problem)", meaning: "It was not sent: receivers or the bus would refuse it.",
        next: "Correct the message.", owner: .caller)
    default: nil
    }
  }

  private var answerExplanation: Explanation? {
    switch self {
    case .noReplyTo(let messageID):
      Explanation(
        tried: "answer message \(messageID)", seen: "it names no reply queue",
        meaning: "A synchronous answer goes to the queue in reply-to; the register does not hold it.",
        next: "The asking system must set reply-to.", owner: .party)
    case .noReplyQueue:
      Explanation(
        tried: "ask a party and wait for its answer", seen: "this process has no reply queue",
        meaning: "Nothing was sent: the answer would have nowhere to go.",
        next: "Configure serve.reply-queue: a queue that belongs to this process alone, on every bus.", owner: .caller)
    case .replyQueueNotReceived(let queue):
      Explanation(
        tried: "ask a party and wait for its answer", seen: "the reply queue \(queue) can be read on no bus now",
        meaning: "Nothing was sent: the answer could not be read.",
        next: "Check that the queue exists and may be read by our user; the client's status has the reason for each bus.",
        owner: .bus)
    case .callTimedOut(let messageID, let timeout, let asked):
      Explanation(
        tried: "ask by message \(messageID)",
        seen: "no answer in \(timeout)\(asked ? "" : ", nor did the bus tell whether it took the request")",
        meaning: "It is unknown whether the party acted on it. An answer that still comes is counted and not handed out.",
        next: "Ask again with a new message id where asking twice does no harm.", owner: .party)
    case .callRefused(let report):
      Explanation(
        tried: "ask a party", seen: report.description, meaning: "The party could not take the request, and said so.",
        next: "See the condition: it tells whether the request or the certificates are at fault.", owner: .caller)
    default: nil
    }
  }

  private var trafficExplanation: Explanation {
    switch self {
    case .notProtected(let herID, let cause):
      cause.wrapped("sign or encrypt a message to HER-ID \(herID)", "Nothing was sent.")
    case .nobodyTakesErrorReports:
      Explanation(
        tried: "receive", seen: "an error queue is named, but no handler for error reports",
        meaning: "A report that nobody reads is a message lost in silence.",
        next: "Give MessageHandlers an errorReports handler, or leave the error queue out.", owner: .caller)
    case .routeNotFound(let herID, let kind, let cause):
      cause.wrapped("find where HER-ID \(herID) has its \(kind.rawValue) queue", "Nothing was sent.")
    case .notSent(let herID, let cause):
      cause.wrapped("send a message to HER-ID \(herID)", "The message did not leave; it can be sent again without a duplicate.")
    case .ownQueueUnknown(let herID, let kind, let cause):
      cause.wrapped("find the \(kind.rawValue) queue of HER-ID \(herID) to receive from", "Nothing is received.")
    case .stopping:
      Explanation(
        tried: "send a message", seen: "the client is stopping", meaning: "Nothing was sent.",
        next: "Send it when the client runs again.", owner: .caller)
    case .nothingToReceive:
      Explanation(
        tried: "receive", seen: "no queue was named", meaning: "There is nothing to receive from.",
        next: "Name at least one HER-ID and queue kind, or a queue.", owner: .caller)
    case .notAccepted(let messageID, let outcome):
      outcome.explanation(messageID: messageID)
    default:
      Explanation(
        tried: "use the client", seen: self.stableCode, meaning: "An error without words.", next: "Report this.",
        owner: .tjenestebuss)
    }
  }
}

extension TjenestebussError.Cause {
  fileprivate func wrapped(_ tried: String, _ meaning: String) -> Explanation {
    Explanation(
      tried: tried, seen: "[\(self.code)] \(self.explanation.seen)", meaning: "\(meaning) \(self.explanation.meaning)",
      next: self.explanation.next, owner: self.explanation.owner)
  }
}

extension SendResult.Outcome {
  fileprivate func explanation(messageID: String) -> Explanation {
    let tried = "send message \(messageID)"
    switch self {
    case .accepted:
      return Explanation(tried: tried, seen: "accepted", meaning: "The bus has it.", next: "Nothing.", owner: .caller)
    case .rejected(let condition):
      return Explanation(
        tried: tried, seen: "rejected \(condition?.description ?? "without a reason")",
        meaning: "The bus refuses the message; it is not delivered.",
        next: "See the reason: queue full, or message not allowed. Sending it again as it is will not help.", owner: .bus)
    case .released:
      return Explanation(
        tried: tried, seen: "released", meaning: "No queue stands behind the address: the bus gave the message back.",
        next: "Check the party's address in the address register, and that its queue exists on that bus.", owner: .bus)
    case .modified(let deliveryFailed, let undeliverableHere):
      return Explanation(
        tried: tried, seen: "modified (delivery failed: \(deliveryFailed), undeliverable here: \(undeliverableHere))",
        meaning: "The bus gave the message back.", next: "Send it again later with the same message id.", owner: .bus)
    case .unknown(let reason):
      return Explanation(
        tried: tried, seen: "no outcome: \(reason.words)",
        meaning: "It may have arrived or not. The client never sends it again by itself.",
        next: "Send it again with the same message id: receivers recognise a duplicate by it.", owner: .network)
    case .notSent(let error):
      return error.explanation
    }
  }
}
