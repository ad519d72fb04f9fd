// SPDX-License-Identifier: Apache-2.0

/// Everything a rung can find. What it means, whose it is and what to do next stands in its ``words``.
public enum ProbeFinding: String, Sendable, Hashable, Codable, CaseIterable {
  // 10 to 13: number, copy, register, decision
  case inputGood, inputMalformed
  case cacheFresh, cacheOld, cacheLacks, cacheNotConfigured, cacheUnusable, cacheDamaged
  case registerAgrees, registerDiffers, registerOnly, registerNotConfigured, registerUnknown, registerUnreachable,
    registerRefused, registerFaulty
  case decided, decidedFromOldCache, addressGiven, halfMoved, pathDiffers, partyInactive, addressMissing, addressMalformed,
    addressAmbiguous, otherTransport, addressOnNoBus, addressOnSeveralBuses, nobodyKnows, notDecided
  // 20 to 22: network
  case namesFound, namesUnknown, namesNoAddress, namesServerFailed, namesServerSilent, namesFailed
  case reached, reachedSome, refused, unanswered, unreachable
  case encrypted, certificateEndsSoon, certificateExpired, certificateNotYetValid, certificateWrongName, certificateSelfSigned,
    certificateUnknownAuthority, certificateUntrusted, versionRefused, noCommonCipher, clientCertificateWanted,
    clientCertificateRefused, notTLS, handshakeCut, handshakeSilent, encryptionFailed, notEncrypted
  // 23 to 25: login, connection, session
  case loggedIn, loginRefused, mechanismNotOffered, loginUnavailable, credentialsUnavailable, otherAMQP, notAMQP, wantsTLS,
    wantsNoLogin, loginSilent, loginCut, loginFailed
  case opened, virtualHostRefused, connectionLimit, openCutSilently, openCutByVirtualHost, openSilent, openClosed, openFailed
  case begun, sessionLimit, sessionRefused, sessionFailed
  // 26 to 30: link and message
  case attached, queueMissing, sendingForbidden, addressFormRefused, entityDisabled, linkLimit, attachSilent, attachCut,
    attachRefused
  case creditGranted, noCredit, creditCut
  case transferred, tooLarge, malformedForBus, transferForbidden, transferCut, notTransferred
  case accepted, acceptedProvesNothing, rejected, queueFull, released, modified, outcomeTimedOut, outcomeLost, outcomeUnknown,
    sendingNotWanted, sendingNotAllowed, pingedLately, sendingWouldStay, queueFullDrops, queueFullSilent
  case controlRefused, controlAccepted, controlUnclear, controlCut, controlNotPossible
  // 31 to 33: arrival, echo, other bus
  case arrivalRead, arrivalNoConsumer, arrivalGrows, arrivalGrowsDeadLetters, arrivalQueueMissing, arrivalCut, arrivalUnreadable,
    arrivalNotPossible, arrivalConsumersUnknown
  case echoCame, echoNone, echoNoQueue, echoNotListening, echoDaemonUnable, echoLost, echoNotSent
  case otherBusQuiet, otherBusMail, otherBusHeard, otherBusMissing, otherBusUnreadable, otherBusNone

  public var words: ProbeWords {
    self.registryWords ?? self.networkWords ?? self.encryptionWords ?? self.loginWords ?? self.connectionWords
      ?? self.linkWords ?? self.messageWords ?? self.arrivalWords ?? ProbeWords.none
  }

  public var code: ProbeCode { self.words.code }
  public var verdict: ProbeStep.Verdict { self.words.verdict }
  public var owner: ProbeOwner? { self.words.owner }
}
