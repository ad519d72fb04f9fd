// SPDX-License-Identifier: Apache-2.0

import Migration

/// One deliberate bug for each invariant: a checker that does not see it is no checker.
public enum Sabotage: String, Sendable, Hashable, CaseIterable {
  case halfMovedEntry = "half-moved-entry"
  case writeBeforeIntent = "write-before-intent"
  case splitGroup = "split-group"
  case inexactReturn = "inexact-return"
  case overwriteForeign = "overwrite-foreign"
  case blindDrain = "blind-drain"
  case earlyRemoval = "early-removal"
  case twoForwarders = "two-forwarders"
  case earlyWatermark = "early-watermark"
  case brokenWayBack = "broken-way-back"
  case oldAttestation = "old-attestation"
  case unfencedWriter = "unfenced-writer"
  case unapprovedPlan = "unapproved-plan"
  case silencePasses = "silence-passes"
  case lostTimer = "lost-timer"
  case skipUnknown = "skip-unknown"
  case staleCache = "stale-cache"
  case receivingPinger = "receiving-pinger"
  case cutHistory = "cut-history"
  case bodyInHistory = "body-in-history"
  case deafToStop = "deaf-to-stop"
  // Variants of bugs that other tools had (the bug museum).
  case trustUnknown = "trust-unknown"
  case trustAnswer = "trust-answer"
  case earlyReverseWatermark = "early-reverse-watermark"
  case twoPuljer = "two-puljer"
  case hastyGate = "hasty-gate"
  // Others.
  case wrongAddress = "wrong-address"
  case pingAsMessage = "ping-as-message"
  case deafToCalendar = "deaf-to-calendar"
  case wolfCrier = "wolf-crier"
  case passesOver = "passes-over"
  /// It settles what it has sent, whatever the target says.
  case leakyForwarder = "leaky-forwarder"
  /// It goes on when it was paused or ended.
  case deafForwarder = "deaf-forwarder"
  /// One message is enough to name a sender that never leaves.
  case hastyVerdict = "hasty-verdict"
  /// The rest of a group is written without a word on its broken way back.
  case silentRest = "silent-rest"
  /// Whatever an operator's program says is taken for assent.
  case deafToHooks = "deaf-to-hooks"
  /// A second forwarder carries from the same queue, at once.
  case forwarderBeside = "forwarder-beside"
  /// It takes a count of what waits for a count of all there is.
  case blindToHeld = "blind-to-held"

  /// The invariant it breaks.
  public var breaks: Invariant {
    switch self {
    case .halfMovedEntry: .oneLiveHome
    case .writeBeforeIntent: .durableIntentFirst
    case .splitGroup: .closure
    case .inexactReturn: .exactReturn
    case .overwriteForeign: .noLostUpdate
    case .blindDrain: .noMessageLost
    case .earlyRemoval: .noQueueRemovedWithMail
    case .twoForwarders: .orderKept
    case .earlyWatermark: .watermarkAfterFence
    case .brokenWayBack: .reverseIsOpen
    case .oldAttestation: .attestationsExpire
    case .unfencedWriter: .oneWriter
    case .unapprovedPlan: .approvedIsExecuted
    case .silencePasses: .silenceIsNotSuccess
    case .lostTimer: .nothingInTheDark
    case .skipUnknown: .unknownStops
    case .staleCache: .cacheAgrees
    case .receivingPinger: .pingerOnlyWrites
    case .cutHistory: .auditIsAppendOnly
    case .bodyInHistory: .noHealthData
    case .deafToStop: .stopWorks
    case .trustUnknown, .trustAnswer: .cacheAgrees
    case .earlyReverseWatermark: .watermarkAfterFence
    case .twoPuljer: .closure
    case .hastyGate: .silenceIsNotSuccess
    case .wrongAddress, .pingAsMessage: .noMessageLost
    case .deafToCalendar: .approvedIsExecuted
    case .wolfCrier: .silenceIsNotSuccess
    case .passesOver: .noLostUpdate
    case .leakyForwarder: .noMessageLost
    case .deafForwarder: .pingerOnlyWrites
    case .hastyVerdict: .silenceIsNotSuccess
    case .silentRest: .reverseIsOpen
    case .deafToHooks: .approvedIsExecuted
    case .forwarderBeside: .orderKept
    case .blindToHeld: .noMessageLost
    }
  }
}
