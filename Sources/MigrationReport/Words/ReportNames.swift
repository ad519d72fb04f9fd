// SPDX-License-Identifier: Apache-2.0

import BusModel
import Migration

/// Which word stands for which value.
enum ReportNames {
  static func word(_ phase: GroupPhase) -> ReportWord {
    switch phase {
    case .known: .phKnown
    case .planned: .phPlanned
    case .ready: .phReady
    case .armed: .phArmed
    case .cutIntent: .phCutIntent
    case .cutUnknown: .phCutUnknown
    case .cutApplied: .phCutApplied
    case .verified: .phVerified
    case .draining: .phDraining
    case .drained: .phDrained
    case .observing: .phObserving
    case .accepted: .phAccepted
    case .retired: .phRetired
    case .removed: .phRemoved
    case .backIntent: .phBackIntent
    case .backUnknown: .phBackUnknown
    case .backApplied: .phBackApplied
    case .backVerified: .phBackVerified
    case .backDraining: .phBackDraining
    case .backDrained: .phBackDrained
    case .restored: .phRestored
    case .conflict: .phConflict
    case .withdrawn: .phWithdrawn
    }
  }

  static func word(_ phase: PuljePhase) -> ReportWord {
    switch phase {
    case .sealed: .ppSealed
    case .preflight: .ppPreflight
    case .cutover: .ppCutover
    case .verifying: .ppVerifying
    case .draining: .ppDraining
    case .observing: .ppObserving
    case .decision: .ppDecision
    case .done: .ppDone
    case .rollingBack: .ppRollingBack
    case .rolledBack: .ppRolledBack
    case .partlyBack: .ppPartlyBack
    case .withdrawn: .ppWithdrawn
    }
  }

  static func word(_ check: PingCheck) -> ReportWord {
    switch check {
    case .accepted: .checkAccepted
    case .negativeControl: .checkNegativeControl
    case .consumer: .checkConsumer
    case .depthFalls: .checkDepthFalls
    case .echo: .checkEcho
    }
  }

  static func word(_ result: Finding<PingCheck>.Result) -> ReportWord {
    switch result {
    case .passed: .passed
    case .failed: .failedCheck
    case .impossible: .impossible
    }
  }

  static func word(_ result: DrainVerdict.Result) -> ReportWord {
    switch result {
    case .drained: .drainedResult
    case .drainedWithExceptions: .drainedExceptedResult
    case .notDrained: .notDrainedResult
    case .notBegun: .notBegunResult
    }
  }

  static func word(_ gate: GateFinding.Gate) -> ReportWord {
    switch gate {
    case .ping: .gatePing
    case .depth: .gateDepth
    case .deadLetters: .gateDeadLetters
    case .traffic: .gateTraffic
    }
  }

  static func word(_ verdict: GateFinding.Verdict) -> ReportWord {
    switch verdict {
    case .pass: .gatePass
    case .fail: .gateFail
    case .inconclusive: .gateInconclusive
    }
  }

  static func words(_ kind: StrandedClass) -> (name: ReportWord, meaning: ReportWord) {
    switch kind {
    case .inFlight: (.scInFlight, .smInFlight)
    case .staleAddress: (.scStaleAddress, .smStaleAddress)
    case .neverLeaves: (.scNeverLeaves, .smNeverLeaves)
    case .lateReply: (.scLateReply, .smLateReply)
    case .errorReport: (.scErrorReport, .smErrorReport)
    case .deadLetter: (.scDeadLetter, .smDeadLetter)
    case .heldBack: (.scHeldBack, .smHeldBack)
    case .alien: (.scAlien, .smAlien)
    case .ping: (.scPing, .smPing)
    case .unknown: (.scUnknown, .smUnknown)
    }
  }

  static func words(_ kind: Incident.Kind) -> (name: ReportWord, meaning: ReportWord) {
    switch kind {
    case .hold: (.inHold, .exHold)
    case .conflict: (.inConflict, .exConflict)
    case .pingFailed: (.inPingFailed, .exPingFailed)
    case .unknownOutcome: (.inUnknownOutcome, .exUnknownOutcome)
    case .refusedWrite: (.inRefusedWrite, .exRefusedWrite)
    case .overwrote: (.inOverwrote, .exOverwrote)
    case .readFailed: (.inReadFailed, .exReadFailed)
    case .countersUnreadable: (.inCountersUnreadable, .exCountersUnreadable)
    case .lateArrival: (.inLateArrival, .exLateArrival)
    case .staleSender: (.inStaleSender, .exStaleSender)
    case .forwarderStopped: (.inForwarderStopped, .exForwarderStopped)
    case .shovelStays: (.inShovelStays, .exShovelStays)
    case .quarantine: (.inQuarantine, .exQuarantine)
    case .hookRefused: (.inHookRefused, .exHookRefused)
    case .paused: (.inPaused, .exPaused)
    case .lineStopped: (.inLineStopped, .exLineStopped)
    case .daemonStarted: (.inDaemonStarted, .exDaemonStarted)
    }
  }

  static func meaning(_ hold: Hold.Code) -> ReportWord {
    switch hold {
    case .preflightFailed: .hoPreflight
    case .recordMoved: .hoRecordMoved
    case .pingFailed: .hoPing
    case .writesDoNotTake: .hoWrites
    case .inheritanceLags: .hoInheritance
    case .queueMissing: .hoQueueMissing
    }
  }

  static func writing(_ word: String) -> ReportWord {
    switch word {
    case "untouched": .wrUntouched
    case "intent": .wrIntent
    case "at-goal": .wrAtGoal
    case "conflict": .wrConflict
    default: .wrUnknown
    }
  }

  static func words(_ verdict: PuljeReport.Recommendation) -> (name: ReportWord, meaning: ReportWord) {
    switch verdict {
    case .wait: (.recWait, .recWaitText)
    case .accept: (.recAccept, .recAcceptText)
    case .acceptWithExceptions: (.recAcceptExceptions, .recAcceptExceptionsText)
    case .doNotRollOut: (.recDoNot, .recDoNotText)
    case .nothingToDecide: (.recNothing, .recNothingText)
    }
  }

  static func word(_ leftovers: Policy.Leftovers) -> ReportWord {
    switch leftovers {
    case .report: .leftoversReport
    case .forward: .leftoversForward
    case .external: .leftoversExternal
    }
  }

  static func word(_ statement: Statement.Name) -> ReportWord {
    switch statement {
    case .entriesRead: .stEntriesRead
    case .pingsProve: .stPingsProve
    case .drainsShown: .stDrainsShown
    case .watchesDone: .stWatchesDone
    case .gatesPass: .stGatesPass
    case .stillGoing: .stStillGoing
    case .nothingToDecide: .stNothingToDecide
    case .conflicts: .stConflicts
    case .held: .stHeld
    case .gatesFail: .stGatesFail
    case .gatesInconclusive: .stGatesInconclusive
    case .noGates: .stNoGates
    case .quarantined: .stQuarantined
    case .rolledBack: .stRolledBack
    case .withdrawn: .stWithdrawn
    case .exceptions: .stExceptions
    case .carriedOver: .stCarriedOver
    case .possiblyTwice: .stPossiblyTwice
    case .forwarderStopped: .stForwarderStopped
    case .shovelsStand: .stShovelsStand
    case .staleSenders: .stStaleSenders
    case .lateArrivals: .stLateArrivals
    case .arrivalsNotCounted: .stArrivalsNotCounted
    case .unreadableLooks: .stUnreadableLooks
    case .pingsProveNothing: .stPingsProveNothing
    case .noEcho: .stNoEcho
    case .noNegativeControl: .stNoNegativeControl
    case .latencyNotMeasured: .stLatencyNotMeasured
    case .trafficNotMeasured: .stTrafficNotMeasured
    case .unknownOutcomes: .stUnknownOutcomes
    case .byHand: .stByHand
    case .restarts: .stRestarts
    case .clockSteppedBack: .stClockSteppedBack
    case .noEnvironment: .stNoEnvironment
    case .dialectUnknown: .stDialectUnknown
    case .replyQueues: .stReplyQueues
    case .counters: .stCounters
    }
  }

  static func word(_ claim: DrainClaim) -> ReportWord {
    switch claim {
    case .emptyAtEveryLook: .clEmptyAtEveryLook
    case .noneCountedBetween: .clNoneCountedBetween
    case .noMoreDeadLetters: .clNoMoreDeadLetters
    case .everyCarriedAccounted: .clEveryCarriedAccounted
    case .setAsideLiesThere: .clSetAsideLiesThere
    case .fetchedBetweenLooks: .clFetchedBetweenLooks
    case .queueMadeAnew: .clQueueMadeAnew
    case .countersLate: .clCountersLate
    case .ownersOfMessages: .clOwnersOfMessages
    case .missingQueuesSwallow: .clMissingQueuesSwallow
    case .subqueuesUntold: .clSubqueuesUntold
    case .dialectUnknown: .clDialectUnknown
    case .lastMoments: .clLastMoments
    case .replyQueuesByOtherNames: .clReplyQueuesByOtherNames
    case .heldUncounted: .clHeldUncounted
    case .heldBetweenLooks: .clHeldBetweenLooks
    case .shovelsKeepNoJournal: .clShovelsKeepNoJournal
    case .unreadableLooks: .clUnreadableLooks
    case .answeredFor: .clAnsweredFor
    case .answeredForUncounted: .clAnsweredForUncounted
    case .waived: .clWaived
    case .notComeAgain: .clNotComeAgain
    case .possiblyTwice: .clPossiblyTwice
    case .dealtWith: .clDealtWith
    }
  }
}
