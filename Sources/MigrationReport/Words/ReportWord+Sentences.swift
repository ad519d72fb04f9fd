// SPDX-License-Identifier: Apache-2.0

extension ReportWord {
  /// Sentences, and the names of phases, incidents and classes.
  var sentencePhrase: Phrase {
    switch self {
    case .recWait: Phrase("VENT", "WAIT")
    case .recAccept: Phrase("RULL UT", "ROLL OUT")
    case .recAcceptExceptions: Phrase("RULL UT, MED UNNTAK", "ROLL OUT, WITH EXCEPTIONS")
    case .recDoNot: Phrase("IKKE RULL UT", "DO NOT ROLL OUT")
    case .recNothing: Phrase("INGENTING Å BESLUTTE", "NOTHING TO DECIDE")
    case .recWaitText: Phrase("Puljen er ikke kommet til beslutning.", "The pulje has not come to its decision.")
    case .recAcceptText:
      Phrase(
        "Alt som skulle vises, er vist. Les forbeholdene.",
        "All that was to be shown is shown. Read the doubts.")
    case .recAcceptExceptionsText:
      Phrase(
        "Flyttingen holder, og noe av den svarer folk for. Unntakene er under forbehold.",
        "The move holds, and for some of it people answer. The exceptions are among the doubts.")
    case .recDoNotText:
      Phrase(
        "Noe sto i veien og er ikke ryddet. Det står først nedenfor.",
        "Something stood in the way and is not cleared. It stands first below.")
    case .recNothingText: Phrase("Puljen er avsluttet; dette er det som skjedde.", "The pulje is over; this is what happened.")
    case .stEntriesRead:
      Phrase(
        "{0} av {1} parter er flyttet: oppføringen ble lest tilbake og var som planlagt.",
        "{0} of {1} parties have moved: the entry was read back and was as planned.")
    case .stPingsProve:
      Phrase(
        "Siste ping viste at {0} av {1} parter nås. {2} ping ble sendt, {3} mislyktes.",
        "The last ping showed that {0} of {1} parties are reached. {2} pings were sent, {3} failed.")
    case .stDrainsShown:
      Phrase(
        "{0} av {1} {1|gruppe|grupper} er tømt på kilden, {2} av dem med unntak, etter {3} avlesninger i alt.",
        "{0} of {1} {1|group is|groups are} drained at the source, {2} of them with exceptions, after {3} looks in all.")
    case .stWatchesDone:
      Phrase(
        "{0} av {1} {1|gruppe|grupper} har hele overvåkingen på {2} bak seg.",
        "{0} of {1} {1|group has|groups have} the whole watch of {2} behind them.")
    case .stGatesPass: Phrase("Alle porter er bestått for {0} {0|gruppe|grupper}.", "All gates pass for {0} {0|group|groups}.")
    case .stStillGoing:
      Phrase(
        "Puljen pågår: det er for tidlig å anbefale.",
        "The pulje is going on: it is too early to recommend.")
    case .stNothingToDecide: Phrase("Det er ingenting igjen å beslutte.", "There is nothing left to decide.")
    case .stConflicts:
      Phrase(
        "{0} {0|gruppe|grupper} er i konflikt: andre har endret registeret, og en person må se på det.",
        "{0} {0|group is|groups are} in conflict: others have changed the register, and a person must look.")
    case .stHeld:
      Phrase(
        "{0} {0|gruppe|grupper} holdes og går ikke videre av seg selv.",
        "{0} {0|group is|groups are} held and go no further by themselves.")
    case .stGatesFail: Phrase("En port er ikke bestått for {0} {0|gruppe|grupper}.", "A gate fails for {0} {0|group|groups}.")
    case .stGatesInconclusive:
      Phrase("En port er uavgjort for {0} {0|gruppe|grupper}.", "A gate is inconclusive for {0} {0|group|groups}.")
    case .stNoGates:
      Phrase(
        "Puljen har ingen porter: målbussen ble ikke målt i overvåkingen.",
        "The pulje has no gates: the target bus was not measured in the watch.")
    case .stQuarantined: Phrase("{0} {0|gruppe|grupper} er satt til side.", "{0} {0|group is|groups are} quarantined.")
    case .stRolledBack: Phrase("{0} {0|gruppe|grupper} ble snudd tilbake.", "{0} {0|group was|groups were} turned back.")
    case .stWithdrawn:
      Phrase(
        "{0} {0|gruppe|grupper} ble trukket ut før noe var skrevet.",
        "{0} {0|group was|groups were} withdrawn before anything was written.")
    case .stExceptions:
      Phrase(
        "{0} unntak: folk svarer for det som ikke er vist.",
        "{0} {0|exception:|exceptions:} people answer for what is not shown.")
    case .stCarriedOver:
      Phrase(
        "{0} {0|strandet melding|strandede meldinger} ble båret over, {1} satt til side, {2} var utløpt.",
        "{0} {0|stranded message was|stranded messages were} carried over, {1} set aside, {2} had expired.")
    case .stPossiblyTwice:
      Phrase("{0} {0|melding|meldinger} kan være kommet to ganger.", "{0} {0|message may|messages may} have come twice.")
    case .stForwarderStopped:
      Phrase(
        "Videresendingen står for {0} {0|gruppe|grupper} til en person har sett på det.",
        "Forwarding has stopped for {0} {0|group|groups} until a person has looked.")
    case .stShovelsStand:
      Phrase(
        "For {0} {0|gruppe|grupper} er en skyffel ikke vist å være borte.",
        "For {0} {0|group|groups} a shovel is not known to be gone.")
    case .stStaleSenders:
      Phrase(
        "For {0} {0|gruppe|grupper} fulgte en avsender ikke registeret.",
        "For {0} {0|group|groups} a sender did not follow the register.")
    case .stLateArrivals:
      Phrase(
        "Minst {0} {0|melding|meldinger} kom til køer som var forlatt; {1} {1|gruppe|grupper} måtte begynne stillheten på nytt.",
        "At least {0} {0|message came|messages came} to queues that had been left; {1} {1|group had|groups had} to begin their quiet anew."
      )
    case .stArrivalsNotCounted:
      Phrase(
        "For {0} {0|gruppe|grupper} teller ikke bussen det som kommer: en melding som kom og ble hentet mellom to avlesninger, er ikke sett.",
        "For {0} {0|group|groups} the bus does not count what comes: a message that came and was fetched between two looks was not seen."
      )
    case .stUnreadableLooks:
      Phrase(
        "{0} av {1} avlesninger kunne ikke leses, eller ikke helt.",
        "{0} of {1} looks could not be read, or not whole.")
    case .stPingsProveNothing:
      Phrase(
        "For {0} av {1} parter viser ikke siste ping at parten nås.",
        "For {0} of {1} parties the last ping does not show that the party is reached.")
    case .stNoEcho:
      Phrase(
        "For {0} av {1} parter svarte ikke partens eget system på ping: at noen henter, er vist på andre måter.",
        "For {0} of {1} parties the party's own system did not answer the ping: that somebody receives is shown by other signs.")
    case .stNoNegativeControl:
      Phrase(
        "For {0} av {1} parter er «tatt imot» alene ikke noe bevis: bussen avviste ikke en ukjent kø.",
        "For {0} of {1} parties “accepted” by itself proves nothing: the bus did not refuse an unknown queue.")
    case .stLatencyNotMeasured: Phrase("Svartiden for ping er ikke målt.", "The latency of pings was not measured.")
    case .stTrafficNotMeasured:
      Phrase(
        "Trafikken før og etter er ikke sammenlignet: det ble ikke telt på begge busser.",
        "Traffic before and after is not compared: it was not counted on both buses.")
    case .stUnknownOutcomes:
      Phrase(
        "{0} av {1} {1|skriving|skrivinger} fikk ikke et sikkert svar. Tilbakelesing avgjorde hver av dem.",
        "{0} of {1} {1|write had|writes had} no certain answer. Reading back decided each of them.")
    case .stByHand: Phrase("{0} {0|skriving|skrivinger} ble gjort for hånd.", "{0} {0|write was|writes were} made by hand.")
    case .stRestarts:
      Phrase(
        "Tjenesten startet {0} {0|gang|ganger} underveis; det som var vist før, ble vist på nytt.",
        "The daemon started {0} {0|time on|times on} the way; what had been shown was shown anew.")
    case .stClockSteppedBack:
      Phrase(
        "Maskinens klokke ble stilt tilbake {0} {0|gang|ganger}: varigheter der omkring er ikke sikre.",
        "The machine's clock was set back {0} {0|time:|times:} durations around that are not certain.")
    case .stNoEnvironment:
      Phrase(
        "Konfigurasjonen sier ikke hvilket miljø dette er.",
        "The configuration does not say which environment this is.")
    case .stDialectUnknown:
      Phrase(
        "Planen sier ikke hva slags busser dette er, og derfor ikke alt de kan vise.",
        "The plan does not say what the buses are, and so not all that they can show.")
    case .stReplyQueues:
      Phrase(
        "Svarkøer for synkrone meldinger står ikke i registeret; om de er flyttet, er leverandørens ord.",
        "Syncreply queues are not in the register; whether they were moved is the vendor's word.")
    case .stCounters:
      Phrase(
        "Tømmingen bygger på tellere. At partens system har behandlet det som ble hentet, viser de ikke.",
        "The drain rests on counters. That the party's system has dealt with what it fetched they do not show.")
    case .clEmptyAtEveryLook:
      Phrase(
        "Alle køer ble telt og var tomme ved hver avlesning i stillheten (tidene står i raden).",
        "Every queue was counted and empty at each look of the quiet (the times stand in the row).")
    case .clNoneCountedBetween: Phrase("Bussen telte ingen melding imellom.", "The bus counted no message in between.")
    case .clNoMoreDeadLetters:
      Phrase(
        "Det er ikke flere døde brev enn før flyttingen.",
        "There are no more dead letters than before the move.")
    case .clEveryCarriedAccounted:
      Phrase(
        "Hver melding som videresendingen tok, er gjort rede for.",
        "Each message that the forwarder took is accounted for.")
    case .clSetAsideLiesThere:
      Phrase(
        "Det som er satt til side, ligger på køene som forlates.",
        "What is set aside lies on the queues that are left.")
    case .clFetchedBetweenLooks:
      Phrase(
        "En melding som kom og ble hentet mellom to avlesninger: bussen teller ikke det som kommer.",
        "A message that came and was fetched between two looks: the bus does not count arrivals.")
    case .clQueueMadeAnew:
      Phrase(
        "En kø som ble slettet og laget på nytt mellom to avlesninger.",
        "A queue that was deleted and made anew between two looks.")
    case .clCountersLate:
      Phrase(
        "Det som kom like før en avlesning: bussens tellere er sekunder forsinket.",
        "What came right before a look: the bus's counters are seconds late.")
    case .clOwnersOfMessages:
      Phrase(
        "Hvem sine meldinger som ligger der: bussen viser dem ikke uten å dele dem ut.",
        "Whose messages lie there: the bus does not show them without handing them out.")
    case .clMissingQueuesSwallow:
      Phrase(
        "Meldinger til køer som ikke finnes: bussen tar imot og kaster dem.",
        "Messages to queues that are not there: the bus accepts and drops them.")
    case .clSubqueuesUntold:
      Phrase(
        "Planlagte, utsatte og døde meldinger: bussen oppga dem ikke hver for seg.",
        "Scheduled, deferred and dead-lettered messages: the bus did not tell of them by themselves.")
    case .clDialectUnknown:
      Phrase(
        "Hva denne bussen kan vise: planen sier ikke hva slags buss det er.",
        "What this bus can show: the plan does not say what it is.")
    case .clLastMoments:
      Phrase(
        "Det som kom i de siste øyeblikkene før en avlesning.",
        "What came in the last moments before a look.")
    case .clReplyQueuesByOtherNames:
      Phrase(
        "Svarkøer med andre navn: registeret har dem ikke.",
        "Syncreply queues by other names: the register does not hold them.")
    case .clHeldUncounted:
      Phrase(
        "Meldinger som en mottaker holder og ikke har gjort opp: denne tellemåten utelater dem.",
        "Messages that a receiver holds and has not settled: this way of counting leaves them out.")
    case .clHeldBetweenLooks:
      Phrase(
        "Det som en mottaker holdt uten å være tilkoblet ved noen avlesning.",
        "What somebody held who was attached at no look.")
    case .clShovelsKeepNoJournal:
      Phrase(
        "At hver melding ble båret, og én gang: skyfler kaster det som avvises, og fører ingen journal.",
        "That each message was carried, and once: shovels drop what is rejected, and keep no journal.")
    case .clUnreadableLooks:
      Phrase(
        "Det som lå der ved avlesninger som ikke kunne leses.",
        "What was there at looks at which counters could not be read.")
    case .clAnsweredFor:
      Phrase(
        "Det som folk svarer for, så lenge unntaket gjelder.",
        "What people answer for, as long as the exception lasts.")
    case .clAnsweredForUncounted:
      Phrase(
        "At det som ligger på en unntatt kø, er det folk svarte for.",
        "That what lies on an excepted queue is what people answered for.")
    case .clWaived: Phrase("Det som et fritak dekker.", "What a waiver covers.")
    case .clNotComeAgain:
      Phrase(
        "Hva som ble av meldinger som var i hånden da en forbindelse brøt og ikke kom igjen.",
        "What became of messages that were on hand when a link was lost and did not come again.")
    case .clPossiblyTwice:
      Phrase(
        "At hver melding ble båret én gang: noen kan være kommet to ganger.",
        "That each message was carried once: some may have come twice.")
    case .clDealtWith:
      Phrase(
        "At partens system har behandlet det som ble hentet.",
        "That the party's system has dealt with what it fetched.")
    case .inHold: Phrase("Holdt", "Held")
    case .inConflict: Phrase("Konflikt", "Conflict")
    case .inPingFailed: Phrase("Ping mislyktes", "Pings failed")
    case .inUnknownOutcome: Phrase("Ukjent utfall av en skriving", "Unknown outcome of a write")
    case .inRefusedWrite: Phrase("Skriving avvist", "Write refused")
    case .inOverwrote: Phrase("En annens endring kan være borte", "Somebody's change may be lost")
    case .inReadFailed: Phrase("Registeret kunne ikke leses", "The register could not be read")
    case .inCountersUnreadable: Phrase("Tellere kunne ikke leses", "Counters could not be read")
    case .inLateArrival: Phrase("Noe kom etter at køene var stille", "Something came after the quiet")
    case .inStaleSender: Phrase("En avsender følger ikke registeret", "A sender does not follow the register")
    case .inForwarderStopped: Phrase("Videresendingen stanset", "The forwarder stopped")
    case .inShovelStays: Phrase("En skyffel er kanskje ikke borte", "A shovel may not be gone")
    case .inQuarantine: Phrase("Satt til side", "Quarantined")
    case .inHookRefused: Phrase("Et kontrollprogram sa ikke ja", "A hook did not assent")
    case .inPaused: Phrase("Pause", "Paused")
    case .inLineStopped: Phrase("Linjen stanset", "Line stopped")
    case .inDaemonStarted: Phrase("Tjenesten startet", "Daemon started")
    case .exHold: Phrase("Gruppen går ikke videre før det er ryddet.", "The group goes no further until it is cleared.")
    case .exConflict:
      Phrase(
        "Registeret hadde verken det gamle eller det nye. Det skrives aldri over; en person avgjør.",
        "The register held neither before nor after. It is never written over; a person decides.")
    case .exPingFailed:
      Phrase(
        "Ping viste ikke at parten nås på bussen den er flyttet til.",
        "Pings did not show that the party is reached on the bus it was moved to.")
    case .exUnknownOutcome:
      Phrase(
        "Registeret svarte ikke sikkert. Oppføringen ble lest på nytt for å avgjøre det.",
        "The register gave no certain answer. The entry was read again to decide.")
    case .exRefusedWrite:
      Phrase(
        "Registeret svarte at det ikke ville skrive. Tilbakelesing avgjør.",
        "The register answered that it would not write. Reading back decides.")
    case .exOverwrote:
      Phrase(
        "Andre endret oppføringen mellom vårt blikk og vår skriving.",
        "Others changed the entry between our look and our write.")
    case .exReadFailed:
      Phrase(
        "Oppføringen kunne ikke leses; den leses igjen.",
        "The entry could not be read; it is read again.")
    case .exCountersUnreadable:
      Phrase(
        "Det som ikke kan leses, teller som ikke tømt.",
        "What cannot be read counts as not drained.")
    case .exLateArrival: Phrase("Stillheten begynte på nytt.", "The quiet began anew.")
    case .exStaleSender:
      Phrase(
        "Meldinger kom til kildebussen lenge etter flyttingen. Venting løser det ikke.",
        "Messages kept coming to the source bus long after the move. Waiting does not heal it.")
    case .exForwarderStopped:
      Phrase(
        "En person ser på det, og lar det fortsette eller avslutter.",
        "A person looks, and lets it go on or ends it.")
    case .exShovelStays:
      Phrase(
        "Den kan bære videre av seg selv; gruppen teller ikke som tømt.",
        "It may carry on by itself; the group does not count as drained.")
    case .exQuarantine: Phrase("Gruppen holder ikke opp resten av puljen.", "The group does not hold up the rest of the pulje.")
    case .exHookRefused:
      Phrase(
        "Gruppen flyttes ikke før programmet sier ja.",
        "The group is not moved before the program assents.")
    case .exPaused: Phrase("Ingenting nytt begynner; tilbakeføring er lov.", "Nothing new begins; rolling back is allowed.")
    case .exLineStopped:
      Phrase(
        "Ingenting skrives før to har sluppet linjen.",
        "Nothing is written before two have released the line.")
    case .exDaemonStarted: Phrase("Det som var vist før, vises på nytt.", "What had been shown is shown anew.")
    case .hoPreflight:
      Phrase(
        "En kontroll før flyttingen slo feil; ingenting er skrevet.",
        "A check before the cut failed; nothing has been written.")
    case .hoRecordMoved:
      Phrase(
        "Registeret er endret siden planen ble laget; ingenting er skrevet.",
        "The register has changed since the plan was made; nothing has been written.")
    case .hoPing:
      Phrase(
        "Oppføringen er flyttet, og ping viser ikke at noen mottar der.",
        "The entry is moved, and pings do not show that somebody receives there.")
    case .hoWrites:
      Phrase(
        "Skrivinger blir besvart, og oppføringen er som før.",
        "Writes are answered and the entry still reads as before.")
    case .hoInheritance:
      Phrase(
        "Overordnet oppføring er flyttet, en som arver er det ikke.",
        "The parent's entry has moved, one that inherits has not followed.")
    case .hoQueueMissing:
      Phrase(
        "En kø som forlates, er borte: meldinger kan være borte med den.",
        "A queue that is being left is gone: mail may have gone with it.")
    case .scInFlight: Phrase("kom før flyttingen", "came before the move")
    case .scStaleAddress: Phrase("gammel adresse", "stale address")
    case .scNeverLeaves: Phrase("følger aldri etter", "never leaves")
    case .scLateReply: Phrase("sent svar", "late reply")
    case .scErrorReport: Phrase("feilrapport", "error report")
    case .scDeadLetter: Phrase("dødt brev", "dead letter")
    case .scHeldBack: Phrase("holdt tilbake", "held back")
    case .scAlien: Phrase("uten avsender", "alien")
    case .scPing: Phrase("ping", "ping")
    case .scUnknown: Phrase("ukjent", "unknown")
    case .smInFlight:
      Phrase(
        "Kom før parten ble flyttet, og var ikke hentet ennå.",
        "It came before the party was moved, and was not fetched yet.")
    case .smStaleAddress:
      Phrase(
        "Avsenderen har ikke lest registeret på nytt; kopier av en adresse lever en stund.",
        "Its sender has not read the register again; copies of an address live a while.")
    case .smNeverLeaves:
      Phrase(
        "Avsenderen fortsetter lenger enn noen kopi av adressen lever. Leverandøren må flytte den.",
        "Its sender goes on later than any copy of the address lives. Its vendor must move it.")
    case .smLateReply:
      Phrase(
        "Svar på en synkron forespørsel som ingen venter på lenger.",
        "It answers a synchronous request for which nobody waits any more.")
    case .smErrorReport:
      Phrase(
        "Forteller om en feil med en tidligere melding.",
        "It tells of an error with an earlier message.")
    case .smDeadLetter:
      Phrase(
        "Gitt opp av bussen eller en mottaker; køens eier må se på det.",
        "Given up by the bus or a receiver; the queue's owner must look.")
    case .smHeldBack: Phrase("Låst, utsatt eller ment for senere.", "Locked, put off, or meant for later.")
    case .smAlien: Phrase("Oppgir ingen avsender eller har ingen id.", "It names no sender, or has no id.")
    case .smPing: Phrase("Et av våre ping, eller svaret på et.", "A ping of ours, or the answer to one.")
    case .smUnknown: Phrase("Bussen viser ikke nok til å si hva det er.", "The bus does not show enough to tell what it is.")
    case .phKnown: Phrase("kjent", "known")
    case .phPlanned: Phrase("planlagt", "planned")
    case .phReady: Phrase("klar", "ready")
    case .phArmed: Phrase("skal flyttes", "about to move")
    case .phCutIntent: Phrase("skrives", "being written")
    case .phCutUnknown: Phrase("skrevet, utfall ukjent", "written, outcome unknown")
    case .phCutApplied: Phrase("skrevet og lest tilbake", "written and read back")
    case .phVerified: Phrase("nådd av ping", "reached by ping")
    case .phDraining: Phrase("tømmes", "draining")
    case .phDrained: Phrase("tømt", "drained")
    case .phObserving: Phrase("overvåkes", "watched")
    case .phAccepted: Phrase("godkjent", "accepted")
    case .phRetired: Phrase("avviklet på kilden", "retired at the source")
    case .phRemoved: Phrase("køene kan slettes", "queues may be deleted")
    case .phBackIntent: Phrase("skrives tilbake", "being written back")
    case .phBackUnknown: Phrase("skrevet tilbake, utfall ukjent", "written back, outcome unknown")
    case .phBackApplied: Phrase("skrevet og lest tilbake på kilden", "written back and read")
    case .phBackVerified: Phrase("nådd på kilden", "reached at the source")
    case .phBackDraining: Phrase("målet tømmes", "target draining")
    case .phBackDrained: Phrase("målet er tømt", "target drained")
    case .phRestored: Phrase("tilbakeført", "restored")
    case .phConflict: Phrase("konflikt", "conflict")
    case .phWithdrawn: Phrase("trukket ut", "withdrawn")
    case .ppSealed: Phrase("forseglet", "sealed")
    case .ppPreflight: Phrase("kontrolleres", "pre-flight")
    case .ppCutover: Phrase("flyttes", "cut-over")
    case .ppVerifying: Phrase("bekreftes", "verifying")
    case .ppDraining: Phrase("tømmes", "draining")
    case .ppObserving: Phrase("overvåkes", "watched")
    case .ppDecision: Phrase("til beslutning", "awaits decision")
    case .ppDone: Phrase("ferdig", "done")
    case .ppRollingBack: Phrase("føres tilbake", "rolling back")
    case .ppRolledBack: Phrase("ført tilbake", "rolled back")
    case .ppPartlyBack: Phrase("delvis ført tilbake", "partly rolled back")
    case .ppWithdrawn: Phrase("trukket ut", "withdrawn")
    case .wrUntouched: Phrase("ikke skrevet", "not written")
    case .wrIntent: Phrase("skrives", "being written")
    case .wrUnknown: Phrase("utfall ukjent", "outcome unknown")
    case .wrAtGoal: Phrase("som planlagt", "as planned")
    case .wrConflict: Phrase("konflikt", "conflict")
    case .inherits: Phrase("følger {0}", "follows {0}")
    default: Phrase("", "")
    }
  }
}
