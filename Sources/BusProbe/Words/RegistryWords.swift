// SPDX-License-Identifier: Apache-2.0

extension ProbeFinding {
  /// Rungs 10 to 13.
  var registryWords: ProbeWords? {
    switch self {
    case .inputGood:
      .good(.input, nb: ("HER-id {herID}", "Det er et HER-id."), en: ("HER-ID {herID}", "It is a HER-ID."))
    case .inputMalformed:
      .fail(
        .input, .us,
        nb: ("«{typed}» ble skrevet", "Et HER-id er et helt tall større enn null, bare sifre.", "Se etter tallet en gang til."),
        en: ("\"{typed}\" was typed", "A HER-ID is a whole number greater than zero, digits only.", "Check the number."))

    case .cacheFresh:
      .good(
        .cache, nb: ("{name}: {address}, fra {source}, {minutes} min gammelt", "Mellomlageret vårt kjenner parten."),
        en: ("{name}: {address}, from {source}, {minutes} min old", "Our copy of the register knows the party."))
    case .cacheOld:
      .warn(
        .cache, .us,
        nb: (
          "{name}: {address}, fra {source}, {minutes} min gammelt",
          "Det vi har mellomlagret om parten er gammelt; parten kan ha flyttet siden.", "Sammenlign med trinn 12."
        ),
        en: (
          "{name}: {address}, from {source}, {minutes} min old",
          "Our copy of the party's entry is old; the party may have moved since.", "Compare with step 12."
        ))
    case .cacheLacks:
      .warn(
        .cache, .us,
        nb: (
          "HER-id {herID} er ikke i mellomlageret", "Mellomlageret vårt har ingen slik part.",
          "Se trinn 12; fyll mellomlageret hvis registeret kjenner parten."
        ),
        en: (
          "HER-ID {herID} is not in the cache", "Our copy of the register has no such party.",
          "See step 12; fill the cache if the register knows it."
        ))
    case .cacheNotConfigured:
      .impossible(
        .cache,
        nb: (
          "intet mellomlager er satt opp", "Bare Adresseregisteret selv blir spurt.",
          "Ingenting, så lenge registeret svarer i trinn 12."
        ),
        en: (
          "no cache is configured", "Only the register itself is asked.", "Nothing, as long as the register answers in step 12."
        ))
    case .cacheUnusable:
      .warn(
        .cache, .us,
        nb: (
          "mellomlageret kan ikke brukes: {error}", "Vi vet ikke hva andre som bruker det går etter.",
          "Se etter filen, rettighetene til den og om det er riktig miljø."
        ),
        en: (
          "the cache cannot be used: {error}", "What others who use it go by is not known.",
          "Check the file, its permissions, and that it is of the right environment."
        ))
    case .cacheDamaged:
      .warn(
        .cache, .us,
        nb: (
          "det som er mellomlagret om parten er skadet: {error}", "Det blir ikke brukt, verken her eller av andre.",
          "Les parten på nytt fra registeret; det retter det."
        ),
        en: (
          "what the cache has of the party is damaged: {error}", "It is not used, neither here nor by others.",
          "Read the party anew from the register; that mends it."
        ))

    case .registerAgrees:
      .good(
        .register, nb: ("{name}: {address}", "Registeret sier det samme som mellomlageret."),
        en: ("{name}: {address} in AR", "The register says the same as our copy."))
    case .registerDiffers:
      .warn(
        .register, .us,
        nb: (
          "{name}: {address} i AR, {cached} i mellomlageret",
          "Mellomlageret er gammelt: registeret sier noe annet, og det gjelder her.",
          "Oppdater mellomlageret. Avsendere med like gammel kopi sender fremdeles til den forrige adressen."
        ),
        en: (
          "{name}: {address} in AR, {cached} in our copy",
          "The copy is out of date: the register says something else, and that is used here.",
          "Refresh the cache. Senders with a copy of that age still send to the former address."
        ))
    case .registerOnly:
      .good(
        .register, nb: ("{name}: {address} i AR", "Registeret kjenner parten."),
        en: ("{name}: {address} in AR alone", "The register knows the party."))
    case .registerNotConfigured:
      .impossible(
        .register,
        nb: (
          "intet register er satt opp", "Det som følger, bygger på mellomlageret alene.",
          "Sett opp tilgang til Adresseregisteret."
        ),
        en: ("no register is configured", "What follows rests on our copy alone.", "Configure access to the address register."))
    case .registerUnknown:
      .fail(
        .register, .party,
        nb: (
          "HER-id {herID} finnes ikke i AR", "Adresseregisteret har ingen part med dette nummeret.",
          "Spør innringeren om nummeret; er det riktig, må parten registreres i AR."
        ),
        en: (
          "HER-ID {herID} is not in AR", "The address register has no party of this number.",
          "Ask the caller for the number; if it is right, the party has to be registered in AR."
        ))
    case .registerUnreachable:
      .fail(
        .register, .network,
        nb: (
          "Adresseregisteret svarte ikke: {error}", "Om parten har flyttet, vet vi ikke.",
          "Se etter nett og brannmur mot AR; se NHNs driftsmeldinger."
        ),
        en: (
          "the address register did not answer: {error}", "Whether the party has moved is not known.",
          "Check network and firewall towards AR; see NHN's service messages."
        ))
    case .registerRefused:
      .fail(
        .register, .us,
        nb: (
          "Adresseregisteret slapp oss ikke inn: {error}", "Brukeren, passordet eller rettighetene våre i AR stemmer ikke.",
          "Rett brukeren for AR i oppsettet, eller be NHN om rettigheten."
        ),
        en: (
          "the address register did not let us in: {error}", "Our user, password or rights in AR are not right.",
          "Correct the user for AR in the configuration, or ask NHN for the right."
        ))
    case .registerFaulty:
      .fail(
        .register, .nhn,
        nb: (
          "Adresseregisteret svarte med en feil: {error}", "Registeret er der, men ga ikke noe svar som kan brukes.",
          "Prøv igjen; blir det ved, meld det til NHN med ordene over."
        ),
        en: (
          "the address register answered with a fault: {error}", "The register is there, but gave no answer that can be used.",
          "Try again; if it stays so, report it to NHN with the words above."
        ))

    case .decided:
      .good(
        .decision, nb: ("buss {bus}, {address}, {origin}", "Adressen ligger på en buss vi kjenner."),
        en: ("bus {bus}, {address}, {origin} (decided)", "The address lies on a bus we know."))
    case .decidedFromOldCache:
      .warn(
        .decision, .us,
        nb: (
          "buss {bus}, {address}, {origin}, {minutes} min gammelt",
          "Adressen ligger på en buss vi kjenner, men kunnskapen er gammel.",
          "Sett opp tilgang til registeret, eller oppdater mellomlageret."
        ),
        en: (
          "bus {bus}, {address}, {origin}, {minutes} min old", "The address lies on a bus we know, but the knowledge is old.",
          "Configure the register to be asked, or refresh the cache."
        ))
    case .addressGiven:
      .good(
        .decision, nb: ("buss {bus}, {address}, oppgitt av den som spør", "Adressen ble gitt, så registeret ble ikke spurt."),
        en: ("bus {bus}, {address}, given by the one who asks", "The address was given, so the register was not asked."))
    case .halfMoved:
      .fail(
        .decision, .nhn,
        nb: (
          "{queues}", "Partens køer ligger på ulike busser: flyttingen er bare halvt gjort.",
          "Ring dem som står for flyttingen: den må gjøres ferdig, eller tas tilbake."
        ),
        en: (
          "queues: {queues}", "The party's queues lie on different buses: it was moved by half.",
          "Call those who run the migration: finish the move, or take it back."
        ))
    case .pathDiffers:
      .warn(
        .decision, .us,
        nb: (
          "{address} på {bus}; tilkoblingsstrengen vår har /{path}",
          "Registerets sti er ikke exchange eller navnerom i tilkoblingsstrengen vår; vår brukes.",
          "Sammenlign skrivemåten i begge; store og små bokstaver teller."
        ),
        en: (
          "{address} on {bus}; our connection string has /{path}",
          "The register's path is not the exchange or namespace of our connection string; ours is used.",
          "Compare case and spelling of both; they are case-sensitive."
        ))
    case .partyInactive:
      .fail(
        .decision, .party,
        nb: (
          "HER-id {herID} er ikke aktivt i AR", "Parten er tatt ut av bruk i Adresseregisteret; ingen skal sende til den.",
          "Spør parten om det er riktig, og hvilket HER-id som gjelder nå."
        ),
        en: (
          "HER-ID {herID} is not active in AR", "The party is out of use in the address register; nobody is to send to it.",
          "Ask the party whether that is right, and which HER-ID it uses now."
        ))
    case .addressMissing:
      .fail(
        .decision, .party,
        nb: (
          "HER-id {herID} har ingen {kind}-kø i AR", "Parten kan ikke motta slike meldinger over AMQP.",
          "Parten eller leverandøren må få adressen registrert i AR."
        ),
        en: (
          "HER-ID {herID} has no {kind} queue in AR", "The party cannot receive such messages over AMQP.",
          "The party or its vendor has to have the address registered in AR."
        ))
    case .addressMalformed:
      .fail(
        .decision, .party,
        nb: (
          "adressen i AR er «{address}»", "Det er ingen køadresse (vert/sti/kø), så ingen kan sende dit.",
          "Adressen må rettes i AR av den som eier oppføringen."
        ),
        en: (
          "the address in AR is \"{address}\"", "It is no queue address (host/path/queue), so nobody can send there.",
          "Whoever owns the entry in AR has to correct the address."
        ))
    case .addressAmbiguous:
      .fail(
        .decision, .party,
        nb: (
          "AR har flere {kind}-adresser: {queues}", "Hvilken som gjelder, kan ingen vite.",
          "Den som eier oppføringen i AR, må ta bort de adressene som ikke gjelder."
        ),
        en: (
          "AR has several {kind} addresses: {queues}", "Nobody can know which one holds.",
          "Whoever owns the entry in AR has to remove those that do not hold."
        ))
    case .otherTransport:
      .fail(
        .decision, .party,
        nb: (
          "AR har bare adresser av typen {kind}", "Parten mottar ikke over AMQP, men på en annen måte, som e-post.",
          "Send på den måten parten har, eller spør parten når den får AMQP."
        ),
        en: (
          "AR has addresses of the type {kind} only", "The party does not receive over AMQP but in another way, such as mail.",
          "Send in the way the party has, or ask it when it will have AMQP."
        ))
    case .addressOnNoBus:
      .fail(
        .decision, .us,
        nb: (
          "{address}; satt opp her: {buses}", "Verten i adressen hører ikke til noen buss i oppsettet vårt.",
          "Legg bussen eller vertsnavnet til i oppsettet; er navnet feilskrevet, må AR rettes."
        ),
        en: (
          "{address}; configured here: {buses}", "The address's host belongs to no bus of our configuration.",
          "Add the bus or the host name to the configuration; if the name is misspelt, AR has to be corrected."
        ))
    case .addressOnSeveralBuses:
      .fail(
        .decision, .us,
        nb: (
          "{address} passer på {buses}", "Samme vertsnavn står på flere busser i oppsettet vårt.",
          "La hvert vertsnavn stå på én buss i oppsettet."
        ),
        en: (
          "{address} fits {buses}", "One host name stands at several buses of our configuration.",
          "Have each host name at one bus of the configuration."
        ))
    case .nobodyKnows:
      .fail(
        .decision, .us,
        nb: (
          "HER-id {herID} er ikke i mellomlageret, og AR kunne ikke spørres", "Vi vet ikke hvor parten er.",
          "Sett opp tilgang til AR, fyll mellomlageret, eller oppgi adressen selv."
        ),
        en: (
          "HER-ID {herID} is not in the cache, and AR could not be asked", "Where the party is, is not known.",
          "Configure access to AR, fill the cache, or give the address yourself."
        ))
    case .notDecided:
      .fail(
        .decision, .us,
        nb: (
          "ingen buss ble valgt: {error}", "Oppføringen kunne ikke brukes til å velge buss og kø.",
          "Se feilkoden i docs/error-codes.md."
        ),
        en: (
          "no bus was chosen: {error}", "The entry could not be used to choose bus and queue.",
          "See the code in docs/error-codes.md."
        ))
    default: nil
    }
  }
}
