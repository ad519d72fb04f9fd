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
    let isJournal = JournalLogHandler.isOurs(ProcessInfo.processInfo.environment)
    let logger = Logger(label: "bus-migrator") { label in
      let stream = StreamLogHandler.standardError(label: label)
      guard isJournal else { return SharedLevelLogHandler(stream, level: level) }
      let journal = JournalLogHandler(path: JournalLogHandler.usualPath, identifier: label, fallback: stream)
      return SharedLevelLogHandler(journal, level: level)
    }
    let daemon = Daemon(
      configuration: configuration, reread: { try self.place.configuration() }, logLevel: level, logger: logger,
      environment: ProcessInfo.processInfo.environment)
    try await daemon.run()
  }
}
