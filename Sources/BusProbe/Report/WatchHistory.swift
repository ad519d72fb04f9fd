// SPDX-License-Identifier: Apache-2.0

import AddressRegistry

/// What a watch has seen so far. Pure: a look goes in, numbers and marks come out.
public struct WatchHistory: Sendable {
  /// A verdict in short: two looks with the same one do not differ to whoever watches.
  public struct Verdict: Sendable, Hashable {
    public var status: ProbeReport.Status
    /// The first step that failed, else the first that warns.
    public var code: ProbeCode?

    init(_ look: ProbeLook, _ thresholds: NagiosThresholds) {
      self.status = look.status(thresholds)
      self.code = look.report.firstFailure?.code ?? look.report.steps.first { $0.verdict == .warning }?.code
    }
  }

  /// Where the verdict changed.
  public struct Mark: Sendable, Hashable {
    public var round: Int
    public var at: RegistryInstant
    public var from: Verdict
    public var to: Verdict
  }

  /// How many rounds and marks the screen can look back on. Counts and times are of all rounds.
  public static let remembered = 240

  public let thresholds: NagiosThresholds
  public private(set) var rounds = 0
  /// Rounds in which a ping was to be sent.
  public private(set) var sent = 0
  /// Of these, those in which the bus did not take it.
  public private(set) var lost = 0
  public private(set) var times = LatencyRecord()
  public private(set) var worst: ProbeReport.Status?
  /// The last look.
  public private(set) var last: ProbeLook?
  public private(set) var verdict: Verdict?
  /// The last rounds' verdicts, the newest last; and whether each differs from the one before it.
  public private(set) var recent: [(verdict: Verdict, changed: Bool)] = []
  /// The last changes, the newest last.
  public private(set) var marks: [Mark] = []
  /// All changes.
  public private(set) var changes = 0

  public init(thresholds: NagiosThresholds = .init()) { self.thresholds = thresholds }

  public mutating func take(_ look: ProbeLook) {
    let verdict = Verdict(look, self.thresholds)
    self.rounds += 1
    if look.wasToSend {
      self.sent += 1
      if let time = look.roundTripMilliseconds { self.times.take(time) } else { self.lost += 1 }
    } else if let attach = look.report[.attach], attach.verdict == .ok, let time = attach.milliseconds {
      // Nothing is sent: the way up to the queue's door is what can be timed.
      self.times.take(time)
    }
    var changed = false
    if let before = self.verdict, before != verdict {
      changed = true
      self.changes += 1
      self.marks.append(Mark(round: self.rounds, at: look.at, from: before, to: verdict))
    }
    self.verdict = verdict
    self.worst = self.worst.map { $0.worse(verdict.status) } ?? verdict.status
    self.last = look
    self.recent.append((verdict, changed))
    if self.recent.count > Self.remembered { self.recent.removeFirst(self.recent.count - Self.remembered) }
    if self.marks.count > Self.remembered { self.marks.removeFirst(self.marks.count - Self.remembered) }
  }

  /// Of the pings that were to be sent, how many in a hundred the bus did not take; nil while none was.
  public var lossPercent: Double? { self.sent == 0 ? nil : Double(self.lost) / Double(self.sent) * 100 }
}
