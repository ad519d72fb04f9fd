// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ApproveRemovalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve-removal",
    abstract: "Approve that a retired party's source queues are deleted: the end of the way back.")

  @OptionGroup var parties: ApprovedPartiesOptions

  func run() async throws { try await self.parties.give(.approveRemoval) }
}
