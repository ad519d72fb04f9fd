// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Disclosure
import Foundation
import Testing
import TjenestebussTesting

@testable import bus_migrator

@Suite("bus-migrator registry, as a program", .serialized, .timeLimit(.minutes(5)))
struct RegistryCommandTests {
  @Test("sync, show, groups, export, import, diff and verify, over a register that changes")
  func wholeStory() async throws {
    try await Stage.with { stage in
      let empty = try await stage.command(["registry", "verify"])
      #expect(empty.exitCode == 2, "\(empty.complaint)")
      #expect(empty.complaint.contains("AR-101"))

      let sync = try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300,999", "--json"])
      #expect(sync.exitCode == 1)
      let read = try sync.json(SyncAnswer.self)
      #expect(read.added.map(\.value) == [100, 101, 200, 300])
      #expect(read.failures.map { "\($0.herID?.value ?? 0) \($0.code)" } == ["999 AR-201"])

      let show = try await stage.command(["registry", "show", "101", "--live", "--json"])
      #expect(show.exitCode == 0, "\(show.complaint)")
      let party = try show.json(ShowAnswer.self)
      #expect(party.group.map(\.value) == [100, 101])
      #expect(party.queues.map(\.bus) == ["a", "a", "a"] && party.queues.allSatisfy { $0.inherited == true })
      let text = try await stage.command(["registry", "show", "101"])
      #expect(text.output.contains("moves together with 100"))
      #expect(try await stage.command(["registry", "show", "77"]).complaint.contains("AR-201"))

      let groups = try await stage.command(["registry", "groups", "--json"])
      #expect(try groups.json(GroupsAnswer.self).groups.map { $0.members.map(\.value) } == [[100, 101], [200], [300]])

      let list = stage.folder.appendingPathComponent("queues.txt")
      try Data("100_async\n100_dl\n777_async\nRegisterEvents.AddressRegister.epj\n".utf8).write(to: list)
      let queues = try await stage.command(["registry", "queues", list.path, "--bus", "a", "--json"])
      let answer = try queues.json(QueuesAnswer.self)
      #expect(
        answer.owned.map { "\($0.queue) \($0.herIDs.map(\.value)) \($0.by)" } == [
          "100_async [100, 101] register", "100_dl [100] name",
        ])
      #expect(answer.unregistered.map(\.queue) == ["777_async"] && answer.nobodys == ["RegisterEvents.AddressRegister.epj"])

      // Somebody changes an entry and tells nobody.
      var changed = try #require(stage.register.records.first { $0.herID.value == 200 })
      changed.addresses[0].text = "elsewhere.example/NHN/200_async"
      try stage.register.put(changed)
      let diff = try await stage.command(["registry", "diff", "--json"])
      #expect(diff.exitCode == 6, "\(diff.complaint)")
      #expect(try diff.json(DiffAnswer.self).silent.map(\.herID.value) == [200])
      let again = try await stage.command(["registry", "sync", "--execute"])
      #expect(again.exitCode == 0)
      #expect(again.output.contains("1 changed, 3 as they were"), "\(again.output)")
      #expect(try await stage.command(["registry", "diff"]).exitCode == 0)
      let troubled = try await stage.command(["registry", "groups", "--troubled"])
      #expect(troubled.output.contains("no configured bus: elsewhere.example/NHN/200_async"))

      for file in ["all.json", "all.csv"] {
        let export = try await stage.command(["registry", "export", stage.folder.appendingPathComponent(file).path])
        #expect(export.exitCode == 0 && export.output.contains("4 parties"), "\(export.complaint)")
        let taken = try await stage.command([
          "registry", "import", "--execute", stage.folder.appendingPathComponent(file).path, "--json",
        ])
        #expect(try taken.json(ImportAnswer.self).keptFromRegister.count == 4, "\(taken.complaint)")
      }
      #expect(
        try PartyTable.read(path: stage.folder.appendingPathComponent("all.csv").path)
          == PartyFile.read(path: stage.folder.appendingPathComponent("all.json").path))
      let broken = stage.folder.appendingPathComponent("broken.csv")
      try Data("her_id,name\n1,x\n".utf8).write(to: broken)
      let refused = try await stage.command(["registry", "import", "--execute", broken.path])
      #expect(refused.exitCode == 2 && refused.complaint.contains("AR-305"))

      let whole = try await stage.command(["registry", "verify"])
      #expect(
        whole.exitCode == 0 && whole.output.contains("environment: test\nwhole: 4 parties"), "\(whole.output)\(whole.complaint)")
      try self.otherEnvironment(stage)
      let production = try await stage.command(["registry", "verify"])
      #expect(production.exitCode == 2 && production.complaint.contains("AR-111"), "\(production.complaint)")
    }
  }

  /// A key of these tests, known to nobody who lets anybody in.
  static let key =
    #"{"kty":"EC","crv":"P-256","kid":"test","d":"Kj_3_6oo0K5moZ7Bzg01ywRm40vbk8VFRlo-qIG3gd8","x":"4ujlMxs0C0zxwWVq6sHKJTLbVqmhf6GiogSWUfxsSKQ","y":"VZI6slROTptnlDxfbRstZEkc5ngy5tucxDB1QL7eI7M"}"#

  @Test("sync --export and --events over the register's REST interface: all of it, then what changed")
  func exportAndEvents() async throws {
    try await Stage.with { stage in
      let unconfigured = try await stage.command(["registry", "sync", "--execute", "--export"])
      #expect(unconfigured.exitCode == 2 && unconfigured.complaint.contains("rest"), "\(unconfigured.complaint)")
      #expect(try await stage.command(["registry", "sync", "--execute", "--export", "--events"]).exitCode == 2)
      try await self.addREST(stage)

      let early = try await stage.command(["registry", "sync", "--execute", "--events", "--json"])
      #expect(early.exitCode == 6, "\(early.complaint)")
      #expect(try early.json(SyncAnswer.self).isSureToBeComplete == false)
      let export = try await stage.command(["registry", "sync", "--execute", "--export", "--json"])
      #expect(export.exitCode == 0, "\(export.complaint)")
      #expect(try export.json(SyncAnswer.self).read == 4)
      #expect(try await stage.command(["registry", "diff"]).exitCode == 0)

      var changed = try #require(stage.register.records.first { $0.herID.value == 200 })
      changed.name = "renamed"
      try stage.register.put(changed)
      let events = try await stage.command(["registry", "sync", "--execute", "--events", "--json"])
      #expect(events.exitCode == 0, "\(events.complaint)")
      let answer = try events.json(SyncAnswer.self)
      #expect(answer.changed.map(\.herID.value) == [200] && answer.isSureToBeComplete == true)
      let nothing = try await stage.command(["registry", "sync", "--execute", "--events"])
      #expect(nothing.exitCode == 0 && nothing.output.contains("0 read"), "\(nothing.output)")
    }
  }

  @Test("the daemon makes up for the night it missed, and diff --last shows what it found")
  func nightlyCompare() async throws {
    try await Stage.with { stage in
      let none = try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"])
      #expect(none.exitCode == 0)
      #expect(try await stage.command(["registry", "diff", "--last"]).exitCode == 2)
      var changed = try #require(stage.register.records.first { $0.herID.value == 200 })
      changed.name = "renamed"
      try stage.register.put(changed)
      // The last compare was two days ago.
      let cache = try await AddressCache.open(path: stage.cache, access: .readWrite, environment: "test")
      let old = SystemRegistryClock().now.advanced(by: .seconds(-172_800))
      try await cache.keep(ComparisonReport(RegistryComparison.Result(), begunAt: old, endedAt: old))
      let daemon = try await stage.daemon()
      while try await cache.lastComparison()?.compared == 0 { try await Task.sleep(for: .milliseconds(20)) }
      let last = try await stage.command(["registry", "diff", "--last", "--json"])
      #expect(last.exitCode == 6, "\(last.complaint)")
      #expect(try last.json(DiffAnswer.self).silent.map(\.herID.value) == [200])
      while try await cache.party(changed.herID)?.record != changed { try await Task.sleep(for: .milliseconds(20)) }
      #expect(try await stage.command(["registry", "diff"]).exitCode == 0)
      #expect(try await stage.command(["registry", "diff", "--last"]).output.contains("1 differ silently"))
      try await cache.close()
      daemon.terminate()
      _ = try await daemon.ending()
    }
  }

  private func addREST(_ stage: Stage) async throws {
    let key = try SigningKey(jwk: Secret(Self.key))
    stage.register.admit(
      HelseIDClient(
        id: "migrator", publicJWK: key.publicJWK, scopes: [AddressRegisterServer.partyScope], isMultiTenant: false))
    try Data(Self.key.utf8).write(to: stage.folder.appendingPathComponent("key.json"))
    let url = try await stage.register.partyAPI().url
    let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
    let rest = """
        rest:
          url: \(url)
          helse-id:
            issuer: \(url)
            client-id: migrator
            key-file: key.json
        cache: cache.sqlite
      """
    try Data(text.replacing("  cache: cache.sqlite", with: rest).utf8).write(to: URL(fileURLWithPath: stage.configuration))
  }

  private func otherEnvironment(_ stage: Stage) throws {
    let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
    try Data(text.replacing("environment: test", with: "environment: qa").utf8)
      .write(to: URL(fileURLWithPath: stage.configuration))
  }

  @Test("what a user stumbles on: an empty cache, a register that lets nobody in, files that cannot be, a damaged row")
  func stumbles() async throws {
    try await Stage.with { stage in
      // Nothing asked for and nothing known is not "all is well".
      let nothing = try await stage.command(["registry", "sync", "--execute"])
      #expect(nothing.exitCode == 2 && nothing.complaint.contains("--export"), "\(nothing.complaint)")
      #expect(try await stage.command(["registry", "sync", "--execute", "--her-id", "100,101,200,300"]).exitCode == 0)
      for command in [["groups", "--her-id", "777"], ["diff", "--her-id", "777"]] {
        let unknown = try await stage.command(["registry"] + command)
        #expect(unknown.exitCode == 1 && unknown.complaint.contains("AR-201"), "\(unknown.complaint)")
      }

      stage.register.script(ScriptedRegisterFault(.httpStatus(401), on: [.details], times: 1))
      let locked = try await stage.command(["registry", "sync", "--execute", "--concurrency", "1", "--json"])
      #expect(locked.exitCode == 1)
      let answer = try locked.json(SyncAnswer.self)
      #expect(answer.givenUp == "AR-404" && answer.failures.map(\.code) == ["AR-404", "AR-404", "AR-404", "AR-404"])
      let down = try await stage.command(["registry", "sync", "--execute"])
      #expect(down.exitCode == 0, "the others were not asked again, and the next run finds it open: \(down.output)")

      for (arguments, word) in [
        (["import", stage.folder.path], "it is a folder"), (["import", "/no/such.csv"], "no such file"),
        (["export", "/no/such/folder/x.json"], "CLI-007"),
      ] {
        let refused = try await stage.command(["registry"] + arguments)
        #expect(refused.exitCode != 0 && refused.complaint.contains(word), "\(refused.complaint)")
        #expect(!refused.complaint.contains("NSCocoa") && !refused.complaint.contains("Error Domain"), "\(refused.complaint)")
      }
    }
  }

  @Test("a progress bar is a pure function of how far it has come")
  func progressBar() {
    #expect(
      ProgressBar.line("reading", done: 25, total: 100, failed: 0, after: .seconds(10))
        == "reading [#######.......................] 25 % 25/100, 30 s left")
    #expect(ProgressBar.line("reading", done: 7, total: nil, failed: 1, after: .seconds(1)) == "reading: 7, 1 failed")
    #expect(
      ProgressBar.line("reading", done: 1, total: 100, failed: 0, after: .seconds(1))
        == "reading [..............................] 1 % 1/100")
  }
}
