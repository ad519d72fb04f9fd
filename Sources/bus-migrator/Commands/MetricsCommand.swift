// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct MetricsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Show the daemon in figures, as Prometheus reads them.",
    discussion: "With --write it is a file for node_exporter's textfile collector: written whole, or not at all.")

  @Option(help: "Write to this file instead.") var write: String?
  @OptionGroup var place: PlaceOptions

  func run() async throws {
    let text = try await DaemonReached.at(self.place).client.metrics()
    guard let write else { return Console.say(text) }
    // Beside it, and then in its place: whoever reads sees the one or the other.
    let temporary = write + ".\(ProcessInfo.processInfo.processIdentifier).tmp"
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: temporary))
      guard rename(temporary, write) == 0 else {
        throw CommandLineError.fileUnwritable(path: write, seen: String(cString: strerror(errno)))
      }
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      if error is CommandLineError { throw error }
      throw CommandLineError.fileUnwritable(path: write, seen: (error as NSError).localizedDescription)
    }
  }
}
