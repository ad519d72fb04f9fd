// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Testing

@testable import bus_pinger

@Suite("bus-pinger: what its manual says")
struct PingerManualTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Every option of a command, as its help writes it.
  private func options(_ command: any ParsableCommand.Type) -> Set<String> {
    let help = command.helpMessage(includeHidden: true, columns: 200)
    return Set(help.matches(of: #/--[a-z][a-z-]*/#).map { String($0.output) })
  }

  @Test("Every option stands in the manual page, and the manual page invents none")
  func manualPage() throws {
    let page = try String(
      contentsOf: Self.root.appendingPathComponent("docs/man/bus-pinger.1"), encoding: .utf8
    ).replacing("\\-", with: "-")
    let options = self.options(CheckCommand.self).union(self.options(ExplainCommand.self)).union([
      "--help", "--version", "--generate-completion-script",
    ])
    #expect(options.count > 20)
    for option in options { #expect(page.contains(option), "\(option) is not in docs/man/bus-pinger.1") }
    for mention in page.matches(of: #/--[a-z][a-z-]*/#) {
      #expect(options.contains(String(mention.output)), "\(mention.output) is no option")
    }
  }
}
