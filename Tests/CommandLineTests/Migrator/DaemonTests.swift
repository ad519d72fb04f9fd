// SPDX-License-Identifier: Apache-2.0

import BusModel
import Dispatch
import Foundation
import Migration
import MigrationStore
import Testing
import TjenestebussTesting

@testable import bus_migrator

/// The real program as a child process, over real sockets, against in-memory buses and the register for tests.
@Suite("bus-migrator as a program", .serialized, .timeLimit(.minutes(10)))
struct DaemonTests {
  @Test("plan, start, forward to the decision, one party back, accept, report, audit, stop")
  func wholeStory() async throws {
    try await Stage.with { stage in
      let before = stage.register.records
      let plan = try await stage.command(["plan", stage.pulje, "--json"])
      #expect(plan.exitCode == 0, "\(plan.complaint)")
      let hash = try plan.json(PlanAnswer.self).hash

      let alone = try await stage.command([
        "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7",
      ])
      #expect(alone.exitCode == 4)
      #expect(alone.complaint.contains("CLI-010"))

      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let mode = try FileManager.default.attributesOfItem(atPath: stage.socket)[.posixPermissions] as? NSNumber
      #expect(mode?.intValue == 0o600)

      let one = try await stage.command(["start", "--execute", stage.pulje, "--approved-by", "Kari", "--because", "CHG-7"])
      #expect(one.exitCode == 3)
      #expect(one.complaint.contains("MIG-204"))
      let other = try await stage.command([
        "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--plan-hash", "abc", "--because",
        "CHG-7",
      ])
      #expect(other.exitCode == 3)
      #expect(other.complaint.contains("MIG-206"))
      let start = try await stage.command([
        "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--plan-hash", hash, "--json",
        "--because",
        "CHG-7",
      ])
      #expect(start.exitCode == 0, "\(start.complaint)")
      #expect(try start.json(ControlAPI.CommandAnswer.self).events == ["pulje.sealed", "pulje.started"])

      // Given again, by the plan that was approved or by the same pulje file: it runs already, and that is no error.
      for more in [["--plan-hash", hash], []] {
        let again = try await stage.command(
          ["start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7", "--json"]
            + more)
        #expect(again.exitCode == 0, "\(again.complaint)")
        let answer = try again.json(ControlAPI.CommandAnswer.self)
        #expect(answer.status == "already_started" && answer.events.isEmpty && !answer.isRepeat)
      }

      let decision = try await stage.status { $0.puljer.first?.phase == .decision }
      #expect(stage.phases(decision) == [.observing, .observing, .observing])
      #expect(stage.register.records.allSatisfy { $0.addresses.allSatisfy { $0.text.hasPrefix("b.example/") } })

      let back = try await stage.command([
        "rollback", "--execute", "--her-id", "200", "--by", "Kari", "--because", "the vendor asks",
      ])
      #expect(back.exitCode == 0, "\(back.complaint)")
      let restored = try await stage.status { stage.phases($0) == [.observing, .restored, .observing] }
      let backAlready = try await stage.command(["rollback", "--execute", "--her-id", "200", "--by", "Ola", "--because", "CHG-7"])
      #expect(backAlready.exitCode == 0 && backAlready.output.contains("already_rolled_back"), "\(backAlready.complaint)")
      #expect(restored.puljer.first?.phase == .decision)
      #expect(stage.register.records.first { $0.herID.value == 200 } == before.first { $0.herID.value == 200 })

      #expect(try await stage.command(["accept", "--execute", "--approved-by", "Kari", "--because", "CHG-7"]).exitCode == 3)
      let accepted = try await stage.command(
        ["accept", "--execute", "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7"], again: ["MIG-217"])
      #expect(accepted.exitCode == 0, "\(accepted.complaint)")
      let acceptedAlready = try await stage.command([
        "accept", "--execute", "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7", "--pulje", "p1",
      ])
      #expect(
        acceptedAlready.exitCode == 0 && acceptedAlready.output.contains("already_accepted"), "\(acceptedAlready.complaint)")
      let report = try await stage.command(["report"])
      #expect(report.output.contains("RESTORED") && report.output.contains("the vendor asks"))
      let text = try await stage.command(["status"])
      #expect(text.exitCode == 0 && text.output.contains("ACCEPTED"))

      daemon.terminate()
      let ending = try await daemon.ending()
      #expect(ending.exitCode == 0 && !ending.wasKilled, "\(ending.complaint)")
      #expect(!FileManager.default.fileExists(atPath: stage.socket))

      let offline = try await stage.command(["status", "--json"])
      #expect(offline.exitCode == 4)
      #expect(try offline.json(ControlAPI.Status.self).daemon == nil)
      #expect(try await stage.command(["report", "--json"]).json(PuljeReport.self).recommendation == .nothingToDecide)
      #expect(try await stage.command(["audit", "verify"]).exitCode == 0)
      let head = try offline.json(ControlAPI.Status.self).head.hash
      #expect(try await stage.command(["audit", "verify", "--expect-head", head]).exitCode == 0)
      #expect(try await stage.command(["audit", "verify", "--expect-head", "0123"]).exitCode == 5)
      for answer in [plan, start, back, report, text, ending] {
        #expect(!answer.output.contains("guest") && !answer.complaint.contains("guest:"))
      }
    }
  }

  @Test(
    "killed with SIGKILL at a point and started again, it ends as if it had not been",
    arguments: [
      "before-intent:1", "after-intent:2", "before-write:1", "after-write:1", "after-write:3", "after-append:4", "before-look:2",
      "after-ping:2",
    ])
  func killed(point: String) async throws {
    try await Stage.with { stage in
      let daemon = try await stage.daemon(environment: ["TJENESTEBUSS_CRASH_AT": point])
      _ = try await stage.status { $0.daemon != nil }
      _ = try await stage.command([
        "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7",
      ])
      #expect(try await daemon.ending().wasKilled)
      let again = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      // Had the kill struck before the start was kept, it is given again; else this is refused.
      _ = try await stage.command([
        "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7",
      ])
      let status = try await stage.status { stage.phases($0) == [.observing, .observing, .observing] }
      #expect(status.daemon?.starts == 2)
      #expect(stage.register.records.allSatisfy { $0.addresses.allSatisfy { $0.text.hasPrefix("b.example/") } })
      again.terminate()
      #expect(try await again.ending().exitCode == 0)
      #expect(try await stage.command(["audit", "verify"]).exitCode == 0)
    }
  }

  @Test("a party whose system does not come up is held, and goes back when asked")
  func doesNotComeUp() async throws {
    try await Stage.with(down: [300]) { stage in
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      #expect(
        try await stage.command([
          "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7",
        ])
        .exitCode == 0)
      let held = try await stage.status { $0.puljer.first?.groups.last?.hold?.code == .pingFailed }
      #expect(held.puljer.first?.groups.last?.wait?.clears == .person)
      #expect(
        try await stage.command(["rollback", "--execute", "--her-id", "300", "--by", "Kari", "--because", "CHG-7"]).exitCode == 0)
      _ = try await stage.status { stage.phases($0) == [.observing, .observing, .restored] }
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
    }
  }

  @Test("what cannot be is refused with a code, an exit code, and nothing changed")
  func refusals() async throws {
    try await Stage.with { stage in
      let daemon = try await stage.daemon()
      _ = try await stage.status { $0.daemon != nil }
      let second = try await stage.command(["run"])
      #expect(second.exitCode == 5 && second.complaint.contains("STORE-002"))
      let same = try await stage.command(["run", "--database", stage.folder.appendingPathComponent("other.sqlite").path])
      #expect(same.exitCode == 1 && same.complaint.contains("CLI-012"))

      try stage.write(pulje: "p2", [999])
      let unknown = try await stage.command([
        "start", "--execute", stage.pulje, "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7",
      ])
      #expect(unknown.exitCode == 3 && unknown.complaint.contains("MIG-203") && unknown.complaint.contains("MIG-101"))
      #expect(try await stage.command(["plan", stage.pulje]).exitCode == 3)
      try stage.write(pulje: "p3", [101])
      let open = try await stage.command(["plan", stage.pulje])
      #expect(open.exitCode == 3 && open.output.contains("MIG-107"))

      #expect(try await stage.command(["pause", "--because", "CHG-7"]).exitCode == 2)
      #expect(try await stage.command(["pause", "--pulje", "none", "--because", "CHG-7"]).exitCode == 3)
      #expect(try await stage.command(["rollback", "--execute", "--her-id", "x", "--because", "CHG-7"]).exitCode == 2)
      #expect(try await stage.command(["fly"]).exitCode == 2)
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      #expect(stage.register.writeAttempts.isEmpty)

      let files = FileManager.default
      try files.setAttributes([.posixPermissions: 0o444], ofItemAtPath: stage.database)
      let content = try Data(contentsOf: URL(fileURLWithPath: stage.database))
      let readOnly = try await stage.command(["run"])
      #expect(readOnly.exitCode == 5 && readOnly.complaint.contains("STORE-011"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: stage.database)) == content)

      try Data("buses: [".utf8).write(to: URL(fileURLWithPath: stage.configuration))
      let broken = try await stage.command(["run"])
      #expect(broken.exitCode == 2 && broken.complaint.contains("CLI-002"))
    }
  }

  @Test("it tells systemd when it is ready and when it stops, and feeds the watchdog")
  func notifies() async throws {
    try await Stage.with { stage in
      let heard = try NotificationSocket(path: stage.folder.appendingPathComponent("n").path)
      let daemon = try await stage.daemon(environment: ["NOTIFY_SOCKET": heard.path, "WATCHDOG_USEC": "200000"])
      _ = try await stage.status { $0.daemon != nil }
      #expect(await heard.waitFor("READY=1"))
      #expect(await heard.waitFor("WATCHDOG=1"))
      daemon.terminate()
      #expect(try await daemon.ending().exitCode == 0)
      #expect(await heard.waitFor("STOPPING=1"))
    }
  }
}

/// What systemd listens on.
final class NotificationSocket {
  let path: String
  private let source: any DispatchSourceRead
  private let lines: AsyncStream<String>

  init(path: String) throws {
    self.path = path
    let descriptor = UnixAddress.withAddress(path) { address, length -> Int32 in
      let descriptor = socket(AF_UNIX, UnixAddress.datagram, 0)
      return bind(descriptor, address, length) == 0 ? descriptor : -1
    }
    try #require(descriptor >= 0)
    let (lines, continuation) = AsyncStream.makeStream(of: String.self)
    self.lines = lines
    self.source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: DispatchQueue(label: "notify"))
    self.source.setEventHandler {
      var buffer = [UInt8](repeating: 0, count: 4_096)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count > 0 { continuation.yield(String(decoding: buffer.prefix(count), as: UTF8.self)) }
    }
    self.source.setCancelHandler { close(descriptor) }
    self.source.activate()
  }

  deinit { self.source.cancel() }

  func waitFor(_ line: String) async -> Bool {
    for await heard in self.lines where heard == line { return true }
    return false
  }
}
