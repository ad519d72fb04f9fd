// SPDX-License-Identifier: Apache-2.0

import BusModel

/// What a program of the operator's own said when it was asked whether a group may be cut over.
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
  public var pulje: PuljeName
  public var group: GroupID
  public var herIDs: [HerID]
  public var vendors: [String]
  public var source: BusName
  public var target: BusName
  public var planHash: String

  public init(
    hook: String, pulje: PuljeName, group: GroupID, herIDs: [HerID], vendors: [String], source: BusName, target: BusName,
    planHash: String
  ) {
    self.hook = hook
    self.pulje = pulje
    self.group = group
    self.herIDs = herIDs
    self.vendors = vendors
    self.source = source
    self.target = target
    self.planHash = planHash
  }
}
