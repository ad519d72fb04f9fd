// SPDX-License-Identifier: Apache-2.0

import BusModel
import ForeignPrograms
import Foundation
import Synchronization
import Testing

@testable import BusProbe

@Suite("No party is pinged too often, whoever asks")
struct PingRationTests {
  final class Clock: Sendable {
    let milliseconds = Mutex<Int64>(1_000_000)
    func pass(_ duration: Int64) { self.milliseconds.withLock { $0 += duration } }
  }

  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ration-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.path)
  }

  private func ration(_ folder: String, _ clock: Clock, atOnce: Int = 20) -> PingRation {
    PingRation(PingRationPlace(folder: folder), atOnce: atOnce, now: { clock.milliseconds.withLock { $0 } })
  }

  private func refusal(_ result: Result<PingRation.Permit, PingRation.Refusal>) -> PingRation.Refusal? {
    if case .failure(let refusal) = result { refusal } else { nil }
  }

  @Test("The same party again within 10 s is refused, by another process's ration too; another party is not; after 10 s it may")
  func tenSeconds() async throws {
    try await self.withFolder { folder in
      let clock = Clock()
      let (one, other) = (self.ration(folder, clock), self.ration(folder, clock))
      let (first, second) = (try ProbeFixture.herID(200), try ProbeFixture.herID(201))
      #expect(self.refusal(await one.ask(first)) == nil)
      clock.pass(4_000)
      #expect(self.refusal(await other.ask(first)) == .pingedLately(after: .seconds(6)))
      #expect(self.refusal(await other.ask(second)) == nil)
      clock.pass(6_000)
      #expect(self.refusal(await other.ask(first)) == nil)
      // A refusal is not counted as a ping, else who asks often would never be let go.
      clock.pass(9_999)
      #expect(self.refusal(await one.ask(first)) == .pingedLately(after: .milliseconds(1)))
      clock.pass(1)
      #expect(self.refusal(await one.ask(first)) == nil)
    }
  }

  @Test("A program that shares no line with ours takes part: its record and its lock are heeded")
  func otherProgram() async throws {
    try await self.withFolder { folder in
      let ration = PingRation(PingRationPlace(folder: folder))
      let party = try ProbeFixture.herID(200)
      #expect(self.refusal(await ration.ask(try ProbeFixture.herID(199))) == nil)
      let program = """
        import fcntl, struct, sys, time
        with open(sys.argv[1] + "/last-pings", "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            records = file.read()
            assert struct.unpack("<iq", records)[0] == 199, records
            file.write(struct.pack("<iq", 200, int(time.time() * 1000)))
        """
      let run = try await ForeignProgram.run("/usr/bin/python3", ["-c", program, folder])
      #expect(run.exitCode == 0, "\(run.errors)")
      guard case .pingedLately? = self.refusal(await ration.ask(party)) else {
        Issue.record("the other program's ping was not heeded")
        return
      }
    }
  }

  @Test("20 at once, and the 21st when one of them has ended")
  func twenty() async throws {
    try await self.withFolder { folder in
      let clock = Clock()
      var permits: [PingRation.Permit] = []
      for number in 0..<20 {
        permits.append(try await self.ration(folder, clock).ask(try ProbeFixture.herID(Int32(200 + number))).get())
      }
      let last = try ProbeFixture.herID(300)
      #expect(self.refusal(await self.ration(folder, clock).ask(last)) == .tooManyAtOnce(20))
      permits.removeLast()
      #expect(self.refusal(await self.ration(folder, clock).ask(last)) == nil)
      #expect(permits.count == 19)
    }
  }

  @Test("One that waits for a place gets it when another's ping is over; else the bound ends it")
  func waitsForPlace() async throws {
    try await self.withFolder { folder in
      let clock = Clock()
      let ration = self.ration(folder, clock, atOnce: 1)
      let (first, second) = (try ProbeFixture.herID(200), try ProbeFixture.herID(201))
      var held: PingRation.Permit? = try await ration.ask(first).get()
      #expect(self.refusal(await ration.ask(second, waitingForPlace: .milliseconds(1))) == .tooManyAtOnce(1))
      async let waiting = ration.ask(second, waitingForPlace: .seconds(60))
      withExtendedLifetime(held) {}
      held = nil
      #expect(self.refusal(await waiting) == nil)
    }
  }

  @Test(
    "Where nobody says where: the machine's folder; else the unit's, the login's, one in /tmp, and those are the user's alone")
  func place() {
    var system = PingRationPlace.Surroundings(
      machineFolderWorks: true, runtimeDirectory: "/run/bus-migrator:/run/x", userRuntimeDirectory: "/run/user/7", user: 7)
    #expect(PingRationPlace(system) == PingRationPlace(folder: "/run/tjenestebuss/pings", reach: .machine))
    system.machineFolderWorks = false
    #expect(PingRationPlace(system) == PingRationPlace(folder: "/run/bus-migrator/pings", reach: .user))
    system.runtimeDirectory = nil
    #expect(PingRationPlace(system) == PingRationPlace(folder: "/run/user/7/tjenestebuss-pings", reach: .user))
    system.userRuntimeDirectory = ""
    #expect(PingRationPlace(system) == PingRationPlace(folder: "/tmp/tjenestebuss-pings-7", reach: .user))
  }

  @Test("What is made there may be used by whoever may write in the folder, whatever the umask of who made it")
  func permissions() async throws {
    try await self.withFolder { folder in
      let before = umask(0o077)
      defer { umask(before) }
      let permit = try await PingRation(PingRationPlace(folder: folder)).ask(try ProbeFixture.herID(200)).get()
      defer { withExtendedLifetime(permit) {} }
      func mode(_ path: String) throws -> Int? {
        (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
      }
      #expect(try mode(folder) == 0o2775)
      #expect(try mode(folder + "/last-pings") == 0o664 && mode(folder + "/under-way-0") == 0o664)
    }
  }

  @Test("A folder that cannot be written lets nothing go, and says which and why")
  func unusable() async throws {
    let refusal = self.refusal(await PingRation(PingRationPlace(folder: "/dev/null/pings")).ask(try ProbeFixture.herID()))
    #expect(refusal == .stateUnusable(path: "/dev/null/pings", why: "Not a directory"))
    #expect(refusal?.value.text(.nb) == "mappen for tilstand kan ikke brukes: /dev/null/pings (Not a directory)")
  }

  @Test(
    "A clock that was set back blocks nobody for longer than the interval; a cut record is not believed; what is old is let go")
  func rules() {
    let rules = PingRationRules(interval: 10_000)
    var records = [PingRationRules.Record(herID: 1, at: 500_000), .init(herID: 2, at: 95_000)]
    #expect(rules.ask(1, at: 100_000, &records) == .go)
    #expect(rules.ask(2, at: 100_000, &records) == .lately(milliseconds: 5_000))
    records = [.init(herID: 3, at: 109_000)]
    #expect(rules.ask(3, at: 100_000, &records) == .lately(milliseconds: 10_000))
    let bytes = PingRationRules.encoded([.init(herID: -7, at: .max), .init(herID: 2, at: 3)])
    #expect(PingRationRules.decoded(bytes) == [.init(herID: -7, at: .max), .init(herID: 2, at: 3)])
    #expect(PingRationRules.decoded(bytes.dropLast()) == [.init(herID: -7, at: .max)])
    var many = (0..<Int32(PingRationRules.limit)).map { PingRationRules.Record(herID: $0, at: 100_000) }
    #expect(rules.ask(.max, at: 100_001, &many) == .tooMany)
    #expect(rules.ask(.max, at: 110_000, &many) == .go)
    #expect(many.count == 1)
  }
}
