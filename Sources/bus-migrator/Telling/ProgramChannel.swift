// SPDX-License-Identifier: Apache-2.0

import Foundation
import Migration
import Telling

/// Tells people by a program of the operator's own: the message as JSON on its standard input, the chief of it in its environment. Exit code 0
/// means that they are told.
struct ProgramChannel: TellingChannel {
  var name: String
  var program: ProgramRun.Program
  var lowest: StandingCondition.Weight
  /// A program that has not ended then is killed, and run again later.
  var timeout: TimeSpan

  var mostAtOnce: Int { 1 }

  func tell(_ messages: [TellingMessage]) async throws(TellingFailure) {
    for message in messages {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      guard let input = try? encoder.encode(message) else { throw TellingFailure("it cannot be written as JSON", isFinal: true) }
      let (program, timeout) = (self.program, self.timeout)
      let outcome = await withTaskGroup(of: ProgramRun.Outcome?.self) { group in
        group.addTask { await ProgramRun.run(program, input: input, environment: Self.environment(message)) }
        group.addTask {
          try? await Task.sleep(for: .milliseconds(timeout.milliseconds))
          return nil
        }
        defer { group.cancelAll() }
        return await group.next() ?? nil
      }
      switch outcome {
      case .ended(0, _): continue
      case .ended(let code, let words): throw TellingFailure("it ended with code \(code)\(words.isEmpty ? "" : ": \(words)")")
      case .failed(let seen): throw TellingFailure(seen)
      case nil: throw TellingFailure("it had not ended after \(timeout)")
      }
    }
  }

  static func environment(_ message: TellingMessage) -> [String: String] {
    [
      "BUS_MIGRATOR_ENVIRONMENT": message.environment ?? "", "BUS_MIGRATOR_ID": message.id,
      "BUS_MIGRATOR_KIND": message.kind.rawValue,
      "BUS_MIGRATOR_CODE": message.code, "BUS_MIGRATOR_WEIGHT": message.weight.rawValue,
      "BUS_MIGRATOR_PULJE": message.pulje?.text ?? "", "BUS_MIGRATOR_HEADLINE": message.headline,
      "BUS_MIGRATOR_SEEN": message.seen,
      "BUS_MIGRATOR_NEXT": message.next, "BUS_MIGRATOR_LINK": message.link ?? "",
    ]
  }
}
