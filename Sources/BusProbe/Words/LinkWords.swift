// SPDX-License-Identifier: Apache-2.0

extension ProbeFinding {
  /// Rungs 26 to 28.
  var linkWords: ProbeWords? {
    switch self {
    case .attached:
      .good(
        .attach, nb: ("{address} ({form})", "Bussen lar oss sende til adressen."),
        en: ("attached to {address} ({form})", "The bus lets us send to this address."))
    case .queueMissing:
      .fail(
        .attach, .nhn,
        nb: (
          "{address}: {condition}", "Køen eller exchange-en finnes ikke på denne bussen.",
          "Se etter adressen i AR; er den riktig, må NHN opprette køen."
        ),
        en: (
          "{address} is not there: {condition}", "The queue or exchange does not exist on this bus.",
          "Check the address in AR; if it is right, NHN has to make the queue."
        ))
    case .sendingForbidden:
      .fail(
        .attach, .nhn,
        nb: (
          "{address}: {condition}", "Brukeren vår har ikke lov til å sende dit.",
          "Se om det er riktig bruker; be ellers NHN om skriverett."
        ),
        en: (
          "{address} is forbidden: {condition}", "Our user may not send there.",
          "Check that it is the right user; else ask NHN for write permission."
        ))
    case .addressFormRefused:
      .fail(
        .attach, .us,
        nb: (
          "{address}: {condition}",
          "Bussen tar ikke lenger adresser av form v1 (amqp_address_v1_not_permitted), slik RabbitMQ 4.3 gjør.",
          "Sett bussens dialekt til rabbitmq-4-v2 i oppsettet, eller be NHN tillate v1 en tid."
        ),
        en: (
          "{address} is of form v1: {condition}",
          "The bus takes addresses of form v1 no more (amqp_address_v1_not_permitted), as RabbitMQ 4.3 does.",
          "Set the bus's dialect to rabbitmq-4-v2 in the configuration, or have NHN permit v1 for a time."
        ))
    case .entityDisabled:
      .fail(
        .attach, .nhn,
        nb: (
          "{address}: {condition}", "Køen er der, men er stengt for sending på bussen.",
          "Er parten flyttet, er mellomlageret hos avsender gammelt: oppdater det. Ellers spør NHN hvorfor køen er stengt."
        ),
        en: (
          "{address} is disabled: {condition}", "The queue is there, but is closed for sending on this bus.",
          "If the party has moved, the sender's copy of the register is old: refresh it. Else ask NHN why the queue is closed."
        ))
    case .linkLimit:
      .fail(
        .attach, .us,
        nb: (
          "{address}: for mange lenker: {condition}",
          "Forbindelsen, sesjonen eller køen har så mange lenker som bussen tillater.",
          "Prøv igjen alene; blir det ved, be NHN se hvem som holder lenkene."
        ),
        en: (
          "{address}: too many links: {condition}", "The connection, session or queue has as many links as the bus allows.",
          "Try again alone; if it stays so, have NHN see who holds the links."
        ))
    case .attachSilent:
      .fail(
        .attach, .nhn,
        nb: (
          "{address}: intet svar innen {seconds} s", "Bussen tok imot forespørselen og svarte ikke.",
          "Prøv igjen; blir det ved, meld det til NHN."
        ),
        en: (
          "{address}: no answer in {seconds} s", "The bus took the request and did not answer.",
          "Try again; if it stays so, report it to NHN."
        ))
    case .attachCut:
      .fail(
        .attach, .network,
        nb: (
          "{address}: forbindelsen ble brutt: {error}", "Forbindelsen falt før bussen hadde svart.",
          "Prøv igjen; faller den hver gang, se etter brannmur og tidsgrenser, så bussen."
        ),
        en: (
          "{address}: the connection was lost: {error}", "The connection fell before the bus had answered.",
          "Try again; if it falls each time, see to firewall and time limits, then the bus."
        ))
    case .attachRefused:
      .fail(
        .attach, .nhn,
        nb: (
          "{address}: avvist: {condition}", "Bussen ville ikke ha lenken, av grunnen den sier.", "Meld bussens egne ord til NHN."
        ),
        en: (
          "{address}: refused: {condition}", "The bus did not want the link, for the reason it gives.",
          "Report the bus's own words to NHN."
        ))

    case .creditGranted:
      .good(
        .credit, nb: ("bussen slapp meldingen gjennom på {milliseconds} ms", "Bussen tillot en melding."),
        en: ("the bus let the message through in {milliseconds} ms", "The bus allowed a message."))
    case .noCredit:
      .fail(
        .credit, .nhn,
        nb: (
          "ingen kreditt innen {seconds} s",
          "Bussen tillater ingen melding: den er full, har alarm (minne, disk), eller køen er sperret. Ingenting ble sendt.",
          "Se køens lengde i trinn 31; meld det til NHN."
        ),
        en: (
          "no credit in {seconds} s",
          "The bus allows no message: it is full, in alarm (memory, disk), or the queue is blocked. Nothing was sent.",
          "Look at the queue's depth in step 31; report it to NHN."
        ))
    case .creditCut:
      .fail(
        .credit, .network,
        nb: (
          "forbindelsen ble brutt mens vi ventet på kreditt: {error}", "Ingenting ble sendt; forbindelsen falt først.",
          "Prøv igjen; faller den hver gang, se etter nettet, så bussen."
        ),
        en: (
          "the connection was lost while credit was waited for: {error}", "Nothing was sent; the connection fell first.",
          "Try again; if it falls each time, see to the network, then the bus."
        ))

    case .transferred:
      .good(
        .transfer, nb: ("melding {message}, {bytes} byte; {ration}", "Pingen gikk ut herfra."),
        en: ("message {message}, {bytes} bytes; {ration}", "The ping left here."))
    case .tooLarge:
      .fail(
        .transfer, .nhn,
        nb: (
          "pingen er for stor for bussen: {error}",
          "Bussen tar bare mindre meldinger enn en ping, altså ingen. Ingenting ble sendt.",
          "Be NHN se på grensen for meldingens størrelse på køen."
        ),
        en: (
          "the ping is too large for the bus: {error}",
          "The bus takes only messages smaller than a ping, which means none. Nothing was sent.",
          "Have NHN look at the queue's limit for the size of messages."
        ))
    case .malformedForBus:
      .fail(
        .transfer, .us,
        nb: (
          "bussen forsto ikke meldingen: {condition}", "Pingen har en form som bussen ikke tar.",
          "Meld det som en feil i programmet, med bussens egne ord."
        ),
        en: (
          "the bus did not understand the message: {condition}", "The ping has a form that the bus does not take.",
          "Report it as a bug of the program, with the bus's own words."
        ))
    case .transferForbidden:
      .fail(
        .transfer, .nhn,
        nb: (
          "bussen avbrøt ved meldingen: {condition}",
          "Brukeren vår har ikke lov til å sende dit; denne bussen sier det først når meldingen kommer.",
          "Se om det er riktig bruker; be ellers NHN om skriverett."
        ),
        en: (
          "the bus broke off at the message: {condition}",
          "Our user may not send there; this bus says so only when the message comes.",
          "Check that it is the right user; else ask NHN for write permission."
        ))
    case .transferCut:
      .fail(
        .transfer, .network,
        nb: (
          "forbindelsen ble brutt før pingen var ute: {error}", "Pingen ble ikke sendt; forbindelsen falt under sending.",
          "Prøv igjen; faller den hver gang, se etter brannmur og tidsgrenser, så bussen."
        ),
        en: (
          "the connection was lost before the ping was out: {error}", "The ping was not sent; the connection fell while sending.",
          "Try again; if it falls each time, see to firewall and time limits, then the bus."
        ))
    case .notTransferred:
      .fail(
        .transfer, .nhn,
        nb: (
          "pingen gikk ikke ut: {error}", "Bussen tok den ikke, av grunnen over. Ingenting ble sendt.",
          "Meld det til NHN med ordene over."
        ),
        en: (
          "the ping did not leave: {error}", "The bus did not take it, for the reason above. Nothing was sent.",
          "Report it to NHN with the words above."
        ))
    default: nil
    }
  }
}
