// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Migration
import MigrationEngine
import UnixSignals

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Follow every pulje and wave live: how far it has come, how long it may take, what needs a person.",
    discussion: """
      The daemon tells what happens; nothing is asked again and again. Times are a range: not before what policy and windows say, and not after what \
      the pace measured since the watch began gives, if nothing comes between; what waits for a person has no estimate. On a terminal the screen is \
      drawn anew; elsewhere a line for each change, or with --json an object on a line of its own. A daemon that restarts is waited for. Ctrl-C ends it.
      """)

  @OptionGroup var pulje: PuljeOption
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    try await Watch(pulje: try self.pulje.name(), place: self.place, json: self.output.json).run()
  }
}

/// A watch until somebody ends it.
struct Watch {
  let pulje: PuljeName?
  let place: PlaceOptions
  let json: Bool

  func run() async throws {
    let daemon = try await DaemonReached.at(self.place)
    let screen = WatchScreen(environment: daemon.environment, json: self.json)
    let feed = LiveFeed(place: self.place, environment: daemon.environment)
    screen.begin()
    defer { screen.end() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return } }
      group.addTask { try await self.follow(feed, screen) }
      try await group.next()
      group.cancelAll()
      // Whatever the other one says to being cancelled.
      while let result = await group.nextResult() { _ = result }
    }
  }

  private func follow(_ feed: LiveFeed, _ screen: WatchScreen) async throws {
    let clock = SystemMigrationClock()
    var picture = WatchPicture()
    var paces: [PuljeName: MovingPace] = [:]
    var lost: String?
    try await feed.run { news in
      switch news {
      case .event(let name, let id, let data):
        do { try picture.take(name, id: id, data) } catch {
          throw CommandLineError.answerUnreadable(seen: "an event \(name) of another form")
        }
      case .heartbeat: break
      case .lost(let why): lost = why
      case .back: lost = nil
      }
      if let pulje = self.pulje, picture.sequence != nil, !picture.puljer.contains(where: { $0.told.name == pulje }) {
        throw Refusal(.unknownPulje, tried: "watch \(pulje)", seen: "no pulje of that name")
      }
      let now = clock.now
      for pulje in picture.puljer {
        paces[pulje.told.name, default: MovingPace()].take(moved: pulje.groups.count(where: \.isMoved), now: now)
      }
      var view = WatchView(picture, paces: paces.compactMapValues(\.perGroup), isLive: lost == nil, now: now)
      if let pulje = self.pulje { view.puljer.removeAll { $0.name != pulje } }
      // Before the first picture there is nothing to be said.
      if picture.sequence != nil { try screen.show(view, lost: lost) }
    }
  }
}

extension WatchPicture.Group {
  /// Whether it is over there, and has answered.
  var isMoved: Bool { [.emptying, .watched, .ready].contains(WatchView.stage(self.glance)) }
}
