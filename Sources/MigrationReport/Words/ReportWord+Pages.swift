// SPDX-License-Identifier: Apache-2.0

extension ReportWord {
  /// In each language.
  public var phrase: Phrase { self.pagePhrase ?? self.sentencePhrase }

  /// Headings, columns and notes.
  private var pagePhrase: Phrase? {
    switch self {
    case .title: Phrase("Rapport fra pulje {0}", "Report on pulje {0}")
    case .subtitle: Phrase("Flytting fra {0} til {1}", "Move from {0} to {1}")
    case .production: Phrase("PRODUKSJON", "PRODUCTION")
    case .notProduction: Phrase("{0} – ikke produksjon", "{0} – not production")
    case .environmentUnknown: Phrase("MILJØET ER IKKE NAVNGITT", "THE ENVIRONMENT IS NOT NAMED")
    case .environment: Phrase("Miljø", "Environment")
    case .madeAt: Phrase("Rapporten er laget", "Report made")
    case .phase: Phrase("Fase", "Phase")
    case .page: Phrase("Side", "Page")
    case .of: Phrase("av", "of")
    case .timesNote:
      Phrase(
        "Alle tider er norsk tid (Europe/Oslo). Det som står i anførselstegn, er gjengitt slik det ble skrevet da det skjedde; det tjenesten selv noterte, er på engelsk.",
        "All times are Norwegian time (Europe/Oslo). What stands in quotation marks is as it was written when it happened.")
    case .nobody: Phrase("ingen", "nobody")
    case .none: Phrase("Ingen.", "None.")
    case .yes: Phrase("ja", "yes")
    case .no: Phrase("nei", "no")
    case .notMeasured: Phrase("Ikke målt.", "Not measured.")
    case .ongoing: Phrase("pågår", "goes on")
    case .andMore: Phrase("og {0} til", "and {0} more")
    case .contents: Phrase("Innhold", "Contents")
    case .recommendation: Phrase("Anbefaling om utrulling", "Recommendation for roll-out")
    case .reasons: Phrase("Det anbefalingen bygger på", "What it rests on")
    case .doubts: Phrase("Forbehold", "Doubts")
    case .noDoubts: Phrase("Ingen forbehold er kjent.", "No doubts are known.")
    case .inShort: Phrase("Kort fortalt", "In short")
    case .parties: Phrase("Parter", "Parties")
    case .groups: Phrase("Grupper", "Groups")
    case .moved: Phrase("Flyttet", "Moved")
    case .rolledBackParties: Phrase("Tilbakeført", "Rolled back")
    case .quarantinedParties: Phrase("Satt til side", "Set aside")
    case .withdrawnParties: Phrase("Trukket ut", "Withdrawn")
    case .sealedBy: Phrase("Planen er forseglet av", "Plan sealed by")
    case .approvedBy: Phrase("Godkjent av", "Approved by")
    case .startedAt: Phrase("Startet", "Started")
    case .planHash: Phrase("Planens kontrollsum", "Plan's checksum")
    case .lateMessages: Phrase("Meldinger som kom for sent", "Messages that came late")
    case .pings: Phrase("Ping", "Pings")
    case .failed: Phrase("mislyktes", "failed")
    case .looksAtCounters: Phrase("Avlesninger av tellerne", "Looks at the counters")
    case .unreadable: Phrase("uleselige", "unreadable")
    case .pausedNow: Phrase("Puljen er satt på pause siden {0} av {1}", "The pulje is paused since {0} by {1}")
    case .lineStoppedNow: Phrase("Linjen er stanset siden {0} av {1}", "The line is stopped since {0} by {1}")
    case .groupsByPhase: Phrase("Gruppene fordelt på fase", "Groups by phase")
    case .whatMoved: Phrase("Hva ble flyttet, når, og av hvem", "What moved, when, by whom")
    case .whatMovedNote:
      Phrase(
        "Hver part med tidene fra skriving i adresseregisteret til godkjenning. Parter som deler kø, flyttes som én gruppe og har samme tider.",
        "Each party with its times from the write to the address register until acceptance. Parties that share a queue move as one group and have the same times."
      )
    case .showAll: Phrase("Vis alle {0}", "Show all {0}")
    case .herID: Phrase("HER-id", "HER-ID")
    case .name: Phrase("Navn", "Name")
    case .vendor: Phrase("Leverandør", "Vendor")
    case .organisation: Phrase("Organisasjon", "Organisation")
    case .below: Phrase("under {0}", "below {0}")
    case .wave: Phrase("Bølge", "Wave")
    case .group: Phrase("Gruppe", "Group")
    case .cutOver: Phrase("Skrevet", "Written")
    case .applied: Phrase("Lest tilbake", "Read back")
    case .verified: Phrase("Nådd av ping", "Reached by ping")
    case .drained: Phrase("Tømt", "Drained")
    case .watchUntil: Phrase("Overvåket til", "Watched until")
    case .accepted: Phrase("Godkjent", "Accepted")
    case .by: Phrase("Av", "By")
    case .retired: Phrase("Avviklet", "Retired")
    case .entry: Phrase("Oppføring", "Entry")
    case .byVendor: Phrase("Fordelt på leverandør", "By vendor")
    case .byWave: Phrase("Fordelt på bølge", "By wave")
    case .firstWritten: Phrase("Første skriving", "First write")
    case .lastWritten: Phrase("Siste skriving", "Last write")
    case .plots: Phrase("Forløpet", "How it went")
    case .depthTitle: Phrase("Meldinger på køene", "Messages on the queues")
    case .depthNote:
      Phrase(
        "Hvor mye som lå på køene som leses av, døde brev holdt utenfor. Kilden er bussen som forlates. Der ingen avlesning lyktes, er det ingen linje; merkene nederst er avlesninger som mislyktes.",
        "How much lay on the queues that are looked at, dead letters apart. The source is the bus being left. Where no look succeeded there is no line; the marks at the bottom are looks that failed."
      )
    case .depthNone: Phrase("Ingen avlesning av dybden ble gjort: ingenting er tegnet.", "No depth was read: nothing is drawn.")
    case .targetDepthNone:
      Phrase(
        "Målbussens dybde leses bare i overvåkingen av puljer med porter, og på vei tilbake; her ble den ikke lest.",
        "The target bus's depth is read only in the watch of puljer with gates, and on the way back; here it was not.")
    case .latencyTitle: Phrase("Svartid for ping", "Ping latency")
    case .latencyNote:
      Phrase(
        "Millisekunder fra ping ble sendt til bussen hadde tatt imot. Linjen er gjennomsnittet i hvert tidsrom, den prikkede linjen det lengste. Merkene nederst er ping som ikke nådde fram.",
        "Milliseconds from sending until the bus had accepted it. The line is the mean of each span, the dotted line the longest. The marks at the bottom are pings that did not get through."
      )
    case .latencyNone:
      Phrase(
        "Svartider ble ikke målt: ingenting er tegnet. Historier fra før dette ble målt, har ping uten tid.",
        "Latency was not measured: nothing is drawn. Histories from before it was measured hold pings without it.")
    case .latencySummary:
      Phrase(
        "{0} målte ping: median {1}, 95 % innen {2}, lengste {3}.",
        "{0} measured pings: median {1}, 95% within {2}, longest {3}.")
    case .lateTitle: Phrase("Sene meldinger per dag", "Late arrivals per day")
    case .lateNote:
      Phrase(
        "Det som kom til køene etter at parten var flyttet. «Telt» er det tellerne minst viser; klassene er av det som lot seg se på uten å hentes, og aldri av innholdet.",
        "What came to the queues after the party had been moved. “Counted” is what the counters show at least; the classes are of what could be looked at without being taken, never of its content."
      )
    case .lateNone: Phrase("Ingen sene meldinger ble sett.", "No late messages were seen.")
    case .counted: Phrase("Telt", "Counted")
    case .day: Phrase("Dag", "Day")
    case .strandedClass: Phrase("Klasse", "Class")
    case .sender: Phrase("Avsender", "Sender")
    case .senderUnknown: Phrase("oppgir ingen avsender", "names no sender")
    case .system: Phrase("System", "System")
    case .library: Phrase("Bibliotek", "Library")
    case .count: Phrase("Antall", "Number")
    case .first: Phrase("Første", "First")
    case .last: Phrase("Siste", "Last")
    case .meaning: Phrase("Betydning", "Meaning")
    case .serviceTitle: Phrase("Tjenesten under flyttingen sammenlignet med før", "Service during the move compared with before")
    case .serviceNote:
      Phrase(
        "Meldinger per gruppe og time, der bussen teller det som kommer. Før er på kildebussen før skrivingen; under er på kildebussen etter den, og skal falle mot null; etter er på målbussen i overvåkingen.",
        "Messages per group and hour, where the bus counts what comes. Before is at the source bus before the write; during is at the source bus after it, and should fall towards nothing; after is at the target bus in the watch."
      )
    case .serviceBefore: Phrase("Før, på kildebussen", "Before, at the source bus")
    case .serviceDuring: Phrase("Under, på kildebussen", "During, at the source bus")
    case .serviceAfter: Phrase("Etter, på målbussen", "After, at the target bus")
    case .from: Phrase("Fra", "From")
    case .to: Phrase("Til", "To")
    case .arrivals: Phrase("Kom inn", "Came in")
    case .perGroupHour: Phrase("Per gruppe og time", "Per group and hour")
    case .mostOnOneQueue: Phrase("Flest på én kø", "Most on one queue")
    case .notCountedByBus: Phrase("telles ikke av bussen", "not counted by the bus")
    case .arrivalsTitle: Phrase("Meldinger som kom inn", "Messages coming in")
    case .arrivalsNone:
      Phrase(
        "Ingen av bussene telte det som kom: trafikken er ikke sammenlignet, og ingenting er tegnet.",
        "Neither bus counted what came: the traffic is not compared, and nothing is drawn.")
    case .unprovenTitle: Phrase("Fra skriving til bevis", "From write to proof")
    case .unprovenNote:
      Phrase(
        "Tiden fra første skriving til et ping viste at parten nås, for {0} {0|gruppe|grupper}: korteste {1}, median {2}, lengste {3}. Lengre var ikke noen av dem uten bevis.",
        "The time from the first write until a ping proved that the party is reached, for {0} {0|group|groups}: shortest {1}, median {2}, longest {3}. None was without proof for longer."
      )
    case .unprovenNone:
      Phrase(
        "Ingen gruppe er både skrevet og nådd av ping.",
        "No group was both written and reached by a ping.")
    case .source: Phrase("Kilde", "Source")
    case .target: Phrase("Mål", "Target")
    case .mean: Phrase("Gjennomsnitt", "Mean")
    case .longest: Phrase("Lengste", "Longest")
    case .answered: Phrase("Svar fra parten", "Answer of the party")
    case .asTable: Phrase("Tallene som tabell", "The figures as a table")
    case .time: Phrase("Tid", "Time")
    case .least: Phrase("Minst", "Least")
    case .most: Phrase("Mest", "Most")
    case .missed: Phrase("Mislykket", "Failed")
    case .messages: Phrase("meldinger", "messages")
    case .milliseconds: Phrase("ms", "ms")
    case .evidence: Phrase("Bevis", "Evidence")
    case .pingEvidence: Phrase("Hva ping viste", "What pings showed")
    case .pingEvidenceNote:
      Phrase(
        "Siste ping av hver part. Like funn står sammen; ordene er fra én av partene, slik tjenesten noterte dem.",
        "The last ping of each party. Alike findings stand together; the words are one party's, as the daemon noted them.")
    case .bus: Phrase("Buss", "Bus")
    case .isProof: Phrase("Viser at parten nås", "Shows that the party is reached")
    case .example: Phrase("Eksempel", "Example")
    case .checkAccepted: Phrase("Tatt imot av bussen", "Accepted by the bus")
    case .checkNegativeControl: Phrase("Kontroll: ukjent kø avvises", "Control: an unknown queue is refused")
    case .checkConsumer: Phrase("Noen lytter", "Somebody listens")
    case .checkDepthFalls: Phrase("Køen ble ikke lengre", "The queue grew no longer")
    case .checkEcho: Phrase("Partens system svarte", "The party's system answered")
    case .passed: Phrase("vist", "shown")
    case .failedCheck: Phrase("motbevist", "disproved")
    case .impossible: Phrase("lar seg ikke vise", "cannot be shown")
    case .drainEvidence: Phrase("Tømmingen", "The drain")
    case .drainEvidenceNote:
      Phrase(
        "Én rad per gruppe. Bak raden står det samme beviset for alle: tellere ble lest, ingen melding ble sett i.",
        "One row per group. The proof behind each is the same: counters were read, no message was looked into.")
    case .result: Phrase("Resultat", "Result")
    case .looks: Phrase("Avlesninger", "Looks")
    case .quietSince: Phrase("Stille siden", "Quiet since")
    case .lastLook: Phrase("Siste hele avlesning", "Last whole look")
    case .longestGap: Phrase("Lengste opphold", "Longest gap")
    case .cameLate: Phrase("Kom for sent", "Came late")
    case .left: Phrase("Ligger igjen", "Left")
    case .deadLetters: Phrase("Nye døde brev", "New dead letters")
    case .drainedResult: Phrase("tømt", "drained")
    case .drainedExceptedResult: Phrase("tømt, med unntak", "drained, with exceptions")
    case .notDrainedResult: Phrase("ikke tømt", "not drained")
    case .notBegunResult: Phrase("ikke begynt", "not begun")
    case .proves: Phrase("Dette er vist", "This is shown")
    case .cannotProve: Phrase("Dette er ikke vist", "This is not shown")
    case .inGroups: Phrase("i {0} {0|gruppe|grupper}", "in {0} {0|group|groups}")
    case .gatesTitle: Phrase("Portene", "The gates")
    case .gatesNote: Phrase("Det som ble målt på målbussen i overvåkingen.", "What was measured on the target bus in the watch.")
    case .gate: Phrase("Port", "Gate")
    case .verdict: Phrase("Utfall", "Verdict")
    case .gatesNone:
      Phrase(
        "Puljen har ingen porter, eller ingen gruppe er kommet til dem.",
        "The pulje has no gates, or no group has come to them.")
    case .gatePing: Phrase("Ping", "Pings")
    case .gateDepth: Phrase("Dybde", "Depth")
    case .gateDeadLetters: Phrase("Døde brev", "Dead letters")
    case .gateTraffic: Phrase("Trafikk", "Traffic")
    case .gatePass: Phrase("bestått", "pass")
    case .gateFail: Phrase("ikke bestått", "fail")
    case .gateInconclusive: Phrase("uavgjort", "inconclusive")
    case .testsTitle: Phrase("Signerte prøver", "Signed tests")
    case .item: Phrase("Prøve", "Test")
    case .signedBy: Phrase("Signert av", "Signed by")
    case .seen: Phrase("Sett", "Seen")
    case .testPassed: Phrase("bestått", "passed")
    case .testFailed: Phrase("IKKE bestått", "FAILED")
    case .exceptionsTitle: Phrase("Unntak", "Exceptions")
    case .exceptionsNote:
      Phrase(
        "Noen svarer for det som ikke kan vises, fram til en frist. Etter den teller det igjen.",
        "Somebody answers for what cannot be shown, until a time. After that it counts again.")
    case .what: Phrase("Hva", "What")
    case .wholeGroup: Phrase("hele gruppen", "the whole group")
    case .why: Phrase("Begrunnelse", "Reason")
    case .until: Phrase("Til og med", "Until")
    case .ended: Phrase("Falt bort", "Ended")
    case .incidentsTitle: Phrase("Hendelser", "Incidents")
    case .incidentsNote:
      Phrase(
        "Alt som ikke gikk av seg selv, fra når til når. Det som traff flere grupper likt i samme minutt, står som én hendelse.",
        "All that did not go by itself, from when to when. What hit several groups alike in the same minute stands as one.")
    case .incident: Phrase("Hendelse", "Incident")
    case .begin: Phrase("Begynte", "Began")
    case .end: Phrase("Sluttet", "Ended")
    case .duration: Phrase("Varighet", "Duration")
    case .code: Phrase("Kode", "Code")
    case .totalDuration: Phrase("Samlet varighet", "Total duration")
    case .incidentsSummary: Phrase("Hendelser etter slag", "Incidents by kind")
    case .everyIncident: Phrase("Hver hendelse", "Every incident")
    case .allGroups: Phrase("alle", "all")
    case .rollBacksTitle: Phrase("Tilbakeføringer", "Roll-backs")
    case .restoredAt: Phrase("Tilbake", "Restored")
    case .turnedAt: Phrase("Snudd", "Turned back")
    case .onTheWay: Phrase("på vei", "on the way")
    case .forwardingTitle: Phrase("Videresending", "Forwarding")
    case .forwardingNote:
      Phrase(
        "Meldinger som strandet på bussen som forlates, og ble båret over etter godkjenning.",
        "Messages that stranded on the bus being left and were carried over by approval.")
    case .carrier: Phrase("Bærer", "Carrier")
    case .carrierOwn: Phrase("vår egen", "our own")
    case .carrierShovel: Phrase("bussens skyfler (bussens egen, sene telling)", "the bus's shovels (the bus's own, late count)")
    case .taken: Phrase("Tatt", "Taken")
    case .carried: Phrase("Båret over", "Carried over")
    case .setAside: Phrase("Satt til side", "Set aside")
    case .expired: Phrase("Utløpt", "Expired")
    case .notReturned: Phrase("Kom ikke igjen", "Not come again")
    case .twice: Phrase("Kanskje to ganger", "Possibly twice")
    case .openCount: Phrase("Uavklart", "Open")
    case .waitsTitle: Phrase("Hvor tiden gikk", "Where the time went")
    case .waitsNote:
      Phrase(
        "Av alle gruppers tid fra forsegling til lukking. Arbeid er tjenestens egne steg, høyst ett minutt for hvert; venting på tid er stillhet, overvåking, vinduer, bølger og nye forsøk; venting på folk er start, pause, stans, hold uten egen løsning, skriving for hånd, usignerte prøver og beslutninger.",
        "Of all groups' time from sealing to closing. Working is the daemon's own steps, at most a minute for each; waiting for time is quiet, watch, windows, waves and further tries; waiting for a person is start, pause, stop, holds that do not clear themselves, writes by hand, unsigned tests and decisions."
      )
    case .working: Phrase("Arbeid", "Working")
    case .waitingForTime: Phrase("Venting på tid", "Waiting for time")
    case .waitingForPerson: Phrase("Venting på folk", "Waiting for a person")
    case .share: Phrase("Andel", "Share")
    case .waitedLongest: Phrase("De som ventet lengst på folk", "Those that waited longest for a person")
    case .manualTitle: Phrase("Det folk må gjøre for hånd", "What people must do by hand")
    case .auditTitle: Phrase("Historien og hvordan den kontrolleres", "The history and how to check it")
    case .auditNote:
      Phrase(
        "Alle tall i rapporten er regnet ut av hendelsene i puljens historie. Hendelsene er lenket: hver rad har en kontrollsum over raden før. Ta vare på denne kontrollsummen et annet sted.",
        "Every figure in this report is computed from the events of the history. The events are chained: each row's checksum is over the row before. Keep this checksum somewhere else."
      )
    case .auditHead: Phrase("Lenkens siste ledd", "The chain's head")
    case .auditEvent: Phrase("Hendelse nr.", "Event no.")
    case .verifyNote: Phrase("Kontrollere rapporten mot historien", "Check this report against the history")
    case .verifyChainNote:
      Phrase(
        "Kontrollere at historien går gjennom dette leddet",
        "Check that the history goes through this head")
    case .eventsOfPulje: Phrase("Hendelser i puljen", "Events of the pulje")
    case .eventsInAll: Phrase("Hendelser i alt", "Events in all")
    case .starts: Phrase("Oppstarter av tjenesten", "Starts of the daemon")
    case .versionsTitle: Phrase("Versjoner", "Versions")
    case .program: Phrase("Program", "Program")
    case .schema: Phrase("Rapportens form", "Report's schema")
    case .eventVersion: Phrase("Hendelsenes form", "Events' form")
    case .dialects: Phrase("Bussenes dialekt", "The buses' dialects")
    case .unknownDialect: Phrase("ikke oppgitt", "not stated")
    case .factsHash: Phrase("Tallenes kontrollsum", "Checksum of the figures")
    case .policyTitle: Phrase("Vilkårene", "The terms")
    case .quietPeriod: Phrase("Stillhet før tømt", "Quiet until drained")
    case .watchPeriod: Phrase("Overvåking", "Watch")
    case .approvalsNeeded: Phrase("Godkjennere", "Approvers")
    case .echoRequired: Phrase("Krever svar på ping", "Demands an answer to pings")
    case .leftovers: Phrase("Strandede meldinger", "Stranded messages")
    case .leftoversReport: Phrase("meldes", "reported")
    case .leftoversForward: Phrase("videresendes", "forwarded")
    case .leftoversExternal: Phrase("bæres av andre", "carried by others")
    case .commandsTitle: Phrase("Ordre som folk har gitt", "Commands that people gave")
    case .commandsNote:
      Phrase(
        "Hver ordre som ble utført, med den maskinen kjente igjen, i hvilken rolle, og begrunnelsen.",
        "Every command that was carried out, with whom the machine knew, in which role, and the reason.")
    case .command: Phrase("Ordre", "Command")
    case .giver: Phrase("Gitt av", "Given by")
    case .role: Phrase("Rolle", "Role")
    case .status: Phrase("Utfall", "Outcome")
    case .commandsNone:
      Phrase(
        "Ingen ordre er skrevet i historien. Historier fra før dette ble skrevet, har dem ikke.",
        "No command is in the history. Histories from before they were recorded have none.")
    default: nil
    }
  }
}
