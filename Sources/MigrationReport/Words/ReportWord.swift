// SPDX-License-Identifier: Apache-2.0

/// Everything a report says in words of its own, by name: the table of both languages is ``phrase``. {0}, {1} ... are filled in.
public enum ReportWord: String, Sendable, Hashable, CaseIterable {
  case title, subtitle, production, notProduction, environmentUnknown, environment, madeAt, phase, page, of, timesNote
  case nobody, none, yes, no, notMeasured, ongoing, andMore, contents, recommendation, reasons, doubts, noDoubts, inShort
  case parties, groups, moved, rolledBackParties, quarantinedParties, withdrawnParties, sealedBy, approvedBy, startedAt
  case planHash, lateMessages, pings, failed, looksAtCounters, unreadable, pausedNow, lineStoppedNow, groupsByPhase
  case whatMoved, whatMovedNote, showAll, herID, name, vendor, organisation, below, wave, group, cutOver, applied, verified
  case drained, watchUntil, accepted, by, retired, entry, byVendor, byWave, firstWritten, lastWritten, plots, depthTitle
  case depthNote, depthNone, targetDepthNone, latencyTitle, latencyNote, latencyNone, latencySummary, lateTitle, lateNote
  case lateNone, counted, day, strandedClass, sender, senderUnknown, system, library, count, first, last, meaning
  case serviceTitle, serviceNote, serviceBefore, serviceDuring, serviceAfter, from, to, arrivals, perGroupHour
  case mostOnOneQueue, notCountedByBus, arrivalsTitle, arrivalsNone, unprovenTitle, unprovenNote, unprovenNone, source
  case target, mean, longest, answered, asTable, time, least, most, missed, messages, milliseconds, evidence, pingEvidence
  case pingEvidenceNote, bus, isProof, example, checkAccepted, checkNegativeControl, checkConsumer, checkDepthFalls
  case checkEcho, passed, failedCheck, impossible, drainEvidence, drainEvidenceNote, result, looks, quietSince, lastLook
  case longestGap, cameLate, left, deadLetters, drainedResult, drainedExceptedResult, notDrainedResult, notBegunResult
  case proves, cannotProve, inGroups, gatesTitle, gatesNote, gate, verdict, gatesNone, gatePing, gateDepth, gateDeadLetters
  case gateTraffic, gatePass, gateFail, gateInconclusive, testsTitle, item, signedBy, seen, testPassed, testFailed
  case exceptionsTitle, exceptionsNote, what, wholeGroup, why, until, ended, incidentsTitle, incidentsNote, incident, begin
  case end, duration, code, totalDuration, incidentsSummary, everyIncident, allGroups, rollBacksTitle, restoredAt, turnedAt
  case onTheWay, forwardingTitle, forwardingNote, carrier, carrierOwn, carrierShovel, taken, carried, setAside, expired
  case notReturned, twice, openCount, waitsTitle, waitsNote, working, waitingForTime, waitingForPerson, share, waitedLongest
  case manualTitle, auditTitle, auditNote, auditHead, auditEvent, verifyNote, verifyChainNote, eventsOfPulje, eventsInAll
  case starts, versionsTitle, program, schema, eventVersion, dialects, unknownDialect, factsHash, policyTitle, quietPeriod
  case watchPeriod, approvalsNeeded, echoRequired, leftovers, leftoversReport, leftoversForward, leftoversExternal, recWait
  case recAccept, recAcceptExceptions, recDoNot, recNothing, recWaitText, recAcceptText, recAcceptExceptionsText
  case recDoNotText, recNothingText, stEntriesRead, stPingsProve, stDrainsShown, stWatchesDone, stGatesPass, stStillGoing
  case stNothingToDecide, stConflicts, stHeld, stGatesFail, stGatesInconclusive, stNoGates, stQuarantined, stRolledBack
  case stWithdrawn, stExceptions, stCarriedOver, stPossiblyTwice, stForwarderStopped, stShovelsStand, stStaleSenders
  case stLateArrivals, stArrivalsNotCounted, stUnreadableLooks, stPingsProveNothing, stNoEcho, stNoNegativeControl
  case stLatencyNotMeasured, stTrafficNotMeasured, stUnknownOutcomes, stByHand, stRestarts, stClockSteppedBack
  case stNoEnvironment, stDialectUnknown, stReplyQueues, stCounters, clEmptyAtEveryLook, clNoneCountedBetween
  case clNoMoreDeadLetters, clEveryCarriedAccounted, clSetAsideLiesThere, clFetchedBetweenLooks, clQueueMadeAnew
  case clCountersLate, clOwnersOfMessages, clMissingQueuesSwallow, clSubqueuesUntold, clDialectUnknown, clLastMoments
  case clReplyQueuesByOtherNames, clHeldUncounted, clHeldBetweenLooks, clShovelsKeepNoJournal, clUnreadableLooks
  case clAnsweredFor, clAnsweredForUncounted, clWaived, clNotComeAgain, clPossiblyTwice, clDealtWith, inHold, inConflict
  case inPingFailed, inUnknownOutcome, inRefusedWrite, inOverwrote, inReadFailed, inCountersUnreadable, inLateArrival
  case inStaleSender, inForwarderStopped, inShovelStays, inQuarantine, inHookRefused, inPaused, inLineStopped
  case inDaemonStarted, exHold, exConflict, exPingFailed, exUnknownOutcome, exRefusedWrite, exOverwrote, exReadFailed
  case exCountersUnreadable, exLateArrival, exStaleSender, exForwarderStopped, exShovelStays, exQuarantine, exHookRefused
  case exPaused, exLineStopped, exDaemonStarted, hoPreflight, hoRecordMoved, hoPing, hoWrites, hoInheritance, hoQueueMissing
  case scInFlight, scStaleAddress, scNeverLeaves, scLateReply, scErrorReport, scDeadLetter, scHeldBack, scAlien, scPing
  case scUnknown, smInFlight, smStaleAddress, smNeverLeaves, smLateReply, smErrorReport, smDeadLetter, smHeldBack, smAlien
  case smPing, smUnknown, phKnown, phPlanned, phReady, phArmed, phCutIntent, phCutUnknown, phCutApplied, phVerified
  case phDraining, phDrained, phObserving, phAccepted, phRetired, phRemoved, phBackIntent, phBackUnknown, phBackApplied
  case phBackVerified, phBackDraining, phBackDrained, phRestored, phConflict, phWithdrawn, ppSealed, ppPreflight, ppCutover
  case ppVerifying, ppDraining, ppObserving, ppDecision, ppDone, ppRollingBack, ppRolledBack, ppPartlyBack, ppWithdrawn
  case wrUntouched, wrIntent, wrUnknown, wrAtGoal, wrConflict, inherits
  case commandsTitle, commandsNote, command, giver, role, status, commandsNone
}
