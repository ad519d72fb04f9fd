// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Hummingbird
import Migration
import MigrationEngine

/// Carries out what people command over the control interface: who may it, why, once.
struct CommandControl: Sendable {
  /// A plan of thousands of parties may come along.
  static let largestBody = 16 << 20
  static let longestReason = 2_000
  static let keyHeader = "Idempotency-Key"

  let engine: MigrationEngine
  let planMaker: PlanMaker
  let survey: BusSurvey
  /// Has what was set aside tried once more: who carries forgets nothing by itself.
  let retrySetAside: @Sendable ([HerID]) async -> Void
  let clock: any MigrationClock

  /// - Parameters:
  ///   - asker: who the machine says is asking.
  ///   - key: the asker's idempotency key.
  ///   - isBrief: without the pulje as it then is: of thousands of parties that is written for longer than all else takes.
  func carryOut(_ body: Data, asker: ControlAsker, key: String?, isBrief: Bool = false) async throws -> Data {
    var command = try ControlAPI.read(ControlAPI.Command.self, "the command", body)
    let needed = ControlRights.roles(for: command.verb)
    guard asker.may(needed) else { throw CommandLineError.notAllowed(who: asker.words, roles: ControlGate.words(needed)) }
    try Self.check(command, key: key)
    try Self.name(asker, in: &command)
    if let vendor = asker.vendor, asker.isVendorOnly {
      let (state, _) = await self.engine.snapshot()
      command = try VendorRule.checked(command, vendor: vendor, state, now: self.clock.now)
    }
    if command.verb == .checkBus { return try await self.look(at: command.bus).answer }
    guard !command.why.allSatisfy(\.isWhitespace) else { throw CommandLineError.reasonMissing(verb: command.verb.rawValue) }
    var record = CommandRecord(
      by: command.deciders, giver: asker.giver, role: asker.role(for: command.verb), verb: command.verb.rawValue,
      pulje: command.pulje, reason: command.why, key: key, fingerprint: command.fingerprint)
    // Before anything is looked at or asked of others; decided once more in the engine, where one command is taken at a time.
    switch await self.engine.snapshot().state.commands.word(on: record, now: self.clock.now) {
    case .unknown: break
    case .same(let entry):
      return try await self.answer(.repeated(entry), record, to: asker, isPreview: command.preview == true, isBrief: isBrief)
    case .other: throw CommandLineError.keyReused(key: key ?? "", verb: record.verb)
    }
    // What the program says of its login counts for nothing.
    if case .login(let uid, let name) = asker.giver {
      command.exception?.giver = DrainException.Giver(uid: uid, login: name)
    } else {
      command.exception?.giver = nil
    }
    if let span = command.lasts {
      command.until = self.clock.now + span
      command.exception?.until = self.clock.now + span
    }
    let named = command.wave == nil ? command.herIDs ?? [] : []
    var closing: BusClosing?
    let inputs: [MigrationInput]
    if command.verb == .closeBus {
      let look = try await self.look(at: command.bus)
      closing = look.closing
      inputs = [.closeBus(look.closing, approvals: command.by)]
    } else {
      inputs = try await self.inputs(of: &command)
    }
    record.pulje = command.pulje
    record.herIDs = command.herIDs ?? []
    record.planHash = command.planHash
    if command.preview == true { return try await self.preview(inputs, record, for: asker, named: named, closing: closing) }
    let outcome = try await self.engine.carryOut(inputs, as: record)
    if command.verb == .retrySetAside, case .done = outcome { await self.retrySetAside(command.herIDs ?? []) }
    return try await self.answer(outcome, record, to: asker, closing: closing, isBrief: isBrief)
  }

  /// What no command may be, whoever gives it.
  private static func check(_ command: ControlAPI.Command, key: String?) throws {
    if let key {
      guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
        throw CommandLineError.argumentWrong(
          name: Self.keyHeader, seen: "\(key.utf8.count) characters", wanted: "1 to 200 visible ASCII characters")
      }
    }
    guard command.why.utf8.count <= Self.longestReason else {
      throw CommandLineError.argumentWrong(
        name: "why", seen: "\(command.why.utf8.count) bytes", wanted: "at most \(Self.longestReason)")
    }
    for names in command.namesOfDeciders {
      guard names.count <= 20, names.allSatisfy({ $0.utf8.count <= 200 }) else {
        throw CommandLineError.argumentWrong(
          name: "by", seen: "\(names.count) names", wanted: "at most 20 names of at most 200 bytes")
      }
    }
  }

  /// A token speaks for its holder: over TCP nobody decides in the name of others, and where several approve the holder is one of them.
  static func name(_ asker: ControlAsker, in command: inout ControlAPI.Command) throws {
    guard case .token(let name) = asker.giver else { return }
    if command.by.isEmpty { command.by = [name] }
    for names in command.namesOfDeciders {
      guard names.contains(name), command.verb.isSignedBySeveral || names == [name] else {
        throw CommandLineError.speaksForOthers(
          who: asker.words, named: String(names.filter { $0 != name }.joined(separator: ", ").prefix(100)))
      }
    }
    // Whose command it is comes first: so it stands in the history.
    command.by = [name] + command.by.filter { $0 != name }
  }

  /// Decides as the engine would, on what it has at this moment, and keeps nothing of it.
  private func preview(
    _ inputs: [MigrationInput], _ record: CommandRecord, for asker: ControlAsker, named: [HerID], closing: BusClosing?
  ) async throws -> Data {
    let (state, now) = (await self.engine.snapshot().state, self.clock.now)
    let outcome = state.decide(inputs, as: record, now: now)
    var preview: CommandPreview?
    if case .done(_, let events) = outcome, !asker.isVendorOnly {
      preview = CommandPreview(of: events, by: inputs, named: named, state, now: now)
    }
    return try await self.answer(outcome, record, to: asker, closing: closing, preview: preview, isPreview: true)
  }

  private func answer(
    _ outcome: CommandOutcome, _ record: CommandRecord, to asker: ControlAsker, closing: BusClosing? = nil,
    preview: CommandPreview? = nil, isPreview: Bool = false, isBrief: Bool = false
  ) async throws -> Data {
    var answer = ControlAPI.CommandAnswer(events: [], closing: closing, obstacles: closing?.obstacles(now: self.clock.now))
    answer.executed = !isPreview
    answer.preview = preview
    var pulje = record.pulje
    switch outcome {
    case .done(let record, let events): answer.events = events.map(\.kind); pulje = record.pulje
    case .already(let record, _): answer.status = record.status
    case .repeated(let entry):
      answer.status = entry.status
      answer.events = entry.kinds
      answer.isRepeat = true
      pulje = entry.pulje
    case .keyReused: throw CommandLineError.keyReused(key: record.key ?? "", verb: record.verb)
    // What keeps a group may name others' parties.
    case .refused(let refusal) where asker.isVendorOnly:
      throw Refusal(refusal.code, tried: "carry out \(record.verb)", seen: "it is not so that it can be")
    case .refused(let refusal): throw refusal
    }
    if asker.isVendorOnly || isBrief { return try ControlAPI.encode(answer) }
    let (state, _) = await self.engine.snapshot()
    let found = (try? state.pulje(meant: pulje)).flatMap { state.puljer[$0] }
    answer.pulje = found.map { PuljeSummary($0, stop: state.stop, now: self.clock.now) }
    return try ControlAPI.encode(answer)
  }

  /// Looks at the bus, as before it is closed.
  private func look(at name: BusName?) async throws -> (closing: BusClosing, answer: Data) {
    guard let bus = self.survey.buses.first(where: { $0.name == name }) else {
      throw CommandLineError.argumentWrong(
        name: "the bus", seen: String((name?.text ?? "").prefix(80)),
        wanted: "one of \(self.survey.buses.map(\.name.text).joined(separator: ", "))")
    }
    let closing = await self.survey.look(at: bus)
    var answer = ControlAPI.CommandAnswer(events: [], closing: closing, obstacles: closing.obstacles(now: self.clock.now))
    answer.executed = false
    return (closing, try ControlAPI.encode(answer))
  }

  // MARK: what a command means

  private func start(_ command: inout ControlAPI.Command, _ state: MigrationState) async throws -> [MigrationInput] {
    guard let request = command.request else {
      throw CommandLineError.argumentWrong(name: "the command", seen: "start", wanted: "the pulje along with it")
    }
    command.pulje = request.name
    let hash = command.planHash ?? command.approvedPlan?.hash
    // Planned again it would come out otherwise by now: its parties are in an open pulje.
    if let pulje = state.puljer[request.name], pulje.startedAt != nil,
      hash.map({ $0 == pulje.planHash }) ?? pulje.plan.isOf(request)
    {
      command.planHash = pulje.planHash
      return [.start(request.name, planHash: pulje.planHash, approvals: command.by)]
    }
    let plan = try await self.planMaker.survey(request, open: state.openParties, now: self.clock.now, seen: state.librariesSeen)
      .plan
    if let approved = command.approvedPlan, approved.hash != plan.hash {
      let seen =
        "approved \(approved.hash.prefix(12)), now \(plan.hash.prefix(12)):\(PlanDifference(was: approved, now: plan).words)"
      throw Refusal(.planChanged, tried: "start pulje \(plan.name)", seen: seen)
    }
    command.planHash = plan.hash
    return [.begin(plan, planHash: hash, approvals: command.by)]
  }

  private func inputs(of command: inout ControlAPI.Command) async throws -> [MigrationInput] {
    let (state, _) = await self.engine.snapshot()
    let (by, why) = (command.by.first ?? "", command.why)
    switch command.verb {
    case .start: return try await self.start(&command, state)
    case .stop: return [.stopTheLine(by: by, why: why)]
    case .release: return [.releaseTheLine(approvals: command.by)]
    default: break
    }
    let pulje = try state.pulje(meant: command.pulje)
    command.pulje = pulje
    if let wave = command.wave {
      guard let found = state.puljer[pulje]?.herIDs(inWave: wave) else {
        throw CommandLineError.argumentWrong(name: "--wave", seen: "\(wave)", wanted: "one of the pulje's waves, from 1")
      }
      command.herIDs = (command.herIDs ?? []) + found
    }
    let (herIDs, approvals) = (command.herIDs ?? [], command.by)
    func each(_ input: (HerID) -> MigrationInput) throws -> [MigrationInput] {
      guard !herIDs.isEmpty else {
        throw CommandLineError.argumentWrong(name: "--her-id", seen: "", wanted: "the party that is meant")
      }
      return herIDs.map(input)
    }
    switch command.verb {
    case .start, .stop, .release, .closeBus, .checkBus: return []
    case .retire: return try each { .retire(pulje, herID: $0, approvals: approvals) }
    case .approveRemoval: return try each { .approveRemoval(pulje, herID: $0, approvals: approvals) }
    case .signTest:
      guard let test = command.test else {
        throw CommandLineError.argumentWrong(name: "the command", seen: "sign-test", wanted: "the test along with it")
      }
      return try each { .signTest(pulje, herID: $0, test.item, passed: test.passed, by: by, seen: why) }
    case .pause: return [.pause(pulje, by: by, why: why)]
    case .resume: return herIDs.isEmpty ? [.resume(pulje, by: by)] : try each { .release(pulje, herID: $0, by: by) }
    case .rollback: return [.rollBack(pulje, herIDs: herIDs.isEmpty ? nil : herIDs, by: by, why: why)]
    case .accept: return [.accept(pulje, approvals: approvals)]
    case .waive:
      let until = command.until ?? self.clock.now
      return try each { .waive(pulje, herID: $0, by: by, why: why, until: until) }
    case .approveForwarding:
      guard let order = command.order else {
        throw CommandLineError.argumentWrong(name: "the command", seen: "approve-forwarding", wanted: "the order along with it")
      }
      return try each { .approveForwarding(pulje, herID: $0, order) }
    case .pauseForwarding: return try each { .pauseForwarding(pulje, herID: $0, by: by, why: why) }
    case .resumeForwarding: return try each { .resumeForwarding(pulje, herID: $0, by: by) }
    case .retrySetAside:
      // What has stopped goes on with it; what is at work is only begun anew.
      return try each { .resumeForwarding(pulje, herID: $0, by: by) }.filter { input in
        guard case .resumeForwarding(_, let herID, _) = input else { return true }
        return !state.groups(of: herID, in: pulje).contains { _, group in
          group.forwarding.map { $0.stands && $0.pause == nil && $0.stops.isEmpty } ?? false
        }
      }
    case .endForwarding: return try each { .endForwarding(pulje, herID: $0, by: by, why: why) }
    case .except:
      guard let exception = command.exception else {
        throw CommandLineError.argumentWrong(name: "the command", seen: "except", wanted: "the exception along with it")
      }
      return try each { .except(pulje, herID: $0, exception) }
    case .quarantine: return try each { .quarantine(pulje, herID: $0, by: by, why: why) }
    case .readmit: return try each { .readmit(pulje, herID: $0, by: by) }
    }
  }
}

extension Plan {
  /// Whether this is what was planned of `request`, as far as the request itself says.
  fileprivate func isOf(_ request: PuljeRequest) -> Bool {
    self.name == request.name && self.source == request.source && self.target == request.target && self.policy == request.policy
      && request.organisations.isEmpty && Set(self.herIDs) == Set(request.parties.map(\.herID))
  }
}

extension ControlAPI.Command {
  /// All that decide, each once.
  fileprivate var deciders: [String] {
    self.namesOfDeciders.joined().reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}

extension ControlAPI.Command.Verb {
  /// Whether several people sign it together.
  var isSignedBySeveral: Bool {
    switch self {
    case .start, .accept, .release, .retire, .approveRemoval, .closeBus, .approveForwarding, .except: true
    case .pause, .resume, .rollback, .waive, .quarantine, .readmit, .stop, .signTest, .checkBus, .pauseForwarding,
      .resumeForwarding, .endForwarding, .retrySetAside:
      false
    }
  }
}
