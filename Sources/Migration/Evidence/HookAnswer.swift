// SPDX-License-Identifier: Apache-2.0

import BusModel

/// Where on a group's way a program of the operator's own is asked, or told.
public enum HookPoint: String, Sendable, Hashable, Codable, CaseIterable {
  /// Before the first of a group's entries is written.
  case cut
  /// Before what was drained counts as such: the watch begins when it has assented.
  case drained
  /// Before people may accept the move, from the end of the watch on.
  case accept
  /// Before people may approve that the source queues are deleted, from the end of the time for which they are kept on.
  case removal
  /// The group goes back. It is told; whatever it says changes nothing, and nothing waits for it.
  case rollBack = "roll-back"

  /// Whether no assent there keeps the group where it is.
  public var canVeto: Bool { self != .rollBack }
}

/// A program to be asked at one point.
public struct StepHook: Sendable, Hashable, Codable {
  public var point: HookPoint
  /// Its name in the configuration.
  public var hook: String

  public init(_ point: HookPoint, _ hook: String) {
    self.point = point
    self.hook = hook
  }
}

/// What a hook said at a point other than the cut.
struct StepAnswer: Sendable, Hashable, Codable {
  /// A program that is told of a roll-back and gives no answer is told so often.
  static let tellings = 5

  var step: StepHook
  var answer: HookAnswer
  var at: Instant
  /// Not before this is it asked again, where it did not assent.
  var retryAt: Instant
  /// Answers in a row that were no assent.
  var refusals: Int

  /// An assent is of its moment: a day later it is asked for anew. A clock set back ends it too.
  func assents(now: Instant, policy: Policy) -> Bool {
    let age = now.since(self.at)
    return self.answer.isAssent && age <= policy.drainedLife && age.milliseconds >= 0
  }

  /// Whether nobody need be told any more.
  var isTold: Bool { if case .silent = self.answer { self.refusals >= Self.tellings } else { true } }
}

/// What a program of the operator's own said when it was asked whether a group may go on.
public enum HookAnswer: Sendable, Hashable, Codable {
  case assented(String)
  case vetoed(String)
  /// It did not answer in time, could not be run, or ended in a way that is no answer. Silence is not assent.
  case silent(String)

  public var isAssent: Bool { if case .assented = self { true } else { false } }

  public var words: String {
    switch self {
    case .assented(let words): words.isEmpty ? "assented" : "assented: \(words)"
    case .vetoed(let words): words.isEmpty ? "vetoed" : "vetoed: \(words)"
    case .silent(let words): "gave no answer: \(words)"
    }
  }
}

/// What it is asked: everything that it needs to find out for itself, and no health data.
public struct HookQuestion: Sendable, Hashable, Codable {
  public var schema = "bus-migrator/hook/1"
  /// The hook's name in the configuration.
  public var hook: String
  /// What it is asked about, or told of.
  public var point: HookPoint
  public var pulje: PuljeName
  public var group: GroupID
  public var herIDs: [HerID]
  public var vendors: [String]
  public var source: BusName
  public var target: BusName
  public var planHash: String

  public init(
    hook: String, point: HookPoint = .cut, pulje: PuljeName, group: GroupID, herIDs: [HerID], vendors: [String], source: BusName,
    target: BusName, planHash: String
  ) {
    self.hook = hook
    self.point = point
    self.pulje = pulje
    self.group = group
    self.herIDs = herIDs
    self.vendors = vendors
    self.source = source
    self.target = target
    self.planHash = planHash
  }
}
