// SPDX-License-Identifier: Apache-2.0

import Disclosure

extension AMQPError {
  public var explanation: Explanation {
    let words =
      self.certificateProblem.map { Words($0.meaning, $0.next, $0.owner) } ?? AMQPError.words[self.code]
      ?? Words("The call failed.", "Report this.", .tjenestebuss)
    let seen = [self.condition?.description, self.seen.isEmpty ? nil : self.seen].compactMap(\.self).joined(separator: "; ")
    return Explanation(
      tried: self.tried, seen: "\(seen) (\(self.origin.rawValue) \(self.scope.rawValue) error)", meaning: words.meaning,
      next: words.next, owner: words.owner)
  }

  private struct Words {
    let meaning: String
    let next: String
    let owner: FaultOwner
    init(_ meaning: String, _ next: String, _ owner: FaultOwner) {
      self.meaning = meaning
      self.next = next
      self.owner = owner
    }
  }

  private static let words: [Code: Words] = [
    .unreachable: Words(
      "Nothing answers at this host and port.", "Check host and port, then the firewall, then whether the bus is up.", .network),
    .unknownHost: Words("The host name has no address.", "Check the spelling of the host, then name service.", .caller),
    .certificateRefused: Words(
      "The server's certificate is not trusted, has expired, or is for another name. Nothing was sent.",
      "Check the host name; give the bus's own CA in the configuration if it has one. Do not switch verification off.", .caller),
    .tlsFailed: Words(
      "No encrypted connection came about.", "Check that the port speaks TLS 1.2 or later (5671), not plain AMQP (5672).", .caller
    ),
    .loginRefused: Words(
      "The bus refused the login: user or password is wrong, or it does not offer this way to log in.",
      "Check user and password of this bus; they are not tried again by themselves.", .caller),
    .connectTimedOut: Words(
      "The connection did not get as far as an open AMQP connection in time.",
      "Check firewall and port; a bus with no permission for this user may also stay silent.", .network),
    .connectionLost: Words(
      "The connection broke. What was under way has an unknown outcome.", "It is tried again where a client recovers.", .network),
    .connectionClosedByPeer: Words(
      "The bus closed the connection.", "See its words; it is tried again where a client recovers.", .bus),
    .connectionClosed: Words("The connection was closed on this side.", "Open a new one.", .caller),
    .peerSilent: Words(
      "The bus sent nothing for the agreed idle time, so the connection counts as dead.", "Check the network path.", .network),
    .configurationInvalid: Words("The configuration cannot work.", "Correct it as stated.", .caller),
    .protocolViolated: Words(
      "The peer sent what AMQP 1.0 does not allow, or speaks another protocol on this port.",
      "Check that the port speaks AMQP 1.0.", .bus),
    .clientCertificateRequired: Words(
      "The bus wants a client certificate, and none is configured here. No login was sent.",
      "Configure certificate and key of this client (TLS identity).", .caller),
    .clientCertificateRefused: Words(
      "The bus does not take this client's certificate: its issuer, its dates or its kind. No login was sent.",
      "Check the dates of the client certificate, and whether those who run the bus trust its issuer.", .caller),
    .tlsVersionRefused: Words(
      "The bus and this side have no version of TLS in common; this side speaks TLS 1.2 and 1.3.",
      "Have TLS 1.2 or later switched on at the bus. Older versions are not safe and are not offered here.", .bus),
    .notTLS: Words(
      "What answers on this port does not speak TLS.", "Use the port for amqps (5671), not the one for plain AMQP (5672).",
      .caller),
    .mechanismNotOffered: Words(
      "The bus does not offer the configured way to log in (SASL mechanism). No user and no password was sent.",
      "Choose one of those it offers in the configuration, or have the configured one switched on at the bus.", .caller),
    .credentialsUnavailable: Words(
      "The credentials could not be had, so no login was tried.",
      "See to the source of the credentials (file, vault, token service); it is asked again at the next attempt.", .caller),
    .loginUnavailable: Words(
      "The bus could not check the login just now: its own error, not a wrong password.",
      "It is tried again where a client recovers; if it stays so, ask those who run the bus.", .bus),
    .sessionEnded: Words(
      "The bus ended the session, and with it its links.", "See its words; the link can be attached again.", .bus),
    .notFound: Words(
      "The queue or exchange does not exist on this bus.", "Check the address; has the party a queue on this bus?", .bus),
    .unauthorized: Words(
      "This user may not use that address.", "Ask those who run the bus for the permission, or use the right user.", .bus),
    .linkRefused: Words("The bus refused the link.", "See its words.", .bus),
    .linkDetached: Words("The bus detached the link.", "It can be attached again.", .bus),
    .linkClosed: Words("The link was closed on this side.", "Open a new one.", .caller),
    .attachTimedOut: Words(
      "The bus did not answer the attach in time.", "Try again; if it stays so, ask those who run the bus.", .bus),
    .linkStolen: Words(
      "Another client attached with the same link name. Trying again would only take it back.",
      "Find the other process; it is not tried again.", .caller),
    .linkStalled: Words(
      "The link counts as open but has stood still, though it should not: no credit, or no answer.",
      "It is attached again where a client recovers. If it keeps happening, ask those who run the bus.", .bus),
    .linkQuiet: Words(
      "Nothing has come on the link for so long that it is attached anew, in case the bus has forgotten it. No fault is known.",
      "Nothing: a client that recovers attaches again at once.", .bus),
    .drainTimedOut: Words(
      "The bus neither used nor gave back the credit it had in time. Messages may still be on their way.",
      "Close the receiver: what is on its way is delivered again elsewhere.", .bus),
    .drainNotSupported: Words(
      "This bus cannot drain a link. Nothing was asked of it.", "Close the receiver instead.", .caller),
    .tooManyLinks: Words(
      "As many links are attached on this connection as its limit allows.",
      "Close links that are not needed, or use a second connection.", .caller),
    .addressFormRefused: Words(
      "The bus does not take addresses of this form: from RabbitMQ 4.3 on address v1 (/exchange/..., /amq/queue/...) is refused.",
      "Configure address v2 (dialect rabbitmq-4-v2: /exchanges/x/key, /queues/q), or have amqp_address_v1 permitted at the bus.",
      .caller),
    .noCredit: Words(
      "The message could not leave in time, so it was not sent. The bus may be full, in alarm, or the queue blocked.",
      "Send again later; check the bus and the queue's depth.", .bus),
    .messageTooLarge: Words("The message is larger than the bus takes. It was not sent.", "Send a smaller message.", .caller),
    .messageMalformed: Words("The message cannot be read.", "Reject it; its sender must mend it.", .party),
    .settlementLost: Words(
      "The delivery belongs to a link that is gone; it can no longer be settled and will be delivered again.",
      "Handle the message again when it comes; message-id is the key.", .bus),
    .cancelled: Words("The task was cancelled before the message left.", "Nothing was sent.", .caller),
    .deliveryWithdrawn: Words(
      "The bus took the delivery back because it was not settled in time, and gives it to another receiver. What was stated now "
        + "does not count.",
      "Handle messages faster, or have the bus's time-out for consumers raised; expect the message a second time.", .caller),
    .bodyIncomplete: Words(
      "The source of the body gave other than the promised number of bytes, or failed. The bus was told to forget the message.",
      "Correct the source and send again.", .caller),
    .bodyAborted: Words(
      "The message ended before its body was whole: its sender gave it up, or the link was lost.",
      "Throw away what was read. The message comes again if its sender sends it again, or if the link was lost.", .party),
    .messageNotSendable: Words(
      "The message has what a bus would end the link or session for. It was not sent.",
      "Change the message as stated, or lift that check for this sender if the bus is known to take it.", .caller),
    .sendTooSlow: Words(
      "Only a part of the message had left when its time was over. It was taken back by ending its link, so it was not sent.",
      "Give a message of this size more time, or see why the network, the bus or the body's source is slow.", .bus),
    .clientStopped: Words(
      "The client has been stopped, or was never started.", "Nothing was sent. Make a new client, or keep run() running.", .caller
    ),
    .answerMissing: Words(
      "No answer came in time. Whether the request was carried out is not known.",
      "Ask for the state before asking for the same again.", .bus),
    .requestRefused: Words(
      "The bus was asked and did not do it, for the stated reason.",
      "A message whose lock is lost comes again: handle it faster, or have locks made longer.", .caller),
  ]
}

extension AMQPError {
  /// The code that a peer's condition on a link stands for.
  static func code(forLink condition: AMQPCondition?, whileAttaching: Bool) -> Code {
    // RabbitMQ 4.3 tells it in words only, under a condition that others share.
    if condition?.text?.contains("amqp_address_v1_not_permitted") == true { return .addressFormRefused }
    return switch condition?.name {
    case AMQPCondition.notFound, AMQPCondition.resourceDeleted, "amqp:link:not-found": .notFound
    case AMQPCondition.unauthorizedAccess, "amqp:access-refused": .unauthorized
    case AMQPCondition.linkStolen: .linkStolen
    default: whileAttaching ? .linkRefused : .linkDetached
    }
  }
}
