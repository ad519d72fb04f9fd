// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import MigrationEngine
import MigrationStore

/// The questions about drains that the control interface answers.
struct DrainControl: Sendable {
  let engine: MigrationEngine
  let news: EngineNews
  let trails: DepthTrails
  let survey: BusSurvey
  let buses: ProbedBuses
  /// What the forwarder's journal knows; nil where nothing can be carried.
  let journal: (any ForwardingRecords)?
  let clock: any MigrationClock

  /// A question is kept no longer than this when nothing happens.
  static let longestPatience = TimeSpan.minutes(1)

  /// - Parameter after: waits for an event after this one.
  func status(
    _ query: Query, after: Int64?, patience: TimeSpan, status: () async throws -> MigrationStatus
  ) async throws -> Data {
    if let after { await self.news.wait(after: after, within: min(patience, Self.longestPatience), clock: self.clock) }
    let drain = DrainStatus(
      try await status(), trails: await self.trails.snapshot(), herIDs: query.herIDs.isEmpty ? nil : Set(query.herIDs))
    return try ControlAPI.encode(drain)
  }

  func explain(_ query: Query) async throws -> Data {
    guard let herID = query.herIDs.first else {
      throw CommandLineError.argumentWrong(name: "--her-id", seen: "", wanted: "the party that is meant")
    }
    let (state, head) = await self.engine.snapshot()
    return try ControlAPI.encode(
      try DrainExplanation(
        state, of: herID, pulje: query.pulje, sequence: head.sequence, trails: await self.trails.snapshot(), now: self.clock.now))
  }

  func forwarding(_ query: Query) async throws -> Data {
    let (state, _) = await self.engine.snapshot()
    if let herID = query.herIDs.first(where: { state.groups(of: $0, in: query.pulje).isEmpty }) {
      throw Refusal(.unknownParty, tried: "find the drain of HER-ID \(herID)", seen: "no pulje has it")
    }
    var view = ForwardingView(state, pulje: query.pulje, herIDs: Set(query.herIDs), now: self.clock.now)
    if let journal {
      let ways = view.groups.flatMap { group in
        group.routes.map { RecordedWay(from: group.from, to: group.to, queue: $0.from, target: $0.to) }
      }
      view.possibleDuplicates = await journal.possibleDuplicates(ways)
      view.setAside = await journal.setAside(ways)
    }
    return try ControlAPI.encode(view)
  }

  /// What an order would carry, by a look made now. Takes nothing.
  func trial(_ question: ControlAPI.TrialQuestion) async throws -> Data {
    let (state, _) = await self.engine.snapshot()
    if let herID = question.herIDs.first(where: { state.groups(of: $0, in: question.pulje).isEmpty }) {
      throw Refusal(.unknownParty, tried: "try the forwarding of HER-ID \(herID)", seen: "no pulje has it")
    }
    let view = ForwardingView(state, pulje: question.pulje, herIDs: Set(question.herIDs), now: self.clock.now)
    var queues: [ForwardingTrial.Queue] = []
    for group in view.groups {
      let notConfigured = CommandLineError.wayNotConfigured(seen: "bus \(group.from) is not configured")
      guard let dialect = self.buses.dialect(of: group.from) else { throw notConfigured }
      for route in group.routes {
        guard let depth = await self.buses.depth(of: route.from, on: group.from) else { throw notConfigured }
        let isLookedAt = dialect.capabilities.browses && question.order.queues.contains(route.kind)
        let sightings =
          isLookedAt ? await self.buses.sightings(of: route.from, on: group.from, atMost: ForwardingTrial.most) : nil
        queues.append(
          ForwardingTrial.Queue(
            route.kind, from: route.from, to: route.to, order: question.order, dialect: dialect, depth: depth,
            sightings: sightings, now: self.clock.now))
      }
    }
    return try ControlAPI.encode(ForwardingTrial(now: self.clock.now, queues: queues))
  }

  func bus(_ name: String?) async throws -> Data {
    guard let bus = self.survey.buses.first(where: { $0.name.text == name }) else {
      throw CommandLineError.argumentWrong(
        name: "the bus", seen: name ?? "", wanted: "one of \(self.survey.buses.map(\.name.text).joined(separator: ", "))")
    }
    let (state, _) = await self.engine.snapshot()
    return try ControlAPI.encode(await self.survey.drain(of: bus, state: state))
  }

  /// What a question asks for.
  struct Query: Sendable {
    var pulje: PuljeName?
    var herIDs: [HerID]

    init(pulje: String?, herIDs: String?) throws {
      self.pulje = try pulje.map(PuljeArgument.name)
      self.herIDs = try PuljeArgument.herIDs(herIDs.map { [$0] } ?? [])
    }
  }
}

/// What a forwarder's journal tells people.
protocol ForwardingRecords: Sendable {
  func possibleDuplicates(_ ways: [RecordedWay]) async -> [ForwardingView.Duplicate]?
  func setAside(_ ways: [RecordedWay]) async -> [ForwardingView.SetAside]?
}

/// A queue and where its messages are carried, as the journal names it.
struct RecordedWay: Sendable {
  var from: BusName
  var to: BusName
  var queue: QueueAddress
  var target: QueueAddress

  /// As ``Forwarder/route`` names it.
  var name: String { "\(self.from)/\(self.queue.queue) > \(self.to)/\(self.target.queue)" }
}
