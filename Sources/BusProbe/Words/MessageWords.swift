// SPDX-License-Identifier: Apache-2.0

extension ProbeFinding {
  /// Rungs 29 and 30.
  var messageWords: ProbeWords? {
    switch self {
    case .accepted:
      .good(
        .outcome, nb: ("godtatt (accepted)", "Bussen la pingen i køen."), en: ("accepted", "The bus put the ping into the queue.")
      )
    case .acceptedProvesNothing:
      .warn(
        .outcome, .nhn,
        nb: (
          "godtatt (accepted) av {dialect}",
          "Bussen sa «accepted», men det sier den også om køer som ikke finnes: dette trinnet beviser ingenting her.",
          "Gå etter trinn 31 (hvem lytter, lengde) og trinn 32 (svar)."
        ),
        en: (
          "accepted by {dialect}",
          "The bus said 'accepted', but says so of queues that do not exist too: this step proves nothing here.",
          "Go by step 31 (consumers, depth) and step 32 (answer)."
        ))
    case .rejected:
      .fail(
        .outcome, .nhn,
        nb: ("avvist (rejected): {condition}", "Bussen tok ikke meldingen.", "Meld bussens grunn til NHN; den står over."),
        en: ("rejected: {condition}", "The bus did not take the message.", "Report the bus's reason to NHN; it stands above."))
    case .queueFull:
      .fail(
        .outcome, .party,
        nb: (
          "avvist (rejected): {condition}; i køen lå {depth}",
          "Køen er full: parten henter ikke meldingene sine, eller grensen er for lav.",
          "Be parten eller leverandøren starte systemet så køen tømmes; grensen er NHNs."
        ),
        en: (
          "rejected: {condition}; {depth} lay in the queue",
          "The queue is full: the party does not fetch its messages, or the limit is too low.",
          "Have the party or its vendor start the system so that the queue is emptied; the limit is NHN's."
        ))
    case .released:
      .fail(
        .outcome, .nhn,
        nb: (
          "gitt tilbake (released)", "Det står ingen kø bak adressen: bussen ga meldingen tilbake.",
          "Se etter adressen i AR, og be NHN se at køen finnes og er bundet til exchange-en."
        ),
        en: (
          "given back (released)", "There is no queue behind the address: the bus gave the message back.",
          "Check the address in AR, and have NHN see that the queue exists and is bound to the exchange."
        ))
    case .modified:
      .fail(
        .outcome, .nhn,
        nb: (
          "gitt tilbake endret: {condition}", "Bussen kunne ikke levere meldingen nå.",
          "Prøv igjen; blir det ved, meld det til NHN."
        ),
        en: (
          "given back, changed: {condition}", "The bus could not deliver the message now.",
          "Try again; if it stays so, report it to NHN."
        ))
    case .outcomeTimedOut:
      .fail(
        .outcome, .nhn,
        nb: (
          "intet utfall innen {seconds} s",
          "Pingen ble sendt, men bussen sa ikke hva den gjorde med den: den kan ha kommet frem. Alarm (minne, disk) og full kø på RabbitMQ 3 ser slik ut.",
          "Se trinn 31; spør NHN om bussen har alarm."
        ),
        en: (
          "no outcome in {seconds} s",
          "The ping was sent, but the bus did not say what it did with it: it may have arrived. An alarm (memory, disk) looks like this, and a full queue on RabbitMQ 3.",
          "See step 31; ask NHN whether the bus has an alarm."
        ))
    case .outcomeLost:
      .fail(
        .outcome, .network,
        nb: (
          "forbindelsen ble brutt etter at pingen var sendt: {error}", "Om pingen kom frem, er ikke kjent.",
          "Prøv igjen; brytes den hver gang, se etter nettet, så bussen."
        ),
        en: (
          "the connection was lost after the ping was sent: {error}", "Whether the ping arrived is not known.",
          "Try again; if it is lost each time, see to the network, then the bus."
        ))
    case .outcomeUnknown:
      .fail(
        .outcome, .nhn,
        nb: (
          "ukjent utfall: {condition}", "Bussen avsluttet leveringen uten å si hvordan; pingen kan ha kommet frem.",
          "Prøv igjen; blir det ved, meld det til NHN."
        ),
        en: (
          "outcome unknown: {condition}", "The bus ended the delivery without saying how; the ping may have arrived.",
          "Try again; if it stays so, report it to NHN."
        ))
    case .sendingNotWanted:
      ProbeWords(
        .outcome, .notRun, nil,
        nb: ("ingen ping", "Ingenting ble sendt, slik det ble bedt om.", "Kjør uten --no-send for å gå videre."),
        en: ("no ping", "Nothing was sent, as asked.", "Run without --no-send to go on."))
    case .sendingNotAllowed:
      ProbeWords(
        .outcome, .notRun, nil,
        nb: (
          "ingen ping: oppsettet er for produksjon",
          "Ingenting ble sendt: partens system kan vise pingen til en behandler hvis det ikke kjenner den.",
          "Kjør med --send når leverandøren har bekreftet at systemet tar imot pinger."
        ),
        en: (
          "no ping: the configuration says production",
          "Nothing was sent: the party's system may show the ping to a clinician if it does not know it.",
          "Run with --send when the vendor has confirmed that the system takes pings."
        ))
    case .pingedLately:
      ProbeWords(
        .outcome, .notRun, nil,
        nb: (
          "ingen ping: {error}", "Ingenting ble sendt: ingen part pinges oftere enn hvert 10. sekund, uansett hvem som spør.",
          "Vent ti sekunder og kjør igjen. Kan mappen for tilstand ikke skrives, rett det først."
        ),
        en: (
          "no ping: {error}", "Nothing was sent: no party is pinged more often than every 10 seconds, whoever asks.",
          "Wait ten seconds and run again. If the state folder cannot be written, mend that first."
        ))

    case .sendingWouldStay:
      ProbeWords(
        .outcome, .notRun, nil,
        nb: (
          "ingen ping: ingen lytter, og utløpte meldinger går videre til exchange {exchange}",
          "Ingenting ble sendt: pingen ville ha utløpt og blitt liggende blant dødpostene for godt.",
          "Se trinn 31; kjør igjen når noen lytter."
        ),
        en: (
          "no ping: nobody listens, and expired messages go on to exchange {exchange}",
          "Nothing was sent: the ping would have expired, and would lie among the dead letters for good.",
          "See step 31; run again when somebody listens."
        ))
    case .queueFullDrops:
      .fail(
        .outcome, .party,
        nb: (
          "ingen ping: {depth} meldinger ligger i køen, som har plass til {limit} og kaster den eldste for hver ny",
          "Køen er full og mister meldinger: parten henter dem ikke. Pingen ble ikke sendt, for den ville skjøvet ut enda en.",
          "Be parten hente meldingene nå; be NHN se på grensen, og på hva som er gått tapt."
        ),
        en: (
          "no ping: {depth} messages lie in the queue, which holds {limit} and drops the oldest for each new one",
          "The queue is full and loses messages: the party does not fetch them. The ping was not sent: it would have pushed out one more.",
          "Have the party fetch its messages now; have NHN look at the limit, and at what was lost."
        ))
    case .queueFullSilent:
      .fail(
        .outcome, .party,
        nb: (
          "intet utfall; i køen lå {depth}, og mer er det ikke plass til",
          "Køen er full og tar ikke imot; RabbitMQ 3 sier det ikke, men tier og bryter forbindelsen.",
          "Be parten hente meldingene; rekker den det ikke, be NHN se på grensen."
        ),
        en: (
          "no outcome; {depth} lay in the queue, and it holds no more",
          "The queue is full and refuses; RabbitMQ 3 does not say so, but is silent and cuts the connection.",
          "Have the party fetch its messages; if it cannot keep up, have NHN look at the limit."
        ))

    case .controlRefused:
      .good(
        .negativeControl, nb: ("en kø som ikke kan finnes: {condition}", "Den avvises, så trinn 29 betyr noe."),
        en: ("a queue that cannot exist: {condition}", "It is refused, so step 29 means something."))
    case .controlAccepted:
      .warn(
        .negativeControl, .nhn,
        nb: (
          "en kø som ikke kan finnes: godtatt (accepted) av {dialect}",
          "Bussen «godtar» meldinger til en kø som ikke finnes, og kaster dem: trinn 29 er verdiløst her. På RabbitMQ 3 er det vanlig.",
          "Gå etter det som ellers ble prøvd: trinn 31 (hvem lytter, lengde) og trinn 32 (svar)."
        ),
        en: (
          "a queue that cannot exist: accepted by {dialect}",
          "The bus 'accepts' messages to a queue that does not exist, and drops them: step 29 is worthless here. On RabbitMQ 3 this is normal.",
          "Go by what else was tried: step 31 (consumers, depth) and step 32 (answer)."
        ))
    case .controlUnclear:
      .warn(
        .negativeControl, .nhn,
        nb: (
          "en kø som ikke kan finnes: uklart svar: {error}", "Prøven ga ikke noe klart svar, så trinn 29 er mindre sikkert.",
          "Prøv igjen."
        ),
        en: (
          "a queue that cannot exist: no clear answer: {error}", "The control gave no clear answer, so step 29 is less sure.",
          "Try again."
        ))
    case .controlCut:
      .warn(
        .negativeControl, .network,
        nb: (
          "forbindelsen falt før prøven: {error}",
          "Pingen er godtatt, men prøven ble det ikke noe av: vi mistet forbindelsen til bussen.",
          "Prøv igjen; faller den hver gang, se etter nettet, så bussen."
        ),
        en: (
          "the connection fell before the control: {error}",
          "The ping was accepted, but the control was not made: we lost the bus.",
          "Try again; if it falls each time, see to the network, then the bus."
        ))
    case .controlNotPossible:
      .impossible(
        .negativeControl,
        nb: (
          "ikke prøvd på {dialect}", "Denne bussen lager køer som ikke finnes: prøven ville latt en ligge igjen.",
          "Gå etter trinn 31 og 32."
        ),
        en: (
          "not tried on {dialect}", "This bus makes a queue that does not exist: the control would leave one behind.",
          "Go by steps 31 and 32."
        ))
    default: nil
    }
  }
}
