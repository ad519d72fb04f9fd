// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Migration
import MigrationEngine
import NIOConcurrencyHelpers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Hooks as programs: each is run with the question as JSON on its standard input. Exit code 0 assents, 1 vetoes; its first line of
/// output is kept in the history. Anything else, no end in time among it, is no answer, and so no assent.
struct ProgramHooks: HookPort {
  struct Program: Sendable, Hashable {
    var executable: String
    var arguments: [String]
  }

  /// What a veto ends with.
  static let veto: Int32 = 1
  static let longestWords = 200

  private let programs: NIOLockedValueBox<[String: Program]>

  init(programs: [String: Program]) { self.programs = NIOLockedValueBox(programs) }

  /// These from the next question on.
  func adopt(_ programs: [String: Program]) { self.programs.withLockedValue { $0 = programs } }

  /// Bounded by whoever asks: when the task is cancelled the program is killed.
  func ask(_ question: HookQuestion) async -> HookAnswer {
    guard let program = self.programs.withLockedValue({ $0[question.hook] }) else {
      return .silent("no hook of that name is configured")
    }
    let run = ProgramRun(program: program, question: question)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Files and the start of a program block for a moment: not in the cooperative pool.
        DispatchQueue.global().async { run.start { continuation.resume(returning: $0) } }
      }
    } onCancel: {
      run.kill()
    }
  }
}

/// One run of a hook's program.
private final class ProgramRun: Sendable {
  private let program: ProgramHooks.Program
  private let question: HookQuestion
  private let process = Process()
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bus-migrator-hook-\(UUID().uuidString)")

  init(program: ProgramHooks.Program, question: HookQuestion) {
    self.program = program
    self.question = question
  }

  private struct Inside: Sendable {
    var isKilled = false
    var answer: (@Sendable (HookAnswer) -> Void)?
  }

  private let inside = NIOLockedValueBox(Inside())

  /// Calls `answer` exactly once, when the program has ended or was killed.
  func start(_ answer: @escaping @Sendable (HookAnswer) -> Void) {
    self.inside.withLockedValue { $0.answer = answer }
    do {
      try FileManager.default.createDirectory(
        at: self.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let (input, output) = (self.folder.appendingPathComponent("question"), self.folder.appendingPathComponent("answer"))
      try CanonicalJSON.encode(self.question).write(to: input)
      // A file and no pipe: a program that writes much, or leaves a child behind, keeps nobody waiting.
      try Data().write(to: output)
      self.process.executableURL = URL(fileURLWithPath: self.program.executable)
      self.process.arguments = self.program.arguments
      // Nothing of ours: neither secrets' places nor the service manager's sockets.
      self.process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
      self.process.standardInput = try FileHandle(forReadingFrom: input)
      self.process.standardOutput = try FileHandle(forWritingTo: output)
      self.process.standardError = FileHandle.nullDevice
      self.process.terminationHandler = { _ in
        self.settle(self.ended(output))
        try? FileManager.default.removeItem(at: self.folder)
      }
      try self.process.run()
      if self.inside.withLockedValue({ $0.isKilled }) { self.kill() }
    } catch {
      try? FileManager.default.removeItem(at: self.folder)
      self.settle(.silent("it cannot be run: \(String("\(error)".prefix(ProgramHooks.longestWords)))"))
    }
  }

  /// May come before the start, and more than once. Children that the program left behind keep its end from being noticed: nobody
  /// waits for that.
  func kill() {
    self.inside.withLockedValue { $0.isKilled = true }
    guard self.process.isRunning else { return }
    _ = signal(self.process.processIdentifier)
    self.settle(.silent("it had not answered in time, and was ended"))
  }

  private func settle(_ said: HookAnswer) {
    let answer = self.inside.withLockedValue { inside in
      defer { inside.answer = nil }
      return inside.answer
    }
    answer?(said)
  }

  private func signal(_ process: Int32) -> Int32 {
    #if canImport(Glibc)
      Glibc.kill(process, SIGKILL)
    #elseif canImport(Musl)
      Musl.kill(process, SIGKILL)
    #else
      Darwin.kill(process, SIGKILL)
    #endif
  }

  private func ended(_ output: URL) -> HookAnswer {
    let text = (try? FileHandle(forReadingFrom: output).read(upToCount: 4_096)).flatMap { $0 } ?? Data()
    let line = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
    let words = String(line.prefix(ProgramHooks.longestWords))
    guard self.process.terminationReason == .exit else {
      return .silent("it was ended by signal \(self.process.terminationStatus)")
    }
    switch self.process.terminationStatus {
    case 0: return .assented(words)
    case ProgramHooks.veto: return .vetoed(words)
    default: return .silent("it ended with code \(self.process.terminationStatus)\(words.isEmpty ? "" : ": \(words)")")
    }
  }
}
