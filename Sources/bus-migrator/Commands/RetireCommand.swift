// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RetireCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retire",
    abstract: "Say that a party's source queues are empty and no longer needed. Roll-back stays possible until they are deleted.")

  @OptionGroup var parties: ApprovedPartiesOptions

  func run() async throws { try await self.parties.give(.retire) }
}
