// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Hummingbird
import Migration
import MigrationEngine
import NIOCore
import ServiceLifecycle

/// The page that the daemon serves, and what it lives by: `GET /v1/me`, `/v1/board`, `/v1/live`, `/v1/group`.
struct Dashboard: Service {
  let engine: MigrationEngine
  let room: BoardRoom
  let trails: DepthTrails
  let clock: any MigrationClock

  /// Who asks, and what he may do.
  struct Me: Codable, Sendable {
    var schema = "bus-migrator/me/1"
    /// The login, or the token's name; nil where the system does not tell.
    var name: String?
    var roles: [ControlRole]
    /// Root, or who the daemon runs as: may everything.
    var isRescue: Bool
    /// Whose parties a vendor sees.
    var vendor: String?
    /// Verbs that `POST /v1/command` takes from him.
    var may: [ControlAPI.Command.Verb]
    var environment: String?
  }

  /// One group with everything that is known of it.
  struct GroupAnswer: Encodable {
    var schema = "bus-migrator/group/1"
    var pulje: PuljeName
    var group: GroupSummary
    /// What lay on the bus that is being left, look by look.
    var trail: DepthTrail
    var outlook: DrainOutlook
  }

  /// Paints while somebody watches; its end lets everybody go.
  func run() async throws {
    await cancelWhenGracefulShutdown { await self.room.run() }
    await self.room.end()
    try? await gracefulShutdown()
  }

  /// Before who asks is asked who he is.
  func guards(_ router: Router<ControlContext>, _ door: ControlGate.Door) {
    let needsToken = if case .token = door { true } else { false }
    router.add(middleware: BrowserGate(needsToken: needsToken))
    router.add(middleware: DashboardPages())
  }

  func add(to router: Router<ControlContext>) {
    router.on(.me) { _, asker in await ControlAnswer.of { try ControlAPI.encode(self.me(asker)) } }
    router.on(.board) { _, _ in
      guard let text = await self.room.board() else { return ControlAnswer.failure(.serviceUnavailable) }
      return Response(
        status: .ok, headers: [.contentType: "application/json", .contentLength: "\(text.readableBytes)"],
        body: ResponseBody(byteBuffer: text))
    }
    router.on(.group) { request, _ in
      let (pulje, id) = (request.word("pulje"), request.word("id"))
      return await ControlAnswer.of { try await self.group(pulje, id) }
    }
    // By its connection, which is ended when nobody reads any more.
    router.on(RouterPath(ControlRoute.live.path), method: .get) { request, context in self.live(request, context) }
  }

  private func me(_ asker: ControlAsker) -> Me {
    let name: String? =
      switch asker.giver {
      case .login(_, let name): name
      case .token(let name): name
      }
    return Me(
      name: name, roles: asker.roles.sorted { $0.rawValue < $1.rawValue }, isRescue: asker.isRescue,
      vendor: asker.vendor, may: ControlAPI.Command.Verb.allCases.filter { asker.may(ControlRights.roles(for: $0)) },
      environment: self.room.environment)
  }

  private func group(_ puljeText: String?, _ idText: String?) async throws -> Data {
    let (state, _) = await self.engine.snapshot()
    let name = try state.pulje(meant: try puljeText.map(PuljeArgument.name))
    guard let herID = try PuljeArgument.herIDs([idText ?? ""]).first else {
      throw CommandLineError.argumentWrong(name: "id", seen: "", wanted: "a HER-ID of the group")
    }
    let now = self.clock.now
    guard let pulje = state.puljer[name], let id = pulje.group(of: herID),
      let summary = PuljeSummary.group(id, in: pulje, stop: state.stop, now: now)
    else {
      throw Refusal(.unknownParty, tried: "show the group of HER-ID \(herID)", seen: "pulje \(name) has no such party")
    }
    let trail = await self.trails.snapshot()[Roster.Key(pulje: name, group: id)] ?? DepthTrail()
    return try ControlAPI.encode(
      GroupAnswer(pulje: name, group: summary, trail: trail, outlook: DrainOutlook(trail, now: now)))
  }

  // MARK: live

  private func live(_ request: Request, _ context: ControlContext) -> Response {
    guard let asker = context.asker, let asksAgain = context.asksAgain else {
      return ControlAnswer.failure(CommandLineError.notAllowed(who: "somebody", roles: "any"))
    }
    let after = request.headers.first { $0.name.canonicalName == "last-event-id" }.flatMap { Int64($0.value) }
    let room = self.room
    let rights = StandingRights(of: asker, on: .live, clock: self.clock, asksAgain: asksAgain)
    let body = ResponseBody { writer in
      let joined =
        if asker.isVendorOnly, let vendor = asker.vendor {
          await room.join(vendor: vendor, hangUp: { context.hangUp() })
        } else {
          await room.join(after: after, hangUp: { context.hangUp() })
        }
      if let (number, listener) = joined {
        do {
          // Cancelled when the reader hangs up, or is gone.
          try await request.body.consumeWithCancellationOnInboundClose { _ in
            var end = "the-daemon-stops"
            for await chunk in listener.chunks {
              if listener.isBehind { break }
              guard await rights.stand() else {
                end = "rights-ended"
                break
              }
              try await writer.write(chunk)
            }
            try await writer.write(BoardText.again(listener.isBehind ? "too-slow" : end))
          }
        } catch {
          // Nobody reads any more.
        }
        await room.left(number, listener)
      } else {
        try await writer.write(BoardText.again("the-daemon-stops"))
      }
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "text/event-stream", .connection: "close"], body: body)
  }
}
