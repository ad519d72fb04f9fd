// SPDX-License-Identifier: Apache-2.0

import BusModel
import Disclosure
import Foundation
import Migration
import MigrationEngine

/// What goes over the control socket: HTTP with JSON. The schemas are stable; times are milliseconds since 1970 UTC.
enum ControlAPI {
  /// A person's wish. Which fields are needed depends on ``Verb``.
  struct Command: Codable, Sendable {
    enum Verb: String, Codable, Sendable, CaseIterable {
      case start, pause, resume, rollback, accept, waive, quarantine, readmit
      case stop, release, retire
      case approveRemoval = "approve-removal"
      case signTest = "sign-test"
      case closeBus = "close-bus"
      case checkBus = "check-bus"
      case approveForwarding = "approve-forwarding"
      case pauseForwarding = "pause-forwarding"
      case resumeForwarding = "resume-forwarding"
      case endForwarding = "end-forwarding"
      case retrySetAside = "retry-set-aside"
      case except
    }

    struct Test: Codable, Sendable {
      var item: TestItem
      var passed: Bool
    }

    var verb: Verb
    /// nil: the only pulje that is open.
    var pulje: PuljeName?
    var herIDs: [HerID]?
    /// With `close-bus` and `check-bus`.
    var bus: BusName?
    /// With `rollback`: the groups of this wave, the first one being 1.
    var wave: Int?
    /// Who says so; several where approval needs several.
    var by: [String]
    var why: String = ""
    var until: Instant?
    var planHash: String?
    /// With `sign-test`; what was seen is in `why`.
    var test: Test?
    /// The plan that was approved, as `plan --json` showed it: then a refusal says what has changed since.
    var approvedPlan: Plan?
    var request: PuljeRequest?
    /// With `approve-forwarding`.
    var order: ForwardingOrder?
    /// With `except`.
    var exception: DrainException?
  }

  /// What an order would carry now.
  struct TrialQuestion: Codable, Sendable {
    var pulje: PuljeName?
    var herIDs: [HerID]
    var order: ForwardingOrder
  }

  struct CommandAnswer: Codable, Sendable {
    var schema = "bus-migrator/command/1"
    /// Kinds of the events that the command brought about.
    var events: [String]
    var pulje: PuljeSummary?
    /// What was seen of a bus, and what keeps it open.
    var closing: BusClosing?
    var obstacles: [String]?
  }

  typealias Status = MigrationStatus

  /// Whether the daemon can be used.
  struct Health: Codable, Sendable, Hashable {
    var schema = "bus-migrator/health/1"
    /// Takes commands.
    var isReady: Bool
    /// Its history is read.
    var isRecovered: Bool
  }

  struct Failure: Codable, Sendable {
    var schema = "bus-migrator/error/1"
    var code: String
    var explanation: Explanation
    var text: String
    /// The answer is no and nothing has changed; else something failed.
    var isRefusal: Bool

    init(_ error: any ExplainedError, isRefusal: Bool) {
      self.code = error.stableCode
      self.explanation = error.explanation
      self.text = error.description
      self.isRefusal = isRefusal
    }
  }

  static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }
}

extension MigrationState {
  /// The pulje that is meant: the one named, or the only open one, or the only one.
  func pulje(meant name: PuljeName?) throws -> PuljeName {
    if let name {
      guard self.puljer[name] != nil else {
        throw Refusal(.unknownPulje, tried: "find pulje \(name)", seen: "no pulje of that name")
      }
      return name
    }
    let open = self.ordered.filter(\.isOpen).map(\.name)
    if open.count == 1 { return open[0] }
    let all = self.ordered.map(\.name)
    if open.isEmpty, all.count == 1 { return all[0] }
    throw CommandLineError.puljeNotNamed(names: all.map(\.text))
  }
}
