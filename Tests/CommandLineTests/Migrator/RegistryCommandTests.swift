// SPDX-License-Identifier: Apache-2.0

import AddressRegistry
import BusModel
import Foundation
import Testing

@testable import bus_migrator

@Suite("bus-migrator registry, as a program", .serialized, .timeLimit(.minutes(5)))
struct RegistryCommandTests {
  @Test("sync, show, groups, export, import, diff and verify, over a register that changes")
  func wholeStory() async throws {
    try await Stage.with { stage in
      let empty = try await stage.command(["registry", "verify"])
      #expect(empty.exitCode == 2, "\(empty.complaint)")
      #expect(empty.complaint.contains("AR-101"))

      let sync = try await stage.command(["registry", "sync", "--her-id", "100,101,200,300,999", "--json"])
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

      // Somebody changes an entry and tells nobody.
      var changed = try #require(stage.register.records.first { $0.herID.value == 200 })
      changed.addresses[0].text = "elsewhere.example/NHN/200_async"
      try stage.register.put(changed)
      let diff = try await stage.command(["registry", "diff", "--json"])
      #expect(diff.exitCode == 6, "\(diff.complaint)")
      #expect(try diff.json(DiffAnswer.self).silent.map(\.herID.value) == [200])
      let again = try await stage.command(["registry", "sync"])
      #expect(again.exitCode == 0)
      #expect(again.output.contains("1 changed, 3 as they were"), "\(again.output)")
      #expect(try await stage.command(["registry", "diff"]).exitCode == 0)
      let troubled = try await stage.command(["registry", "groups", "--troubled"])
      #expect(troubled.output.contains("no configured bus: elsewhere.example/NHN/200_async"))

      for file in ["all.json", "all.csv"] {
        let export = try await stage.command(["registry", "export", stage.folder.appendingPathComponent(file).path])
        #expect(export.exitCode == 0 && export.output.contains("4 parties"), "\(export.complaint)")
        let taken = try await stage.command(["registry", "import", stage.folder.appendingPathComponent(file).path, "--json"])
        #expect(try taken.json(ImportAnswer.self).keptFromRegister.count == 4, "\(taken.complaint)")
      }
      #expect(
        try PartyTable.read(path: stage.folder.appendingPathComponent("all.csv").path)
          == PartyFile.read(path: stage.folder.appendingPathComponent("all.json").path))
      let broken = stage.folder.appendingPathComponent("broken.csv")
      try Data("her_id,name\n1,x\n".utf8).write(to: broken)
      let refused = try await stage.command(["registry", "import", broken.path])
      #expect(refused.exitCode == 2 && refused.complaint.contains("AR-305"))

      let whole = try await stage.command(["registry", "verify"])
      #expect(whole.exitCode == 0 && whole.output.contains("4 parties, environment test"), "\(whole.output)\(whole.complaint)")
      try self.otherEnvironment(stage)
      let production = try await stage.command(["registry", "verify"])
      #expect(production.exitCode == 2 && production.complaint.contains("AR-111"), "\(production.complaint)")
    }
  }

  @Test("another process writes the cache while this one reads: no answer is a mixture, and none is missing")
  func twoProcesses() async throws {
    try await Stage.with { stage in
      let here = try (Int32(1)...200).map { try Stage.record($0) }
      let there = here.map { record in
        var record = record
        for index in record.addresses.indices { record.addresses[index].text.replace("a.example", with: "b.example") }
        return record
      }
      let files = try [here, there].enumerated().map { index, records in
        let file = stage.folder.appendingPathComponent("parties-\(index).json")
        try PartyFile.data(of: records).write(to: file)
        return file.path
      }
      #expect(try await stage.command(["registry", "import", files[0]]).exitCode == 0)
      let cache = try await AddressCache.open(path: stage.cache, access: .readOnly, environment: "test")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            while !Task.isCancelled {
              let parties = try await cache.parties().map(\.record)
              // An import is one transaction: all of one file, or all of the other.
              #expect(parties == here || parties == there)
            }
          }
        }
        for round in 1...6 { #expect(try await stage.command(["registry", "import", files[round % 2]]).exitCode == 0) }
        group.cancelAll()
        while let result = await group.nextResult() {
          if case .failure(let error) = result, !(error is CancellationError) { throw error }
        }
      }
      #expect(try await cache.parties().map(\.record) == here)
      try await cache.close()
    }
  }

  private func otherEnvironment(_ stage: Stage) throws {
    let text = try String(contentsOfFile: stage.configuration, encoding: .utf8)
    try Data(text.replacing("environment: test", with: "environment: production").utf8)
      .write(to: URL(fileURLWithPath: stage.configuration))
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
