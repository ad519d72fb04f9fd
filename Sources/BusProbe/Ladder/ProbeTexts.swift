// SPDX-License-Identifier: Apache-2.0

import Disclosure

/// Every word the ladder says by itself, in one place. Wording is for support staff: plain, and always whose it is.
public enum ProbeTexts {
  public struct Words: Sendable, Hashable {
    public var code: ProbeCode
    public var verdict: ProbeStep.Verdict
    public var meaning: String
    public var next: String
    public var owner: FaultOwner?
  }

  /// What a rung checks: the first line of `explain`.
  public static func title(_ code: ProbeCode) -> String {
    switch code {
    case .input: "Is it a HER-ID?"
    case .cache: "What does our copy of the address register say, and how old is it?"
    case .register: "What does the address register (AR) itself say now?"
    case .decision: "Which bus and queue do messages for the party go to?"
    case .names: "Has the bus's host name an address?"
    case .reach: "Does the bus's port answer?"
    case .encryption: "Is the connection encrypted, and the bus's certificate good?"
    case .login: "Does the bus take our user and password?"
    case .open: "Does the bus open an AMQP connection?"
    case .attach: "Does the bus let us send to the party's address?"
    case .credit: "Does the bus allow a message to be sent (credit)?"
    case .transfer: "Did the ping message leave?"
    case .outcome: "What did the bus do with the ping message?"
    case .negativeControl: "Is the same message to a queue that cannot exist refused? If not, 'accepted' proves nothing."
    case .arrival: "Does somebody read the queue: consumers, and depth before and after?"
    case .echo: "Does the party's own system answer the ping?"
    }
  }

  public static func words(_ finding: ProbeFinding) -> Words {
    func good(_ code: ProbeCode, _ meaning: String) -> Words { Words(code: code, verdict: .ok, meaning: meaning, next: "") }
    func warn(_ code: ProbeCode, _ meaning: String, _ next: String, _ owner: FaultOwner) -> Words {
      Words(code: code, verdict: .warning, meaning: meaning, next: next, owner: owner)
    }
    func fail(_ code: ProbeCode, _ meaning: String, _ next: String, _ owner: FaultOwner) -> Words {
      Words(code: code, verdict: .failed, meaning: meaning, next: next, owner: owner)
    }
    func none(_ code: ProbeCode, _ meaning: String, _ next: String = "") -> Words {
      Words(code: code, verdict: .notPossible, meaning: meaning, next: next)
    }
    return switch finding {
    case .inputGood: good(.input, "It is a HER-ID.")
    case .inputMalformed:
      fail(.input, "A HER-ID is a whole number greater than zero, digits only.", "Check the number.", .caller)

    case .cacheFresh: good(.cache, "Our copy of the register knows the party.")
    case .cacheOld:
      warn(.cache, "Our copy of the party's entry is old; the party may have moved since.", "Compare with step 12.", .caller)
    case .cacheLacks:
      warn(
        .cache, "Our copy of the register has no such party.", "See step 12; fill the cache if the register knows it.", .caller)
    case .cacheNotConfigured: none(.cache, "No cache file is configured; only the register itself is asked.")
    case .registerAgrees: good(.register, "The register says the same as our copy.")
    case .registerDiffers:
      warn(
        .register, "The register says something else than our copy: the copy is out of date. The register's word is used here.",
        "Refresh the cache. Senders with a copy of that age still send to the old address.", .caller)
    case .registerOnly: good(.register, "The register knows the party.")
    case .registerNotConfigured:
      none(.register, "No register is configured to ask; what follows rests on our copy alone.")

    case .decided: good(.decision, "The address lies on a bus we know.")
    case .decidedFromOldCache:
      warn(
        .decision, "The address lies on a bus we know, but the knowledge is old.", "Configure the register to be asked.", .caller)
    case .halfMoved:
      fail(
        .decision, "The party's queues lie on different buses: it was moved by half.",
        "Call those who run the migration: finish the move, or take it back.", .addressRegister)
    case .pathDiffers:
      warn(
        .decision, "The register's path is not the exchange or namespace of our connection string; ours is used.",
        "Compare case and spelling of both; they are case-sensitive.", .caller)

    case .namesFound: good(.names, "The host name has addresses.")
    case .namesUnknown:
      fail(.names, "There is no host of that name.", "Check the spelling of the host in the configuration.", .caller)
    case .namesFailed:
      fail(
        .names, "The name service did not answer; whether the host exists is not known.", "Check this machine's name service.",
        .host)
    case .reached: good(.reach, "The port answers on every address.")
    case .reachedSome:
      warn(
        .reach, "The port answers on some of the host's addresses only.", "Tell those who run the bus which one is silent.", .bus)
    case .refused:
      fail(
        .reach, "The machine is there, but nothing listens on that port.", "Check the port; then ask those who run the bus.", .bus
      )
    case .unanswered:
      fail(
        .reach, "No answer: a firewall drops the packets, or the machine is off.",
        "Ask for an opening to this host and port from this machine.", .network)

    case .encrypted: good(.encryption, "Encrypted, and the bus has proven who it is.")
    case .certificateEndsSoon:
      warn(.encryption, "Good still, but the bus's certificate ends soon.", "Tell those who run the bus.", .bus)
    case .certificateExpired:
      fail(
        .encryption, "The bus's certificate is outside its time.", "Check this machine's clock; then tell those who run the bus.",
        .bus)
    case .certificateWrongName:
      fail(
        .encryption, "The bus's certificate is for another name than the one we connect to.",
        "Use the host name that the certificate has; do not switch verification off.", .caller)
    case .certificateUntrusted:
      fail(
        .encryption, "The bus's certificate comes from an authority we do not trust.",
        "Configure the authority's file (CA) for this bus if it is the right one; do not switch verification off.", .caller)
    case .encryptionFailed:
      fail(
        .encryption, "No encrypted connection came about.", "Check that the port speaks TLS 1.2 or later (5671, not 5672).",
        .caller)
    case .notEncrypted:
      none(.encryption, "The connection string says amqp://: nothing is encrypted.", "Use amqps:// outside test machines.")

    case .loggedIn: good(.login, "The bus took user and password.")
    case .opened: good(.open, "The AMQP connection is open.")
    case .attached: good(.attach, "The bus lets us send to this address.")
    case .creditGranted: good(.credit, "The bus allowed a message.")
    case .noCredit:
      fail(
        .credit, "The bus allows no message: it is full, in alarm, or the queue is blocked.",
        "Ask those who run the bus; look at the queue's depth in step 31.", .bus)
    case .transferred: good(.transfer, "The ping left.")
    case .notTransferred: fail(.transfer, "The ping did not leave.", "See what was seen.", .bus)

    case .accepted: good(.outcome, "The bus put the ping into the queue.")
    case .acceptedProvesNothing:
      warn(
        .outcome, "The bus said 'accepted', but says so of queues that do not exist too: this step proves nothing here.",
        "Go by step 31 (consumers, depth) and step 32 (answer).", .bus)
    case .rejected:
      fail(.outcome, "The bus refused the message.", "See its reason: queue full or closed, or message not allowed.", .bus)
    case .released:
      fail(
        .outcome, "There is no queue behind the address: the bus gave the message back.",
        "Check the address in the register, and with those who run the bus that the queue exists.", .bus)
    case .modified: fail(.outcome, "The bus gave the message back, changed.", "Try again; then ask those who run the bus.", .bus)
    case .outcomeUnknown:
      fail(.outcome, "The bus did not say what became of the message.", "Try again; then ask those who run the bus.", .bus)

    case .controlRefused: good(.negativeControl, "A queue that cannot exist is refused, so step 29 means something.")
    case .controlAccepted:
      warn(
        .negativeControl, "The bus 'accepts' messages to a queue that cannot exist, and drops them: step 29 is worthless here.",
        "Go by step 31 and step 32. On RabbitMQ 3 this is normal.", .bus)
    case .controlUnclear:
      warn(.negativeControl, "The control gave no clear answer, so step 29 is less sure.", "Try again.", .bus)
    case .controlNotPossible:
      none(.negativeControl, "This kind of bus makes a queue that does not exist: the control would leave one behind.")

    case .arrivalRead: good(.arrival, "Somebody takes messages from the queue.")
    case .arrivalNoConsumer:
      fail(
        .arrival, "Nobody listens on this queue: messages pile up unread.",
        "Ask the party or its vendor to start the system on this bus.", .party)
    case .arrivalGrows:
      warn(
        .arrival, "Somebody listens, but the queue got longer: the system does not keep up, or is stuck.",
        "Look again; then ask the party or its vendor.", .party)
    case .arrivalQueueMissing:
      fail(
        .arrival, "The queue does not exist on this bus.",
        "Check the register's address; ask those who run the bus to create the queue.", .bus)
    case .arrivalUnreadable:
      warn(
        .arrival, "The queue's depth could not be read, so it is not known whether anybody listens.", "See what was seen.", .bus)
    case .arrivalNotPossible:
      none(
        .arrival, "No way to count this bus's queues is configured or known.",
        "Ask those who run the bus for depth and consumers.")
    case .arrivalConsumersUnknown:
      warn(.arrival, "The depth was read, but not whether anybody listens.", "Look again in some seconds.", .bus)

    case .echoCame: good(.echo, "The party's own system read the ping and answered: the whole way works.")
    case .echoNone:
      warn(
        .echo, "No answer in time. The system may be down, or its software does not answer pings (most do not yet).",
        "Go by step 31; ask the vendor whether the software answers pings.", .party)
    case .echoNoQueue: none(.echo, "No reply queue of our own is configured on this bus, so no answer was asked for.")
    case .echoNotListening:
      warn(
        .echo, "We could not listen on our own reply queue.", "Check the reply queue of this bus in the configuration.", .caller)
    case .sendingNotWanted:
      Words(code: .outcome, verdict: .notRun, meaning: "Nothing was sent, as asked.", next: "Run without --no-send to go on.")
    case .echoNotSent: Words(code: .echo, verdict: .notRun, meaning: "The ping was not taken, so no answer can come.", next: "")
    }
  }

  /// The manual page of a rung: what it checks, and everything it can find.
  public static func explain(_ code: ProbeCode) -> String {
    var text = "\(code.stableCode) \(code.name)\n\n\(Self.title(code))\n"
    for finding in ProbeFinding.allCases {
      let words = Self.words(finding)
      guard words.code == code else { continue }
      text += "\n[\(words.verdict.rawValue)] \(words.meaning)\n"
      if !words.next.isEmpty { text += "  next: \(words.next)\n" }
      if let owner = words.owner { text += "  whose: \(Self.owner(owner))\n" }
    }
    switch code {
    case .login, .open, .attach, .transfer, .arrival, .register:
      text += "\nOther failures carry the code and words of the part that failed (AMQP-, AR-, PROBE-): docs/error-codes.md.\n"
    default: break
    }
    return text
  }

  public static func owner(_ owner: FaultOwner) -> String {
    switch owner {
    case .caller: "you: configuration or arguments on this side"
    case .network: "the network: names, routes, firewalls"
    case .bus: "those who run the bus"
    case .addressRegister: "those who run the address register"
    case .party: "the party at the other end, or its vendor"
    case .host: "this machine"
    case .tjenestebuss: "this software: report it"
    }
  }
}
