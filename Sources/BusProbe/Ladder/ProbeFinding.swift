// SPDX-License-Identifier: Apache-2.0

/// Everything a rung can find by itself. What it means, whose it is and what to do next stands in ``ProbeTexts``.
public enum ProbeFinding: String, Sendable, Hashable, CaseIterable {
  case inputGood, inputMalformed
  case cacheFresh, cacheOld, cacheLacks, cacheNotConfigured
  case registerAgrees, registerDiffers, registerOnly, registerNotConfigured
  case decided, decidedFromOldCache, halfMoved, pathDiffers
  case namesFound, namesUnknown, namesFailed
  case reached, reachedSome, refused, unanswered
  case encrypted, certificateEndsSoon, certificateExpired, certificateWrongName, certificateUntrusted, encryptionFailed,
    notEncrypted
  case loggedIn, opened
  case attached
  case creditGranted, noCredit
  case transferred, notTransferred
  case accepted, acceptedProvesNothing, rejected, released, modified, outcomeUnknown
  case controlRefused, controlAccepted, controlUnclear, controlNotPossible
  case arrivalRead, arrivalNoConsumer, arrivalGrows, arrivalQueueMissing, arrivalUnreadable, arrivalNotPossible,
    arrivalConsumersUnknown
  case echoCame, echoNone, echoNoQueue, echoNotListening
  case sendingNotWanted, echoNotSent
}
