// SPDX-License-Identifier: Apache-2.0

extension ProbeFinding {
  /// Rungs 20 and 21.
  var networkWords: ProbeWords? {
    switch self {
    case .namesFound:
      .good(
        .names, nb: ("{host}: {addresses}", "Vertsnavnet har adresser."),
        en: ("{host} has {addresses}", "The host name has addresses."))
    case .namesUnknown:
      .fail(
        .names, .us,
        nb: (
          "{host}: navnet finnes ikke (NXDOMAIN)", "Navnetjenesten svarer at ingen vert heter dette.",
          "Se etter skrivemåten i oppsettet; er den riktig, spør NHN hva bussen heter nå."
        ),
        en: (
          "{host}: no such name (NXDOMAIN)", "The name service says that no host is called this.",
          "Check the spelling in the configuration; if it is right, ask NHN what the bus is called now."
        ))
    case .namesNoAddress:
      .fail(
        .names, .network,
        nb: (
          "{host}: navnet finnes, men har ingen adresse (NOERROR uten svar)",
          "Navnet er registrert uten IP-adresse, eller bare synlig i et annet nett.",
          "Spør om denne maskinen skal bruke en annen navnetjener (helsenettets)."
        ),
        en: (
          "{host}: the name exists, but has no address (NOERROR without answer)",
          "The name is registered without an IP address, or is visible in another network only.",
          "Ask whether this machine is to use another name server (the health network's)."
        ))
    case .namesServerFailed:
      .fail(
        .names, .network,
        nb: (
          "{host}: navnetjeneren {servers} svarte {error}", "Navnetjeneren har selv en feil; om verten finnes, vet vi ikke.",
          "Meld det til dem som driver navnetjeneren; prøv igjen om litt."
        ),
        en: (
          "{host}: the name server {servers} answered {error}",
          "The name server itself fails; whether the host exists is not known.",
          "Tell those who run the name server; try again in a while."
        ))
    case .namesServerSilent:
      .fail(
        .names, .network,
        nb: (
          "{host}: navnetjeneren {servers} svarte ikke innen {seconds} s",
          "Navnetjeneren nås ikke; om verten finnes, vet vi ikke.",
          "Se etter nettet på denne maskinen og adressen til navnetjeneren (resolv.conf)."
        ),
        en: (
          "{host}: the name server {servers} did not answer in {seconds} s",
          "The name server is not reached; whether the host exists is not known.",
          "Check this machine's network and the name server's address (resolv.conf)."
        ))
    case .namesFailed:
      .fail(
        .names, .us,
        nb: (
          "{host}: oppslaget feilet: {error}", "Maskinens navneoppslag virker ikke; om verten finnes, vet vi ikke.",
          "Se etter navneoppslaget på denne maskinen (nsswitch.conf, resolv.conf)."
        ),
        en: (
          "{host}: the look-up failed: {error}",
          "This machine's name look-up does not work; whether the host exists is not known.",
          "Check this machine's name look-up (nsswitch.conf, resolv.conf)."
        ))

    case .reached:
      .good(
        .reach, nb: ("{answers}", "Porten svarer på alle adressene."),
        en: ("all: {answers}", "The port answers on every address."))
    case .reachedSome:
      .warn(
        .reach, .nhn,
        nb: (
          "noen: {answers}", "Porten svarer bare på noen av vertens adresser.", "Si fra til NHN hvilken adresse som ikke svarer."
        ),
        en: (
          "some: {answers}", "The port answers on some of the host's addresses only.", "Tell NHN which address does not answer."
        ))
    case .refused:
      .fail(
        .reach, .nhn,
        nb: (
          "{answers}", "Maskinen er der, men ingen lytter på porten: bussen er nede, eller porten er feil.",
          "Se etter porten i oppsettet (5671); er den riktig, meld det til NHN."
        ),
        en: (
          "refused: {answers}", "The machine is there, but nothing listens on that port: the bus is down, or the port is wrong.",
          "Check the port in the configuration (5671); if it is right, report it to NHN."
        ))
    case .unanswered:
      .fail(
        .reach, .network,
        nb: (
          "{answers}", "Ingen svarer i det hele tatt: en brannmur kaster pakkene, eller maskinen er av.",
          "Be om åpning i brannmuren fra denne maskinen til vert og port over."
        ),
        en: (
          "filtered: {answers}", "Nobody answers at all: a firewall drops the packets, or the machine is off.",
          "Ask for an opening in the firewall from this machine to the host and port above."
        ))
    case .unreachable:
      .fail(
        .reach, .network,
        nb: (
          "{answers}", "Nettet sier at det ikke finnes noen vei dit, eller at veien er stengt.",
          "Se etter VPN, helsenettet og rutene på denne maskinen."
        ),
        en: (
          "no route: {answers}", "The network says that there is no way there, or that it is closed.",
          "Check VPN, health network and routes of this machine."
        ))
    default: nil
    }
  }

  /// Rung 22.
  var encryptionWords: ProbeWords? {
    switch self {
    case .encrypted:
      .good(
        .encryption,
        nb: ("{version}, {cipher}, sertifikatet er godt i {days} dager til", "Kryptert, og bussen har vist hvem den er."),
        en: ("{version}, {cipher}, the certificate is good for {days} days", "Encrypted, and the bus has proven who it is."))
    case .certificateEndsSoon:
      .warn(
        .encryption, .nhn,
        nb: (
          "{version}, {cipher}, sertifikatet går ut om {days} dager", "I orden ennå, men bussens sertifikat går snart ut.",
          "Minn NHN på at det må fornyes."
        ),
        en: (
          "{version}, {cipher}, the certificate ends in {days} days", "Good still, but the bus's certificate ends soon.",
          "Remind NHN to renew it."
        ))
    case .certificateExpired:
      .fail(
        .encryption, .nhn,
        nb: (
          "sertifikatet gikk ut {date}, for {days} dager siden", "Bussens sertifikat er utløpt; ingenting ble sendt.",
          "Se etter klokken på denne maskinen; er den riktig, må NHN fornye sertifikatet."
        ),
        en: (
          "the certificate ended {date}, {days} days ago", "The bus's certificate has expired; nothing was sent.",
          "Check this machine's clock; if it is right, NHN has to renew the certificate."
        ))
    case .certificateNotYetValid:
      .fail(
        .encryption, .us,
        nb: (
          "sertifikatet gjelder fra {date}, om {days} dager",
          "Etter klokken på denne maskinen gjelder bussens sertifikat ikke ennå.",
          "Still klokken på denne maskinen; går den riktig, meld det til NHN."
        ),
        en: (
          "the certificate begins {date}, in {days} days", "By this machine's clock the bus's certificate is not valid yet.",
          "Set this machine's clock; if it is right, report it to NHN."
        ))
    case .certificateWrongName:
      .fail(
        .encryption, .us,
        nb: (
          "sertifikatet gjelder {presented}, ikke {wanted}",
          "Bussens sertifikat er utstedt til et annet navn enn det vi kobler til.",
          "Bruk et vertsnavn som står i sertifikatet; slå aldri av kontrollen."
        ),
        en: (
          "the certificate is for {presented}, not for {wanted}",
          "The bus's certificate is for another name than the one we connect to.",
          "Use a host name that the certificate has; never switch the check off."
        ))
    case .certificateSelfSigned:
      .fail(
        .encryption, .us,
        nb: (
          "sertifikatet {subject} har signert seg selv", "Ingen går god for bussens sertifikat, så det kan være hvem som helst.",
          "Spør NHN om det er deres; da settes filen opp som utsteder (CA). Slå aldri av kontrollen."
        ),
        en: (
          "the certificate {subject} has signed itself", "Nobody vouches for the bus's certificate, so it could be anybody.",
          "Ask NHN whether it is theirs; then configure its file as authority (CA). Never switch the check off."
        ))
    case .certificateUnknownAuthority:
      .fail(
        .encryption, .us,
        nb: (
          "sertifikatet er utstedt av {issuer}",
          "Vi stoler ikke på den utstederen: den mangler i oppsettet, eller noen har stilt seg imellom.",
          "Er det NHNs utsteder, legg filen dens (CA) i oppsettet; ellers si fra til dem som driver nettet."
        ),
        en: (
          "the certificate was issued by {issuer}",
          "We do not trust that authority: it lacks in the configuration, or somebody stands between.",
          "If it is NHN's authority, put its file (CA) in the configuration; otherwise tell those who run the network."
        ))
    case .certificateUntrusted:
      .fail(
        .encryption, .us,
        nb: (
          "sertifikatet ble ikke godtatt: {error}", "Bussen har ikke vist hvem den er.",
          "Se etter vertsnavn og utsteder (CA) i oppsettet."
        ),
        en: (
          "the certificate was not accepted: {error}", "The bus has not proven who it is.",
          "Check host name and authority (CA) in the configuration."
        ))
    case .versionRefused:
      .fail(
        .encryption, .nhn,
        nb: (
          "ingen felles TLS-versjon: {error}", "Bussen kan bare TLS som er eldre enn 1.2, og det er ikke trygt.",
          "NHN må slå på TLS 1.2 eller nyere; eldre tilbys ikke herfra."
        ),
        en: (
          "no TLS version in common: {error}", "The bus knows only TLS older than 1.2, which is not safe.",
          "NHN has to switch on TLS 1.2 or later; older ones are not offered from here."
        ))
    case .noCommonCipher:
      .fail(
        .encryption, .nhn,
        nb: (
          "bussen avbrøt: {error}", "Bussen og vi har ingen krypteringsmåte (cipher) felles.",
          "NHN må slå på en moderne krypteringsmåte (ECDHE med AES-GCM)."
        ),
        en: (
          "the bus broke off: {error}", "The bus and this side have no cipher in common.",
          "NHN has to switch on a modern cipher (ECDHE with AES-GCM)."
        ))
    case .clientCertificateWanted:
      .fail(
        .encryption, .us,
        nb: (
          "bussen ba om klientsertifikat: {error}",
          "Bussen slipper bare inn dem som viser et sertifikat, og her er intet satt opp.",
          "Sett opp klientsertifikat og nøkkel for bussen, eller bruk porten som ikke krever det."
        ),
        en: (
          "the bus asked for a client certificate: {error}",
          "The bus lets in only those who show a certificate, and none is configured here.",
          "Configure certificate and key for this bus, or use the port that does not ask for one."
        ))
    case .clientCertificateRefused:
      .fail(
        .encryption, .us,
        nb: (
          "bussen tok ikke klientsertifikatet vårt: {error}", "Utsteder, tid eller slag passer ikke bussen.",
          "Se etter datoene i klientsertifikatet, og om NHN stoler på utstederen."
        ),
        en: (
          "the bus did not take our client certificate: {error}", "Its issuer, dates or kind do not suit the bus.",
          "Check the dates of the client certificate, and whether NHN trusts its issuer."
        ))
    case .notTLS:
      .fail(
        .encryption, .us,
        nb: (
          "porten snakker ikke TLS, men {spoken}", "Det er feil port: den er ikke for kryptert AMQP.",
          "Bruk porten for amqps (5671), ikke den for ukryptert AMQP (5672)."
        ),
        en: (
          "the port does not speak TLS but {spoken}", "It is the wrong port: it is not for encrypted AMQP.",
          "Use the port for amqps (5671), not the one for plain AMQP (5672)."
        ))
    case .handshakeCut:
      .fail(
        .encryption, .network,
        nb: (
          "forbindelsen ble brutt midt i håndtrykket: {error}",
          "Noe mellom oss og bussen, eller bussen selv, la på under krypteringen.",
          "Spør dem som driver brannmuren om den bryter inn i TLS; så NHN."
        ),
        en: (
          "the connection was cut in the handshake: {error}",
          "Something between us and the bus, or the bus itself, hung up during encryption.",
          "Ask those who run the firewall whether it interferes with TLS; then NHN."
        ))
    case .handshakeSilent:
      .fail(
        .encryption, .nhn,
        nb: (
          "TCP er oppe, men ingen svarte på TLS innen {seconds} s",
          "Porten er åpen, men det bak den svarer ikke: bussen henger, eller en lastdeler mangler mål.",
          "Meld det til NHN."
        ),
        en: (
          "TCP is up, but nobody answered TLS in {seconds} s",
          "The port is open, but what is behind it does not answer: the bus hangs, or a load balancer has no target.",
          "Report it to NHN."
        ))
    case .encryptionFailed:
      .fail(
        .encryption, .us,
        nb: (
          "ingen kryptert forbindelse: {error}", "Håndtrykket kom ikke i mål.",
          "Se etter porten (5671), og at den snakker TLS 1.2 eller nyere."
        ),
        en: (
          "no encrypted connection: {error}", "The handshake did not come to its end.",
          "Check the port (5671), and that it speaks TLS 1.2 or later."
        ))
    case .notEncrypted:
      .impossible(
        .encryption,
        nb: ("tilkoblingsstrengen sier amqp://", "Ingenting er kryptert.", "Bruk amqps:// utenfor testmaskiner."),
        en: ("the connection string says amqp://", "Nothing is encrypted.", "Use amqps:// outside test machines."))
    default: nil
    }
  }
}
