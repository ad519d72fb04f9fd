// SPDX-License-Identifier: Apache-2.0

extension ProbeFinding {
  /// Rung 23.
  var loginWords: ProbeWords? {
    switch self {
    case .loggedIn:
      .good(
        .login, nb: ("som {user} med {mechanism}; bussen tilbyr {offered}", "Bussen tok bruker og passord."),
        en: ("as {user} by {mechanism}; the bus offers {offered}", "The bus took user and password."))
    case .loginRefused:
      .fail(
        .login, .us,
        nb: (
          "bussen avviste {user} med {mechanism}; den tilbyr {offered}",
          "Brukeren finnes ikke, eller passordet er feil. Måten å logge inn på er det ikke noe i veien med.",
          "Rett bruker og passord for bussen i oppsettet; spør NHN om brukeren er sperret."
        ),
        en: (
          "the bus refused {user} by {mechanism}; it offers {offered}",
          "There is no such user, or the password is wrong. The way to log in is not at fault.",
          "Correct user and password of this bus in the configuration; ask NHN whether the user is blocked."
        ))
    case .mechanismNotOffered:
      .fail(
        .login, .nhn,
        nb: (
          "bussen tilbyr {offered}, ikke {mechanism}",
          "Bussen kjenner ikke vår måte å logge inn på. Verken bruker eller passord ble sendt.",
          "Be NHN slå på {mechanism} på porten, eller oppgi riktig port."
        ),
        en: (
          "the bus offers {offered}, not {mechanism}",
          "The bus does not know our way to log in. Neither user nor password was sent.",
          "Have NHN switch on {mechanism} on this port, or tell the right port."
        ))
    case .loginUnavailable:
      .fail(
        .login, .nhn,
        nb: (
          "bussen kunne ikke sjekke innloggingen: {error}", "Feilen er bussens egen; passordet er ikke vurdert.",
          "Prøv igjen; blir det ved, meld det til NHN."
        ),
        en: (
          "the bus could not check the login: {error}", "The fault is the bus's own; the password was not judged.",
          "Try again; if it stays so, report it to NHN."
        ))
    case .credentialsUnavailable:
      .fail(
        .login, .us,
        nb: (
          "bruker og passord kunne ikke hentes: {error}", "Ingen innlogging ble forsøkt.",
          "Se etter filen eller hvelvet som passordet hentes fra."
        ),
        en: (
          "user and password could not be had: {error}", "No login was tried.",
          "Check the file or vault that the password comes from."
        ))
    case .otherAMQP:
      .fail(
        .login, .nhn,
        nb: (
          "porten snakker {spoken}",
          "Det er en AMQP-buss, men ikke AMQP 1.0: tillegget for 1.0 mangler, eller porten er for 0-9-1.",
          "Be NHN slå på AMQP 1.0 (rabbitmq_amqp1_0 på RabbitMQ 3), eller oppgi riktig port."
        ),
        en: (
          "the port speaks {spoken}", "It is an AMQP bus, but not AMQP 1.0: the plugin for 1.0 lacks, or the port is for 0-9-1.",
          "Have NHN switch on AMQP 1.0 (rabbitmq_amqp1_0 on RabbitMQ 3), or tell the right port."
        ))
    case .notAMQP:
      .fail(
        .login, .us,
        nb: (
          "porten snakker {spoken}", "Det som svarer er ikke en AMQP-buss i det hele tatt.",
          "Rett vert og port i oppsettet (5671 eller 5672)."
        ),
        en: (
          "the port speaks {spoken} instead", "What answers is no AMQP bus at all.",
          "Correct host and port in the configuration (5671 or 5672)."
        ))
    case .wantsTLS:
      .fail(
        .login, .us,
        nb: (
          "porten svarte med TLS ({spoken})", "Porten er for kryptert AMQP, men tilkoblingsstrengen sier amqp://.",
          "Skriv amqps:// i tilkoblingsstrengen."
        ),
        en: (
          "the port answered with TLS ({spoken})", "The port is for encrypted AMQP, but the connection string says amqp://.",
          "Write amqps:// in the connection string."
        ))
    case .wantsNoLogin:
      .fail(
        .login, .nhn,
        nb: (
          "porten snakker {spoken}, uten innlogging (SASL)",
          "Bussen på denne porten lar ingen logge inn, så den vet ikke hvem som sender.",
          "Be NHN om porten med innlogging."
        ),
        en: (
          "the port speaks {spoken}, without a login (SASL)",
          "The bus on this port has nobody log in, so it does not know who sends.",
          "Ask NHN for the port with a login."
        ))
    case .loginSilent:
      .fail(
        .login, .nhn,
        nb: (
          "ingen svarte på AMQP-hodet innen {seconds} s; vi så {spoken}",
          "Forbindelsen er oppe, men det som er bak porten sier ingenting.",
          "Meld det til NHN: bussen henger, eller en lastdeler mangler mål."
        ),
        en: (
          "nobody answered the AMQP header in {seconds} s; {spoken} was seen",
          "The connection is up, but what is behind the port says nothing.",
          "Report it to NHN: the bus hangs, or a load balancer has no target."
        ))
    case .loginCut:
      .fail(
        .login, .nhn,
        nb: (
          "forbindelsen ble brutt under innloggingen: {error}; prøvd etterpå: {tried}", "Bussen la på uten å si hvorfor.",
          "Prøv igjen; blir det ved, meld det til NHN."
        ),
        en: (
          "the connection was cut during the login: {error}; tried then: {tried}", "The bus hung up without a reason.",
          "Try again; if it stays so, report it to NHN."
        ))
    case .loginFailed:
      .fail(
        .login, .us,
        nb: ("innloggingen kom ikke i mål: {error}", "Verken godtatt eller avvist.", "Se feilkoden i docs/error-codes.md."),
        en: ("the login did not come to its end: {error}", "Neither taken nor refused.", "See the code in docs/error-codes.md."))
    default: nil
    }
  }

  /// Rungs 24 and 25.
  var connectionWords: ProbeWords? {
    switch self {
    case .opened:
      .good(
        .open, nb: ("{product}, container {container}, ramme høyst {frame} byte, tomgang {idle} s", "AMQP-forbindelsen er åpen."),
        en: ("{product}, container {container}, frames up to {frame} bytes, idle {idle} s", "The AMQP connection is open."))
    case .virtualHostRefused:
      .fail(
        .open, .nhn,
        nb: (
          "bussen lukket: {condition}; virtuell vert {virtualHost}",
          "Innloggingen er god, men brukeren har ingen rett til den virtuelle verten, eller den finnes ikke.",
          "Se etter navnet på den virtuelle verten i oppsettet; be NHN gi brukeren rett til den."
        ),
        en: (
          "the bus closed: {condition}; virtual host {virtualHost}",
          "The login is good, but the user has no right to the virtual host, or there is none of that name.",
          "Check the virtual host's name in the configuration; ask NHN to give the user the right to it."
        ))
    case .connectionLimit:
      .fail(
        .open, .us,
        nb: (
          "bussen lukket: {condition}", "Brukeren eller den virtuelle verten har så mange forbindelser som den får ha.",
          "Se etter prosesser som ikke lukker forbindelsene sine; ellers be NHN heve grensen."
        ),
        en: (
          "the bus closed for its limit: {condition}", "The user or the virtual host has as many connections as it may.",
          "Look for processes that do not close their connections; else ask NHN to raise the limit."
        ))
    case .openCutSilently:
      .fail(
        .open, .nhn,
        nb: (
          "bussen brøt forbindelsen uten et ord etter innloggingen; virtuell vert {virtualHost}; prøvd etterpå: {tried}",
          "Bussen sier ikke hvorfor. På RabbitMQ 4 er det slik når den virtuelle verten ikke finnes, eller brukeren ikke har rett til den; full grense for forbindelser ser likedan ut.",
          "Spør NHN hva bussens logg sier om brukeren på dette klokkeslettet."
        ),
        en: (
          "the bus cut the connection without a word after the login; virtual host {virtualHost}; tried then: {tried}",
          "The bus does not say why. RabbitMQ 4 does so where there is no such virtual host, or the user has no right to it; a limit of connections looks the same.",
          "Ask NHN what the bus's log says of the user at this time."
        ))
    case .openCutByVirtualHost:
      .fail(
        .open, .us,
        nb: (
          "bussen brøt forbindelsen uten et ord etter innloggingen; virtuell vert {virtualHost}; prøvd etterpå: {tried}",
          "Bussen sier ikke hvorfor, men uten den virtuelle verten slipper den oss inn: navnet er feil, eller brukeren har ikke rett til den.",
          "Rett navnet på den virtuelle verten i oppsettet; er det riktig, be NHN gi brukeren rett til den."
        ),
        en: (
          "the bus cut the connection without a word after the login; virtual host {virtualHost}; tried then: {tried}",
          "The bus does not say why, but without the virtual host it lets us in: the name is wrong, or the user has no right to it.",
          "Correct the virtual host's name in the configuration; if it is right, ask NHN to give the user the right to it."
        ))
    case .openSilent:
      .fail(
        .open, .nhn,
        nb: (
          "innlogget, men bussen åpnet ikke innen {seconds} s: {error}", "Bussen er der, men er for opptatt eller henger.",
          "Prøv igjen; blir det ved, meld det til NHN."
        ),
        en: (
          "logged in, but the bus did not open in {seconds} s: {error}", "The bus is there, but is too busy or hangs.",
          "Try again; if it stays so, report it to NHN."
        ))
    case .openClosed:
      .fail(
        .open, .nhn,
        nb: (
          "bussen lukket forbindelsen: {condition}", "Innloggingen er god, men bussen ville ikke åpne, av grunnen den sier.",
          "Meld bussens egne ord til NHN."
        ),
        en: (
          "the bus closed the connection: {condition}", "The login is good, but the bus would not open, for the reason it gives.",
          "Report the bus's own words to NHN."
        ))
    case .openFailed:
      .fail(
        .open, .us,
        nb: (
          "forbindelsen ble ikke åpnet: {error}", "Den kom ikke i mål etter innloggingen.", "Se feilkoden i docs/error-codes.md."
        ),
        en: (
          "the connection was not opened: {error}", "It did not come to its end after the login.",
          "See the code in docs/error-codes.md."
        ))

    case .begun:
      .good(
        .begin, nb: ("sesjon åpnet; bussen tillater {sessions} samtidig", "Bussen ga oss en sesjon."),
        en: ("a session was begun; the bus allows {sessions} at a time", "The bus gave us a session."))
    case .sessionLimit:
      .fail(
        .begin, .us,
        nb: (
          "ingen flere sesjoner: {error}", "Forbindelsen har så mange sesjoner som bussen tillater.",
          "Prøv igjen alene; skjer det da også, meld det som en feil i programmet."
        ),
        en: (
          "no more sessions: {error}", "The connection has as many sessions as the bus allows.",
          "Try again alone; if it happens then too, report it as a bug of the program."
        ))
    case .sessionRefused:
      .fail(
        .begin, .nhn,
        nb: (
          "bussen avsluttet sesjonen: {condition}", "Forbindelsen er åpen, men bussen ga ingen sesjon.",
          "Meld bussens egne ord til NHN."
        ),
        en: (
          "the bus ended the session: {condition}", "The connection is open, but the bus gave no session.",
          "Report the bus's own words to NHN."
        ))
    case .sessionFailed:
      .fail(
        .begin, .nhn,
        nb: (
          "ingen sesjon kom i stand: {error}", "Forbindelsen er åpen, men ble borte før sesjonen var der.",
          "Prøv igjen; blir det ved, meld det til NHN."
        ),
        en: (
          "no session came about: {error}", "The connection is open, but was lost before the session was there.",
          "Try again; if it stays so, report it to NHN."
        ))
    default: nil
    }
  }
}
