// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusProbe
import Foundation
import Testing

@testable import bus_pinger

/// The scripts that the program prints for shells, read by the shells themselves.
@Suite("bus-pinger: completions", .timeLimit(.minutes(5)))
struct PingerCompletionTests {
  /// The script of a shell, as the program prints it, in a file.
  private static func withScript(_ shell: String, _ body: (URL, String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("completion-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let made = try await ChildProgram.run("bus-pinger", ["--generate-completion-script", shell], folder: folder)
    #expect(made.exitCode == 0 && made.complaint.isEmpty, "\(made)")
    try made.output.write(to: folder.appendingPathComponent("script"), atomically: true, encoding: .utf8)
    try await body(folder, made.output)
  }

  @Test("Each shell's script names every option and every step", arguments: ["bash", "zsh", "fish"])
  func whole(shell: String) async throws {
    try await Self.withScript(shell) { _, script in
      let help = CheckCommand.helpMessage(includeHidden: true, columns: 200)
      let options = Set(help.matches(of: #/--([a-z][a-z-]*)/#).map { String($0.output.1) })
      #expect(options.count > 20)
      for option in options { #expect(script.contains(option), "\(option)") }
      for step in ProbeCode.allCases { #expect(script.contains(step.name) && script.contains("\(step.rawValue)"), "\(step)") }
    }
  }

  @Test(
    "The shell itself finds no fault with its script; a shell that is not installed says so",
    arguments: [("bash", "/bin/bash"), ("zsh", "/usr/bin/zsh"), ("fish", "/usr/bin/fish")])
  func syntax(shell: String, program: String) async throws {
    guard FileManager.default.isExecutableFile(atPath: program) else {
      // bash is everywhere; the other two are people's own choice, and the script is the parser's work for all three.
      #expect(shell != "bash")
      return print("not checked here, since \(shell) is not installed: the syntax of its completion script")
    }
    try await Self.withScript(shell) { folder, script in
      let checked = try await ChildProgram.run(
        at: URL(fileURLWithPath: program), ["-n", folder.appendingPathComponent("script").path], folder: folder)
      #expect(checked.exitCode == 0 && checked.complaint.isEmpty, "\(checked)")
      let broken = folder.appendingPathComponent("broken")
      try (script + "\nif true; (\n").write(to: broken, atomically: true, encoding: .utf8)
      let refused = try await ChildProgram.run(at: URL(fileURLWithPath: program), ["-n", broken.path], folder: folder)
      #expect(refused.exitCode != 0, "a broken script passes: this shows nothing")
    }
  }

  /// What bash offers at the end of a line.
  private static func offered(_ line: [String], configuration: String = "") async throws -> [String] {
    var offered: [String] = []
    try await Self.withScript("bash") { folder, _ in
      try configuration.write(to: folder.appendingPathComponent("pinger.yaml"), atomically: true, encoding: .utf8)
      let words = ([ChildProgram.path("bus-pinger").path] + line).map { "'\($0)'" }.joined(separator: " ")
      let lines = """
        source '\(folder.appendingPathComponent("script").path)'
        COMP_WORDS=(\(words)); COMP_CWORD=\(line.count); COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
        _bus-pinger_or_check '\(ChildProgram.path("bus-pinger").path)' '\(line.last ?? "")' '\(line.dropLast().last ?? "")'
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      let run = try await ChildProgram.run(
        at: URL(fileURLWithPath: "/bin/bash"), ["--norc", "-c", lines],
        environment: ["BUS_PINGER_CONFIG": folder.appendingPathComponent("pinger.yaml").path], folder: folder)
      #expect(run.complaint.isEmpty, "\(run)")
      offered = run.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    return offered
  }

  @Test("bash offers steps, formats and commands, and the buses of the configuration, one after the other with commas")
  func offers() async throws {
    #expect(try await Self.offered(["check", "--quit-after", "t"]) == ["tcp", "tls", "transfer"])
    #expect(try await Self.offered(["check", "--quit-after", "3"]) == ["30", "31", "32", "33"])
    #expect(try await Self.offered(["check", "--format", "n"]) == ["nagios"])
    // As people type it.
    #expect(try await Self.offered(["--quit-after", "t"]) == ["tcp", "tls", "transfer"])
    #expect(try await Self.offered(["93238", "--format", "n"]) == ["nagios"])
    #expect(try await Self.offered(["93238", "--supp"]) == ["--support-bundle"])
    #expect(try await Self.offered(["exp"]) == ["explain"])
    #expect(try await Self.offered(["check", "--kind", ""]) == ["async", "sync", "error"])
    #expect(try await Self.offered(["explain", "neg"]) == ["negative-control"])
    let buses = "buses:\n- {name: servicebus, dialect: x}\n- {name: tjenestebuss}\n- {name: tredje}\n"
    #expect(try await Self.offered(["check", "--compare", "t"], configuration: buses) == ["tjenestebuss", "tredje"])
    #expect(
      try await Self.offered(["check", "--compare", "servicebus,tj"], configuration: buses) == ["servicebus,tjenestebuss"])
    #expect(try await Self.offered(["check", "--compare", "t"], configuration: "no YAML: [").isEmpty)
  }

  @Test("Names of a list: those that stand there already are not offered again")
  func lists() {
    #expect(ShellCompletion.lists(of: ["a", "b", "c"], after: "") == ["a", "b", "c"])
    #expect(ShellCompletion.lists(of: ["a", "b", "c"], after: "b,") == ["b,a", "b,c"])
    #expect(ShellCompletion.lists(of: ["a"], after: "a,") == [])
  }
}
