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
    let level = SharedLogLevel(configuration.logLevel)
    let logger = Logger(label: "bus-migrator") { SharedLevelLogHandler(StreamLogHandler.standardError(label: $0), level: level) }
    let daemon = Daemon(
      configuration: configuration, reread: { try self.place.configuration() }, logLevel: level, logger: logger,
      environment: ProcessInfo.processInfo.environment)
    try await daemon.run()
  }
}
