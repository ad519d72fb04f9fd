// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The cache of the address register: which HER-ID sits on which bus.
struct RegistryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "registry", abstract: "Read, compare and keep the cache of the address register (AR). Never writes to AR.",
    discussion: "Exit code 6: something differs, or is missing, between the cache and the register; nothing has failed.",
    subcommands: [
      RegistrySyncCommand.self, RegistryShowCommand.self, RegistryDiffCommand.self, RegistryGroupsCommand.self,
      RegistryExportCommand.self, RegistryImportCommand.self, RegistryVerifyCommand.self, RegistryQueuesCommand.self,
      RegistryEndpointsCommand.self,
    ])
}
