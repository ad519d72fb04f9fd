// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration

/// What a vendor sees: its own parties, and of the rest not even that it is there. Put together from what may be shown, not by taking away
/// what may not: something new is hidden until somebody puts it here.
struct VendorView: Codable, Sendable {
  struct Pulje: Codable, Sendable {
    var name: PuljeName
    var source: BusName
    var target: BusName
    var startedAt: Instant?
    var isPaused: Bool
    var parties: [Party]
  }

  struct Party: Codable, Sendable {
    var herID: HerID
    var name: String
    var phase: GroupPhase
    var since: Instant
    var direction: Direction
    /// The code of what is waited for; `bus-migrator explain` and docs/error-codes.md tell what it means.
    var waitsFor: WaitReason.Code?
    /// Items of the test protocol that are not signed yet.
    var testsMissing: [TestItem]
    var tests: [Test]
    /// On the bus that is being left, as far as they are its own.
    var queues: [Queue]
    var watchUntil: Instant?
  }

  struct Test: Codable, Sendable {
    var item: TestItem
    var passed: Bool
    var at: Instant
  }

  struct Queue: Codable, Sendable {
    var address: String
    var kind: QueueKind
    /// nil when it could not be counted.
    var depth: Int64?
  }

  var schema = "bus-migrator/vendor/1"
  var now: Instant
  var vendor: String
  var isLineStopped: Bool
  var puljer: [Pulje]

  /// - Parameters:
  ///   - name: the only pulje that is asked for; nil for all.
  ///   - herIDs: the only parties that are asked for; empty for all.
  /// - Throws: the same ``Refusal`` for what is not there and what is another's.
  init(_ state: MigrationState, vendor: String, pulje name: PuljeName?, herIDs: [HerID] = [], now: Instant) throws {
    self.now = now
    self.vendor = vendor
    self.isLineStopped = state.stop != nil
    if let name, state.puljer[name]?.plan.groups.contains(where: { $0.members.contains { $0.vendor == vendor } }) != true {
      throw Refusal(.unknownPulje, tried: "find pulje \(name)", seen: "no pulje of that name with parties of yours")
    }
    let puljer = state.ordered.filter { name == nil || $0.name == name }.compactMap { pulje -> Pulje? in
      let summary = PuljeSummary(pulje, stop: state.stop, now: now)
      let parties = summary.groups.flatMap { group in
        group.members.filter { $0.vendor == vendor && (herIDs.isEmpty || herIDs.contains($0.herID)) }.map { member in
          Party(member, of: group, addresses: pulje.addresses(of: member.herID))
        }
      }
      guard !parties.isEmpty else { return nil }
      return Pulje(
        name: pulje.name, source: summary.source, target: summary.target, startedAt: summary.startedAt,
        isPaused: summary.paused != nil, parties: parties)
    }
    let seen = Set(puljer.flatMap(\.parties).map(\.herID))
    if let herID = herIDs.first(where: { !seen.contains($0) }) {
      throw Refusal(.unknownParty, tried: "find HER-ID \(herID)", seen: "no pulje has it as a party of yours")
    }
    self.puljer = puljer
  }
}

extension VendorView.Party {
  fileprivate init(_ member: MemberSummary, of group: GroupSummary, addresses: Set<String>) {
    self.herID = member.herID
    self.name = member.name
    self.phase = group.phase
    self.since = group.since
    self.direction = group.direction
    self.waitsFor = group.wait?.code
    self.testsMissing = group.testsMissing.filter { $0.herID == member.herID }.map(\.item)
    self.tests = group.tests.filter { $0.herID == member.herID }.map {
      VendorView.Test(item: $0.item, passed: $0.passed, at: $0.at)
    }
    self.queues = group.drain.queues.filter { addresses.contains($0.address) }.map {
      VendorView.Queue(address: $0.address, kind: $0.kind, depth: $0.depth)
    }
    self.watchUntil = group.watchUntil
  }
}

extension PuljeState {
  /// As the register has them, before and after.
  fileprivate func addresses(of herID: HerID) -> Set<String> {
    guard let member = self.plan.groups.lazy.flatMap(\.members).first(where: { $0.herID == herID }) else { return [] }
    return Set((member.before.addresses + member.after.addresses).map(\.text))
  }
}

/// What a vendor may command: to confirm for its own parties.
enum VendorRule {
  /// - Returns: the command, with the pulje that is meant.
  static func checked(
    _ command: ControlAPI.Command, vendor: String, _ state: MigrationState, now: Instant
  ) throws -> ControlAPI.Command {
    guard command.verb == .signTest, command.test?.item == .vendorConfirms else {
      throw CommandLineError.notAllowed(
        who: "the vendor \(vendor)", roles: ControlGate.words([.operator]) + "; vendors sign \(TestItem.vendorConfirms) only")
    }
    let herIDs = command.herIDs ?? []
    guard !herIDs.isEmpty, command.wave == nil else {
      throw CommandLineError.argumentWrong(name: "herIDs", seen: "", wanted: "the parties that are meant, one by one")
    }
    // Whatever is another's is answered as what is not there.
    let own = try VendorView(state, vendor: vendor, pulje: command.pulje, herIDs: herIDs, now: now).puljer.map(\.name)
    guard own.count == 1 else { throw CommandLineError.puljeNotNamed(names: own.map(\.text)) }
    _ = try VendorView(state, vendor: vendor, pulje: own[0], herIDs: herIDs, now: now)
    var command = command
    command.pulje = own[0]
    return command
  }
}
