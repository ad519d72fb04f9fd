// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A daemon that answers, and whose environment it is of. What a command is sent to is looked at first: the environments are never mixed.
struct DaemonReached {
  let client: ControlClient
  /// As the daemon says; nil where its configuration names none.
  let environment: String?

  /// Asks the daemon at `place`.
  ///
  /// - Throws: ``CommandLineError`` `daemonNotReachable`; `environmentsDiffer` where the configuration here names another environment than the
  ///   daemon, or the daemon names none. Nothing else was sent then.
  static func at(_ place: PlaceOptions) async throws -> DaemonReached {
    let client = ControlClient(socket: try place.socketPath())
    let environment = try await client.health().environment
    try Self.check(named: try place.environmentNamed(), answered: environment)
    return DaemonReached(client: client, environment: environment)
  }

  /// Pure.
  static func check(named: String?, answered: String?) throws {
    guard let named, named != answered else { return }
    throw CommandLineError.environmentsDiffer(named: named, answered: answered)
  }
}

/// An answer with the name of the environment beside it.
struct OfEnvironment<Answer: Encodable>: Encodable {
  let answer: Answer
  let environment: String?

  private enum CodingKeys: String, CodingKey { case environment }

  func encode(to encoder: any Encoder) throws {
    try self.answer.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encodeIfPresent(self.environment, forKey: .environment)
  }
}

extension Console {
  /// The environment first, then the screen.
  static func say(_ text: String, of environment: String?) { self.say(Banner.line(environment) + "\n" + text) }

  static func say(json value: some Encodable, of environment: String?) throws {
    try self.say(json: OfEnvironment(answer: value, environment: environment))
  }
}
