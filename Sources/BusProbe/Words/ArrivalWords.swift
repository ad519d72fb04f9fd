// SPDX-License-Identifier: Apache-2.0

extension ProbeFinding {
  /// Rungs 31 to 33.
  var arrivalWords: ProbeWords? {
    switch self {
    case .arrivalRead:
      .good(
        .arrival, nb: ("meldinger {depth}, lyttere {consumers}", "Noen henter meldinger fra køen."),
        en: ("messages {depth}, consumers {consumers}", "Somebody takes messages from the queue."))
    case .arrivalNoConsumer:
      .fail(
        .arrival, .party,
        nb: (
          "meldinger {depth}, lyttere {consumers}", "Mottaker lytter ikke: meldinger blir liggende ulest.",
          "Be parten eller leverandøren starte systemet mot denne bussen."
        ),
        en: (
          "messages {depth}, consumers {consumers}", "Nobody listens on this queue: messages pile up unread.",
          "Ask the party or its vendor to start the system on this bus."
        ))
    case .arrivalGrows:
      .warn(
        .arrival, .vendor,
        nb: (
          "meldinger {depth}, lyttere {consumers}",
          "Mottaker henter ikke: noen lytter, men køen ble lengre. Systemet henger, eller rekker ikke over.",
          "Se etter en gang til; be så leverandøren se på systemet."
        ),
        en: (
          "messages {depth}, consumers {consumers}",
          "Somebody listens, but the queue got longer: the system does not keep up, or is stuck.",
          "Look again; then have the vendor look at the system."
        ))
    case .arrivalGrowsDeadLetters:
      .warn(
        .arrival, .vendor,
        nb: (
          "meldinger {depth}, lyttere {consumers}; utløpte meldinger går videre til exchange {exchange}",
          "Mottaker henter ikke: noen lytter, men køen ble lengre. Hentes pingen ikke før den utløper, blir den liggende blant dødpostene.",
          "Be leverandøren se på systemet. Melding {message} blant dødpostene er bare en ping, og kan slettes."
        ),
        en: (
          "messages {depth}, consumers {consumers}; expired messages go on to exchange {exchange}",
          "Somebody listens, but the queue got longer. If the ping is not fetched before it expires, it will lie among the dead letters.",
          "Have the vendor look at the system. Message {message} among the dead letters is only a ping, and may be deleted."
        ))
    case .arrivalQueueMissing:
      .fail(
        .arrival, .nhn,
        nb: (
          "{queue} finnes ikke", "Køen finnes ikke på denne bussen.",
          "Se etter adressen i AR; er den riktig, må NHN opprette køen."
        ),
        en: (
          "{queue} is not there", "The queue does not exist on this bus.",
          "Check the address in AR; if it is right, NHN has to make the queue."
        ))
    case .arrivalCut:
      .warn(
        .arrival, .network,
        nb: (
          "forbindelsen falt før køen ble telt: {error}", "Om noen henter pingen, så vi ikke: vi mistet forbindelsen til bussen.",
          "Prøv igjen; faller den hver gang, se etter nettet, så bussen."
        ),
        en: (
          "the connection fell before the queue was counted: {error}",
          "Whether anybody fetches the ping we did not see: we lost the bus.",
          "Try again; if it falls each time, see to the network, then the bus."
        ))
    case .arrivalUnreadable:
      .warn(
        .arrival, .us,
        nb: (
          "køens lengde kunne ikke leses: {error}", "Om noen lytter, er ikke kjent. Det er ikke det samme som at ingen gjør det.",
          "Se etter tilgangen til bussens styring i oppsettet; ordene over sier hva som feilet."
        ),
        en: (
          "the queue's depth could not be read: {error}",
          "Whether anybody listens is not known, which is not the same as nobody.",
          "Check the access to the bus's management in the configuration; the words above say what failed."
        ))
    case .arrivalNotPossible:
      .impossible(
        .arrival,
        nb: (
          "ingen måte å telle på er satt opp for {dialect}", "Om noen lytter, kan ikke sees herfra.",
          "Spør NHN om lengde og lyttere på køen."
        ),
        en: (
          "no way to count is configured for {dialect}", "Whether anybody listens cannot be seen from here.",
          "Ask NHN for depth and consumers of the queue."
        ))
    case .arrivalConsumersUnknown:
      .warn(
        .arrival, .us,
        nb: (
          "meldinger {depth}, lyttere ikke oppgitt", "Lengden ble lest, men ikke om noen lytter.",
          "Se etter en gang til om noen sekunder."
        ),
        en: (
          "messages {depth}, consumers not told", "The depth was read, but not whether anybody listens.",
          "Look again in some seconds."
        ))

    case .echoCame:
      .good(
        .echo,
        nb: (
          "{responder}, bibliotek {library}, leste fra {queue}; mellomlager {since}; hører {buses}; {reader}",
          "Partens eget system leste pingen og svarte: hele veien virker."
        ),
        en: (
          "{responder}, library {library}, read from {queue}; cache {since}; hears {buses}; {reader}",
          "The party's own system read the ping and answered: the whole way works."
        ))
    case .echoNone:
      .warn(
        .echo, .vendor,
        nb: (
          "intet svar innen {seconds} s; {reader}",
          "Systemet kan være nede, eller programvaren svarer ikke på pinger (de fleste gjør ikke det ennå).",
          "Gå etter trinn 31; spør leverandøren om programvaren svarer på pinger."
        ),
        en: (
          "no answer in {seconds} s; {reader}",
          "The system may be down, or its software does not answer pings (most do not yet).",
          "Go by step 31; ask the vendor whether the software answers pings."
        ))
    case .echoNoQueue:
      .impossible(
        .echo,
        nb: (
          "ingen svarkø er satt opp", "Vi har ingen egen kø på denne bussen, så intet svar ble bedt om.",
          "Sett opp en svarkø for hver skranke eller operatør."
        ),
        en: (
          "no reply queue is configured", "We have no queue of our own on this bus, so no answer was asked for.",
          "Configure a reply queue for each desk or operator."
        ))
    case .echoNotListening:
      .warn(
        .echo, .us,
        nb: (
          "vår egen svarkø kunne ikke leses: {error}", "Et svar kan ha kommet uten at vi ser det.",
          "Se etter svarkøen for bussen i oppsettet."
        ),
        en: (
          "our own reply queue could not be read: {error}", "An answer may have come without our seeing it.",
          "Check the reply queue of this bus in the configuration."
        ))
    case .echoDaemonUnable:
      .warn(
        .echo, .us,
        nb: (
          "tjenesten gir oss ikke svar nå: {error}; {reader}",
          "Intet svar ble bedt om. Det sier ingenting om parten.",
          "Se at bus-migrator kjører, at daemon-socket er riktig og at du har lov til å bruke den; ping igjen."
        ),
        en: (
          "the daemon hands over no answers now: {error}; {reader}",
          "No answer was asked for. That says nothing about the party.",
          "See that bus-migrator runs, that daemon-socket is right and that you may use it; ping again."
        ))
    case .echoLost:
      .warn(
        .echo, .us,
        nb: (
          "ventingen på svaret ble brutt: {error}",
          "Pingen ble sendt, og et svar kan ha kommet etter at ventingen ble brutt.",
          "Se at bus-migrator kjører, og ping igjen."
        ),
        en: (
          "the wait for the answer was cut: {error}",
          "The ping was sent, and an answer may have come after the wait was cut.",
          "See that bus-migrator runs, and ping again."
        ))
    case .echoNotSent:
      ProbeWords(
        .echo, .notRun, nil,
        nb: ("intet svar ventet", "Pingen ble ikke tatt imot, så intet svar kan komme.", "Rett det trinnet over sier."),
        en: ("no echo awaited", "The ping was not taken, so no answer can come.", "Mend what the step above says."))

    case .otherBusQuiet:
      .good(
        .otherBus,
        nb: ("buss {bus}, {queue}: meldinger {depth}, lyttere {consumers}", "Ingenting ligger eller kommer på den andre bussen."),
        en: ("bus {bus}, {queue}: messages {depth}, consumers {consumers}", "Nothing lies or comes on the other bus."))
    case .otherBusMail:
      .warn(
        .otherBus, .us,
        nb: (
          "buss {bus}, {queue}: meldinger {depth}, lyttere {consumers}",
          "Meldinger til parten ligger på den andre bussen uten at noen henter dem: avsendere med gammelt mellomlager sender fremdeles dit.",
          "Si fra til dem som står for flyttingen; avsenderne må oppdatere mellomlageret sitt."
        ),
        en: (
          "bus {bus}, {queue}: messages {depth}, consumers {consumers}",
          "Messages for the party lie on the other bus and nobody fetches them: senders with an old copy of the register still send there.",
          "Tell those who run the migration; the senders have to refresh their copies."
        ))
    case .otherBusHeard:
      .good(
        .otherBus,
        nb: (
          "buss {bus}, {queue}: meldinger {depth}, lyttere {consumers}",
          "Parten lytter på den andre bussen også, så det som kommer dit blir lest."
        ),
        en: (
          "bus {bus}, {queue}: messages {depth}, consumers {consumers}",
          "The party listens on the other bus too, so what comes there is read."
        ))
    case .otherBusMissing:
      .good(
        .otherBus, nb: ("buss {bus}: {queue} finnes ikke", "Parten har ingen slik kø på den andre bussen."),
        en: ("bus {bus}: {queue} is not there", "The party has no such queue on the other bus."))
    case .otherBusUnreadable:
      .warn(
        .otherBus, .us,
        nb: (
          "buss {bus}, {queue}: kunne ikke leses: {error}", "Om det ligger meldinger igjen der, er ikke kjent.",
          "Se etter tilgangen til den bussen i oppsettet."
        ),
        en: (
          "bus {bus}, {queue}: could not be read: {error}", "Whether messages are left there is not known.",
          "Check the access to that bus in the configuration."
        ))
    case .otherBusNone:
      .impossible(
        .otherBus,
        nb: ("bare én buss er satt opp", "Det er ingen annen buss å se på.", "Sett opp begge bussene hvis parten er flyttet."),
        en: ("one bus only is configured", "There is no other bus to look at.", "Configure both buses if the party was moved."))
    default: nil
    }
  }
}
