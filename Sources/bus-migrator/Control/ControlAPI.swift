// SPDX-License-Identifier: Apache-2.0

import BusModel
import Crypto
import Disclosure
import Foundation
import Migration
import MigrationEngine

/// What goes over the control socket: HTTP with JSON. The schemas are stable; times are milliseconds since 1970 UTC.
enum ControlAPI {
  /// A person's wish. Which fields are needed depends on ``Verb``.
  struct Command: Encodable, Sendable {
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
    /// Who says so; several where approval needs several. Over TCP a token's holder is always one of them, and the only one when nobody is named.
    var by: [String]
    /// Why; needed with everything that changes something.
    var why: String = ""
    var until: Instant?
    /// With `waive` and `except`, in place of a time: for so long from when it is carried out.
    var lasts: TimeSpan?
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
    /// Say what it would come to, and change nothing. A field, and read strictly: a daemon that does not know it refuses the command, and does
    /// not carry it out.
    var preview: Bool?

    init(
      verb: Verb, pulje: PuljeName? = nil, herIDs: [HerID]? = nil, bus: BusName? = nil, wave: Int? = nil, by: [String],
      why: String = "", until: Instant? = nil, lasts: TimeSpan? = nil, planHash: String? = nil, test: Test? = nil,
      approvedPlan: Plan? = nil, request: PuljeRequest? = nil
    ) {
      self.verb = verb
      self.pulje = pulje
      self.herIDs = herIDs
      self.bus = bus
      self.wave = wave
      self.by = by
      self.why = why
      self.until = until
      self.lasts = lasts
      self.planHash = planHash
      self.test = test
      self.approvedPlan = approvedPlan
      self.request = request
    }

    /// Whom it names as deciding, wherever it names them.
    var namesOfDeciders: [[String]] { [self.by, self.exception?.by, self.order?.approvals].compactMap { $0 } }

    /// SHA-256 over all of it.
    var fingerprint: String {
      var command = self
      // Counted from when it is sent, it would be another command each time.
      if command.lasts != nil {
        command.until = nil
        command.exception?.until = Instant(milliseconds: 0)
      }
      command.exception?.giver = nil
      command.preview = nil
      return CanonicalJSON.hex(SHA256.hash(data: (try? CanonicalJSON.encode(command)) ?? Data()))
    }
  }

  /// What an order would carry now.
  struct TrialQuestion: Codable, Sendable {
    var pulje: PuljeName?
    var herIDs: [HerID]
    var order: ForwardingOrder
  }

  struct CommandAnswer: Codable, Sendable {
    var schema = "bus-migrator/command/1"
    /// `done`, or `already_...` when it was so before and nothing has changed.
    var status = CommandRecord.done
    /// The same command had come with the same idempotency key: what was answered then; nothing was done twice.
    var isRepeat = false
    /// False: it was only said what would come of it, or a bus was only looked at. Nothing was changed.
    var executed = true
    /// Kinds of the events that the command brought about, or would.
    var events: [String]
    /// What it would come to; for a preview only.
    var preview: CommandPreview?
    /// As it stands now.
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
    /// As its configuration names it.
    var environment: String?
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

  /// - Throws: ``CommandLineError`` `argumentWrong`, without anything of the content.
  static func read<Value: Decodable>(_ type: Value.Type, _ what: String, _ body: Data) throws -> Value {
    do { return try JSONDecoder().decode(type, from: body) } catch let error as CommandLineError { throw error } catch let error
      as DecodingError
    {
      throw CommandLineError.argumentWrong(
        name: what, seen: Self.words(error), wanted: "JSON as docs/api/openapi.json describes it")
    } catch {
      throw CommandLineError.argumentWrong(
        name: what, seen: "\(body.count) bytes", wanted: "JSON as docs/api/openapi.json describes it")
    }
  }

  private static func words(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".")
      return String(path.prefix(100))
    }
    switch error {
    case .keyNotFound(let key, let context): return "no \(place(context).isEmpty ? "" : place(context) + ".")\(key.stringValue)"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): return "another type at \(place(context))"
    case .dataCorrupted(let context):
      return place(context).isEmpty ? "what is no JSON" : "a value that does not fit at \(place(context))"
    @unknown default: return "another form"
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
