// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing
import TjenestebussClient

@testable import BusProbe

@Suite("What a party's system told of itself, shown")
struct EchoReportTests {
  private func look(_ change: (inout PingEcho) -> Void) throws -> ProbeLook {
    var echo = PingEcho(
      originalMessageID: "a", libraryVersion: "1.2", product: "EPJ 4", queue: "200_async", cacheAge: nil, hears: [])
    change(&echo)
    let judged = PingJudgement(ProbeFixture.observation { $0.echo = .came(echo) })
    var report = ProbeReport(target: "200", kind: .asynchronous, steps: judged.steps)
    report.echo = judged.echo
    return ProbeLook(report, at: SystemRegistryClock().now, totalMilliseconds: 1)
  }

  private func object(_ look: ProbeLook) throws -> [String: Any]? {
    let json = try JSONSerialization.jsonObject(with: Data(look.jsonLine(.en).utf8)) as? [String: Any]
    return json?["echo"] as? [String: Any]
  }

  @Test("Told: in the step, in both languages, and as fields of its own")
  func told() throws {
    let look = try self.look {
      $0.cacheAge = .seconds(61)
      $0.hears = ["servicebus", "tjenestebuss"]
    }
    #expect(
      look.report[.echo]?.seen(.nb)
        == "EPJ 4, bibliotek 1.2, leste fra 200_async; mellomlager 61 s; hører servicebus, tjenestebuss; svarkøen leste vi selv")
    let echo = try self.object(look)
    #expect(echo?["cache_age_seconds"] as? Int == 61)
    #expect(echo?["hears"] as? [String] == ["servicebus", "tjenestebuss"])
  }

  @Test("Not told is absent, never 0 or empty; without an answer there is nothing at all")
  func notTold() throws {
    let look = try self.look { _ in }
    #expect(look.report[.echo]?.seen(.en).contains("cache not told; hears not told") == true)
    let echo = try #require(try self.object(look))
    #expect(Set(echo.keys) == ["product", "library", "queue"])
    var silent = look
    silent.report.echo = nil
    #expect(try self.object(silent) == nil)
  }

  @Test("The wait was cut, or the daemon could not be had: neither is the party's silence, and neither counts as evidence")
  func ours() throws {
    let gone = EchoError.daemonGone(socket: "/run/x.sock")
    let readings: [(PingObservation.Echo, ProbeFinding)] = [
      (.lost(gone), .echoLost), (.daemonUnable(gone, isShared: true), .echoDaemonUnable),
      (.daemonUnable(gone, isShared: false), .echoDaemonUnable),
    ]
    for (echo, finding) in readings {
      let judged = PingJudgement(ProbeFixture.observation { $0.echo = echo })
      let step = judged.steps.first { $0.code == .echo }
      #expect(step?.finding == finding && step?.owner == .us && step?.seen(.nb).contains("PROBE-126") == true)
      #expect(judged.evidence[.echo] == nil)
    }
  }
}
