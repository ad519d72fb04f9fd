// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import MigrationEngine
import NIOConcurrencyHelpers

/// Hooks as programs: each is run with the question as JSON on its standard input, and the chief of it in its environment. Exit code 0 assents, 1 vetoes; its first line of
/// output is kept in the history. Anything else, no end in time among it, is no answer, and so no assent.
struct ProgramHooks: HookPort {
  typealias Program = ProgramRun.Program

  /// What a veto ends with.
  static let veto: Int32 = 1

  private let programs: NIOLockedValueBox<[String: Program]>

  init(programs: [String: Program]) { self.programs = NIOLockedValueBox(programs) }

  /// These from the next question on.
  func adopt(_ programs: [String: Program]) { self.programs.withLockedValue { $0 = programs } }

  /// Bounded by whoever asks: when the task is cancelled the program is killed.
  func ask(_ question: HookQuestion) async -> HookAnswer {
    guard let program = self.programs.withLockedValue({ $0[question.hook] }) else {
      return .silent("no hook of that name is configured")
    }
    guard let input = try? CanonicalJSON.encode(question) else { return .silent("the question cannot be written") }
    switch await ProgramRun.run(program, input: input, environment: Self.environment(question)) {
    case .ended(0, let words): return .assented(words)
    case .ended(Self.veto, let words): return .vetoed(words)
    case .ended(let code, let words): return .silent("it ended with code \(code)\(words.isEmpty ? "" : ": \(words)")")
    case .failed(let seen): return .silent(seen)
    }
  }

  /// The question for programs that read no JSON.
  static func environment(_ question: HookQuestion) -> [String: String] {
    [
      "BUS_MIGRATOR_HOOK": question.hook, "BUS_MIGRATOR_POINT": question.point.rawValue,
      "BUS_MIGRATOR_PULJE": question.pulje.text, "BUS_MIGRATOR_GROUP": "\(question.group)",
      "BUS_MIGRATOR_HER_IDS": question.herIDs.map(\.description).joined(separator: " "),
      "BUS_MIGRATOR_SOURCE": "\(question.source)", "BUS_MIGRATOR_TARGET": "\(question.target)",
      "BUS_MIGRATOR_PLAN_HASH": question.planHash,
    ]
  }
}
