// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import BusProbe
import Foundation
import Testing

@testable import bus_pinger

@Suite("bus-pinger: how often a watch looks")
struct WatchPaceTests {
  private let five: WatchInterval
  private let minute: WatchInterval

  init() throws {
    self.five = try #require(WatchInterval(argument: "5s"))
    self.minute = try #require(WatchInterval(argument: "1m"))
  }

  private func look(_ steps: [ProbeStep]) -> ProbeLook {
    ProbeLook(
      ProbeReport(target: "200", kind: .asynchronous, steps: steps), at: SystemRegistryClock().now, totalMilliseconds: 0)
  }

  /// With these arguments and, where they are given, further fields under `ping:`.
  private func pace(_ arguments: [String] = [], ping: String = "") throws -> WatchPace {
    let configuration = try PingerConfiguration.parse(
      "own-her-id: 100\nping: {timeout-seconds: 9\(ping)}\nregistry: {cache: x}\nbuses:\n- name: a\n  dialect: rabbitmq-3\n"
        + "  connection-string: 'amqps://u:p@h'\n", file: "/conf/pinger.yaml")
    return WatchPace(self.five, try CheckCommand.parse(["200"] + arguments).target, configuration)
  }

  @Test("The interval is the ration's own, where nothing else is configured")
  func ration() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pace-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let ration = PingRation(PingRationPlace(folder: folder.path), now: { 1_000_000 })
    let herID = try HerID(text: "200")
    let (first, second) = (await ration.ask(herID), await ration.ask(herID))
    #expect(throws: Never.self) { try first.get() }
    #expect(throws: PingRation.Refusal.pingedLately(after: try self.pace().ration)) { try second.get() }
  }

  @Test("Slower than was asked for only where pings are sent, and it says so")
  func slowed() throws {
    #expect(try self.pace().interval.duration == .seconds(10))
    #expect(try self.pace().isSlowed)
    #expect(try self.pace(["--quit-after", "credit"]).isSlowed)
    #expect(try self.pace(ping: ", party-interval-seconds: 60").interval.duration == .seconds(60))
    for notSlowed in [
      try self.pace(["--no-send"]), try self.pace(["--quit-after", "attach"]), try self.pace(ping: ", production: true"),
      try self.pace(ping: ", party-interval-seconds: 0"), try self.pace(ping: ", party-interval-seconds: 5"),
    ] {
      #expect(notSlowed.interval == self.five && !notSlowed.isSlowed)
    }
    #expect(try self.pace(["--send"], ping: ", production: true").isSlowed)
    #expect(!WatchPace(self.minute, ration: .seconds(10)).isSlowed)
  }

  @Test("The next ping is ten seconds from when leave was asked for, not from when the round began")
  func next() {
    let pace = WatchPace(self.five, ration: .seconds(10))
    let ping = self.look([
      ProbeStep(.attached, milliseconds: 100), ProbeStep(.accepted, milliseconds: 400),
      ProbeStep(.controlRefused, milliseconds: 500), ProbeStep(.echoCame, milliseconds: 1_000),
    ])
    // A login of three seconds, then 1.6 s that were timed.
    #expect(pace.untilNext(ping, taken: .milliseconds(4_600)) == .seconds(13))
    #expect(pace.untilNext(ping, taken: .milliseconds(100)) == .seconds(10))
    #expect(pace.untilNext(self.look([ProbeStep(.refused)]), taken: .seconds(4)) == .seconds(10))
    #expect(pace.untilNext(self.look([ProbeStep(.attached), ProbeStep(.pingedLately)]), taken: .seconds(4)) == .seconds(10))
    #expect(WatchPace(self.minute, ration: .seconds(10)).untilNext(ping, taken: .seconds(4)) == .seconds(60))
    #expect(WatchPace(self.five, ration: .zero).untilNext(ping, taken: .seconds(9)) == .seconds(5))
  }
}
