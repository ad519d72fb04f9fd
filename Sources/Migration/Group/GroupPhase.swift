// SPDX-License-Identifier: Apache-2.0

/// Where a group stands on the ladder forward, or on the same ladder back.
///
/// A starred phase (``isAttestation``) says what was seen, not what is: it has a life, and a start of the daemon ends it.
public enum GroupPhase: String, Sendable, Hashable, Codable, CaseIterable {
  case known = "KNOWN"
  case planned = "PLANNED"
  case ready = "READY"
  case armed = "ARMED"
  case cutIntent = "CUT_INTENT"
  case cutUnknown = "CUT_UNKNOWN"
  case cutApplied = "CUT_APPLIED"
  case verified = "VERIFIED"
  case draining = "DRAINING"
  case drained = "DRAINED"
  case observing = "OBSERVING"
  case accepted = "ACCEPTED"
  case retired = "RETIRED"
  /// Two people have approved that the source queues are deleted: from here there is no way back.
  case removed = "REMOVED"
  case backIntent = "RB_INTENT"
  case backUnknown = "RB_UNKNOWN"
  case backApplied = "RB_APPLIED"
  case backVerified = "RB_VERIFIED"
  case backDraining = "RB_DRAINING"
  case backDrained = "RB_DRAINED"
  case restored = "RESTORED"
  /// The register holds neither the record we came from nor the one we go to. Never written over; a person looks.
  case conflict = "CONFLICT"
  /// Taken out before anything was written.
  case withdrawn = "WITHDRAWN"

  public var isAttestation: Bool { self.fallback != nil }

  /// One step down from a starred phase: what has to be proven anew.
  var fallback: GroupPhase? {
    switch self {
    case .ready: .planned
    case .armed: .ready
    case .verified: .cutApplied
    case .drained: .draining
    case .backVerified: .backApplied
    case .backDrained: .backDraining
    default: nil
    }
  }

  /// Down to the first phase that is a fact: no guard may read an attestation from before a start (I-11).
  var lastFact: GroupPhase {
    var phase = self
    while let lower = phase.fallback { phase = lower }
    return phase
  }

  /// Nothing was written yet.
  public var isBeforeCut: Bool {
    switch self {
    case .known, .planned, .ready, .armed: true
    default: false
    }
  }

  /// The way back leads through here.
  public var isGoingBack: Bool {
    switch self {
    case .backIntent, .backUnknown, .backApplied, .backVerified, .backDraining, .backDrained: true
    default: false
    }
  }

  /// Nothing further happens by itself, and another pulje may take the parties.
  public var isClosed: Bool {
    switch self {
    case .accepted, .retired, .removed, .restored, .withdrawn: true
    default: false
    }
  }

  /// The register is being written, or an answer is outstanding.
  public var isWriting: Bool {
    switch self {
    case .cutIntent, .cutUnknown, .backIntent, .backUnknown: true
    default: false
    }
  }

  /// The register read back as written, and must still read so.
  var isApplied: Bool {
    switch self {
    case .cutApplied, .verified, .draining, .drained, .observing, .backApplied, .backVerified, .backDraining, .backDrained: true
    default: false
    }
  }
}
