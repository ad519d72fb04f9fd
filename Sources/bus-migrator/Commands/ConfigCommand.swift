// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "The configuration: is it right, what holds, and what can be said in it.",
    discussion:
      """
      It comes from the file (--config, or BUS_MIGRATOR_CONFIG, or /etc/bus-migrator/bus-migrator.yaml), over it from the environment \
      (BUS_MIGRATOR_SET_PING_TIMEOUT=20s for ping.timeout), over both from the command line (--set ping.timeout=20s). Secrets come from the file \
      alone, or better from the files and credentials that it names.
      """,
    subcommands: [ConfigCheckCommand.self, ConfigShowCommand.self, ConfigKeysCommand.self])
}
