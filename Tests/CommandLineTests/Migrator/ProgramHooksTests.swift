// SPDX-License-Identifier: Apache-2.0

import BusModel
import Foundation
import Migration
import Testing

@testable import bus_migrator

@Suite("Hooks as programs", .timeLimit(.minutes(5)))
struct ProgramHooksTests {
  private func question(_ hook: String = "board") throws -> HookQuestion {
    let herID = try #require(HerID(200))
    return HookQuestion(
      hook: hook, pulje: try #require(PuljeName("p1")), group: GroupID(herID), herIDs: [herID], vendors: ["Alfa"], source: "a",
      target: "b", planHash: "abc")
  }

  private func ask(_ script: String) async throws -> HookAnswer {
    let hooks = ProgramHooks(programs: ["board": .init(executable: "/bin/sh", arguments: ["-c", script])])
    return await hooks.ask(try self.question())
  }

  @Test("0 assents, 1 vetoes, with the first line of what it says; any other end is no answer")
  func answers() async throws {
    #expect(try await self.ask("echo CHG-7; echo more") == .assented("CHG-7"))
    #expect(try await self.ask("exit 0") == .assented(""))
    #expect(try await self.ask("echo not tonight; exit 1") == .vetoed("not tonight"))
    #expect(try await self.ask("echo odd; exit 2") == .silent("it ended with code 2: odd"))
    #expect(try await self.ask("kill -KILL $$") == .silent("it was ended by signal 9"))
  }

  @Test("it reads the question on its input, and has nothing of our environment")
  func question() async throws {
    #expect(try await self.ask(#"grep -q '"herIDs":\[200\]' && echo read"#) == .assented("read"))
    #expect(try await self.ask(#"test -z "$HOME$CREDENTIALS_DIRECTORY$NOTIFY_SOCKET" && echo clean"#) == .assented("clean"))
  }

  @Test("a long answer is cut, and much output keeps nobody waiting")
  func output() async throws {
    #expect(try await self.ask("head -c 1000 /dev/zero | tr '\\0' x").words == "assented: " + String(repeating: "x", count: 200))
    #expect(try await self.ask("head -c 3000000 /dev/zero | tr '\\0' x; exit 1").words.hasPrefix("vetoed: xxx"))
  }

  @Test("what is not configured, or cannot be run, does not assent")
  func none() async throws {
    let hooks = ProgramHooks(programs: ["board": .init(executable: "/nowhere/board", arguments: [])])
    #expect(await hooks.ask(try self.question("other")) == .silent("no hook of that name is configured"))
    #expect(await hooks.ask(try self.question()).isAssent == false)
  }

  @Test("one that does not answer is ended when it is given up, and that is silence")
  func cancelled() async throws {
    // The second leaves a child behind that outlives it.
    for script in ["exec sleep 600", "sleep 60 & wait"] {
      let asked = Task { try await self.ask(script) }
      asked.cancel()
      #expect(try await asked.value.words.contains("had not answered in time"))
    }
  }
}
