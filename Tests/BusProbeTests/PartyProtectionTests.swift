// SPDX-License-Identifier: Apache-2.0

import AMQP
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussClient
import TjenestebussTesting

@testable import BusProbe

/// What a prober must never do to a party, on every dialect, seen on the wire.
@Suite("Rules that protect the party", .timeLimit(.minutes(10)))
struct PartyProtectionTests {
  private static let queue = "200_async"
  private static let replyQueue = "100_pingreply"

  /// The ladder against a broker in memory, with all frames recorded on the way.
  private func frames(
    _ dialect: Dialect, settings: (inout ProbeSettings) -> Void = { _ in }, ration: PingRation? = nil,
    broker change: (inout InMemoryBroker.Configuration) -> Void = { _ in },
    climb: (inout PartyProbe.Climb) -> Void = { _ in }
  ) async throws -> (frames: [RecordedFrame], report: ProbeReport, depth: Int) {
    var configuration = InMemoryBroker.Configuration(
      dialect: dialect, path: "NHN", queues: [BrokerQueue(Self.queue), BrokerQueue(Self.replyQueue)])
    change(&configuration)
    return try await InMemoryBroker.withBroker(configuration) { broker in
      let port: Int = try #require(broker.port)
      return try await FrameRecorder.withRecorder(to: "127.0.0.1", port: port) { recorder in
        let endpoint = BusEndpoint(
          bus: Bus(name: "tjenestebuss", dialect: dialect, hosts: ["tb.test"], path: "NHN"),
          connection: BusConnectionString(
            host: "127.0.0.1", port: recorder.port, encrypted: false, user: "guest", password: Secret("guest"), path: "NHN"))
        var own = ProbeSettings(
          ownHerID: try ProbeFixture.herID(100), timeToLive: .seconds(86_400), timeout: .seconds(60), echoTimeout: .seconds(1),
          waitsForLateCounts: false)
        settings(&own)
        let probe = PartyProbe(
          buses: [.init(endpoint: endpoint, replyQueue: Self.replyQueue)], cache: nil, register: nil, settings: own,
          ration: ration)
        var how = PartyProbe.Climb()
        how.address = QueueAddress(host: "tb.test", path: "NHN", queue: Self.queue)
        climb(&how)
        let report = await probe.run("200", how)
        return (try await recorder.frames(), report, try await broker.depth(of: Self.queue))
      }
    }
  }

  /// The source addresses of the links that this side attached as a receiver.
  private func received(_ frames: [RecordedFrame]) -> [String] {
    frames.compactMap { recorded in
      guard recorded.direction == .toServer,
        case .performative(_, false, AMQPFrame.Code.attach, let fields, _) = recorded.frame,
        // name, handle, role (true: receiver), snd-settle-mode, rcv-settle-mode, source
        fields.count > 5, fields[2] == .boolean(true)
      else { return nil }
      return "\(fields[5])"
    }
  }

  @Test("No receiver is ever attached to the party's queue; the only one is to the prober's own", arguments: Dialect.allCases)
  func neverReceives(dialect: Dialect) async throws {
    let (frames, report, _) = try await self.frames(dialect)
    let sources = self.received(frames)
    #expect(sources.contains { $0.contains(Self.replyQueue) }, "the recorder saw no attach at all: \(report.text(language: .en))")
    // A management node below the queue answers questions; it hands nothing out.
    for source in sources { #expect(!source.contains(Self.queue) || source.contains("/$management\""), "\(source)") }
  }

  @Test("Not even for copies, where the bus has no statistics: then nothing is counted, and the step says so")
  func noCopies() async throws {
    let (frames, report, _) = try await self.frames(
      .activeMQ, settings: { $0.timeout = .seconds(3) }, broker: { $0.answersStatistics = false })
    for source in self.received(frames) { #expect(!source.contains(Self.queue), "\(source)") }
    #expect(report[.arrival]?.finding == .arrivalUnreadable)
  }

  @Test("A ping has the reserved subject and lives no longer than 60 s, whatever was configured")
  func shortLived() async throws {
    let settings = ProbeSettings(ownHerID: try ProbeFixture.herID(100), timeToLive: .seconds(86_400))
    #expect(settings.timeToLive == .seconds(60))
    #expect(settings.pingSubject == "TJENESTEBUSS_PING")
    let (frames, report, depth) = try await self.frames(.rabbitMQ4AddressV2)
    #expect(report[.outcome]?.verdict == .ok)
    #expect(depth == 1)
    let messages = frames.compactMap { recorded -> AMQPMessage? in
      guard recorded.direction == .toServer,
        case .performative(_, false, AMQPFrame.Code.transfer, _, let payload) = recorded.frame
      else { return nil }
      return try? AMQPMessage(decoding: Array(payload))
    }
    let pings = messages.filter { $0.properties.subject == "TJENESTEBUSS_PING" }
    #expect(pings.count == 2, "the ping, and the control to a queue that cannot exist")
    for ping in pings { #expect((1...60_000).contains(ping.header?.timeToLive ?? 0)) }
  }

  @Test("In a configuration for production nothing is sent unless told to; --no-send is stronger")
  func production() async throws {
    let silent = try await self.frames(.rabbitMQ4AddressV2, settings: { $0.sendsOnlyWhenTold = true })
    #expect(silent.depth == 0)
    #expect(silent.report[.outcome]?.finding == .sendingNotAllowed)
    #expect(silent.report[.attach]?.verdict == .ok)
    #expect(silent.report.verdict.grounds.isEmpty)
    let told = try await self.frames(
      .rabbitMQ4AddressV2, settings: { $0.sendsOnlyWhenTold = true }, climb: { $0.sending = .yes })
    #expect(told.depth == 1)
    let never = try await self.frames(.rabbitMQ4AddressV2, climb: { $0.sending = .no })
    #expect(never.depth == 0)
    #expect(never.report[.outcome]?.finding == .sendingNotWanted)
  }

  @Test("A second ping within ten seconds is not sent, and says why; where the state cannot be written none is")
  func rationed() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ration-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let clock = PingRationTests.Clock()
    let ration = PingRation(PingRationPlace(folder: folder.path), now: { clock.milliseconds.withLock { $0 } })
    let first = try await self.frames(.rabbitMQ4AddressV2, ration: ration)
    #expect(first.depth == 1)
    let second = try await self.frames(.rabbitMQ4AddressV2, ration: ration)
    #expect(second.depth == 0)
    #expect(first.report[.transfer]?.seen(.en).hasSuffix("; pings are counted in \(folder.path)") == true)
    #expect(second.report[.outcome]?.seen(.nb) == "ingen ping: parten ble nettopp pinget; igjen om 10000 ms")
    clock.pass(10_000)
    #expect(try await self.frames(.rabbitMQ4AddressV2, ration: ration).depth == 1)
    let own = PingRation(
      PingRationPlace(folder: folder.path, reach: .user), now: { clock.milliseconds.withLock { $0 } })
    clock.pass(10_000)
    #expect(
      try await self.frames(.rabbitMQ4AddressV2, ration: own).report[.transfer]?.seen(.en)
        .hasSuffix("; pings by other users of this machine are not seen: \(folder.path)") == true)
    let unwritable = try await self.frames(.rabbitMQ4AddressV2, ration: PingRation(PingRationPlace(folder: "/dev/null/pings")))
    #expect(unwritable.depth == 0)
    #expect(unwritable.report[.outcome]?.seen(.en).contains("/dev/null/pings") == true)
  }
}
