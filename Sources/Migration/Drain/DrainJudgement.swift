// SPDX-License-Identifier: Apache-2.0

/// Whether nothing is left of a group, by its code and in words: the one place where that is worked out, for verdict, status and report.
public struct DrainJudgement: Sendable, Hashable, Codable {
  public var result: DrainVerdict.Result
  /// What keeps it from being drained, or what somebody answers for; nil when nothing does.
  public var code: String?
  public var because: String

  private init(_ result: DrainVerdict.Result, _ code: WaitReason.Code?, _ because: String) {
    self.result = result
    self.code = code?.rawValue
    self.because = because
  }

  init(_ ledger: DrainLedger, group: GroupState, policy: Policy, now: Instant) {
    guard ledger.watermark != nil else {
      self.init(.notBegun, nil, "the drain begins when every register entry reads as written")
      return
    }
    // Whatever the counters say, and whoever answers for it: it may carry on.
    if let shovel = group.shovels.first {
      self.init(.notDrained, .shovelStands, shovel.words)
      return
    }
    let waiver = ledger.liveException(now: now)
    // An old look shows nothing of now (I-14).
    let gap = group.phase == .draining || group.phase == .backDraining ? policy.longestLookGap : policy.longestWatchGap
    let seenAt = ledger.lastReadableAt
    let isStale = seenAt.map { now.since($0) > gap || now < $0 } ?? true
    let isExcepted = waiver != nil || !ledger.liveExceptions(now: now).isEmpty
    guard let code = isStale ? .countersUnreadable : ledger.shortcoming(now: now, policy: policy) else {
      self.init(
        isExcepted ? .drainedWithExceptions : .drained, nil,
        isExcepted ? "people answer for what is named" : "nothing came for as long as the quiet must last")
      return
    }
    let words =
      isStale && ledger.lastIsReadable
      ? "the last readable look is from \(seenAt.map(\.description) ?? "never")" : ledger.words(code, policy: policy).text
    if let waiver {
      self.init(.drainedWithExceptions, code, "\(waiver.by) answers for it until \(waiver.until): \(words)")
    } else {
      self.init(.notDrained, code, words)
    }
  }

  public var isDrained: Bool { self.result == .drained || self.result == .drainedWithExceptions }

  /// Nobody knows what is there: it cannot be counted, or not all of it.
  public var isDark: Bool {
    self.result == .notBegun
      || self.result == .notDrained
        && [WaitReason.Code.countersUnreadable, .heldNotCounted].contains { $0.rawValue == self.code }
  }
}
