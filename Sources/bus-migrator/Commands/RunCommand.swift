// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Logging

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "The daemon: carries puljer through, resumes what was begun.")

  @OptionGroup var place: PlaceOptions

  func run() async throws {
    let configuration = try self.place.configuration()
    guard let level = Logger.Level(rawValue: configuration.logLevel) else {
      throw CommandLineError.argumentWrong(
        name: "log-level", seen: configuration.logLevel,
        wanted: "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    var logger = Logger(label: "bus-migrator") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = level
    try await Daemon(configuration: configuration, logger: logger, environment: ProcessInfo.processInfo.environment).run()
  }
}
