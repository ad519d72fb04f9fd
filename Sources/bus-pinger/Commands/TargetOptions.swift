// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusModel
import BusProbe
import Foundation

/// Whom to check, and how far.
struct TargetOptions: ParsableArguments {
  static let defaultConfiguration = "/etc/tjenestebuss/bus-pinger.yaml"

  @Option(
    help: "The configuration file; else $BUS_PINGER_CONFIG, else \(Self.defaultConfiguration). The daemon's own file will do.",
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(help: "Which of the party's queues: async, sync or error.", completion: .list(QueueKind.inRegister.map(\.rawValue)))
  var kind = QueueKind.asynchronous

  @Option(
    help: ArgumentHelp(
      "Check this address and ask no register: host/path/queue, as it stands in the register.", valueName: "address"))
  var address: String?

  @Flag(name: .customLong("no-send"), help: "Send nothing: look, connect, attach and count only.")
  var noSend = false

  @Flag(help: "Send, where the configuration says that this is production.")
  var send = false

  @Flag(help: "Look on the party's other buses too for messages that still come there.")
  var both = false

  @Option(help: "Stop after this step, by number or name.", completion: ShellCompletion.steps)
  var quitAfter: ProbeCode?

  @Option(
    help: ArgumentHelp(
      "The daemon's database, for --pulje and for what vendors have signed. It is only read.", valueName: "file"),
    completion: .file())
  var database: String?

  @Option(
    help: ArgumentHelp(
      "The vendor says that the system's own ping arrived on this bus (yes), or did not (no): a ground of the verdict.",
      valueName: "yes|no"))
  var selfPing: VendorWord?

  @Option(
    help: ArgumentHelp(
      "The vendor confirms that the system received on this bus (yes), or denies it (no): a ground of the verdict.",
      valueName: "yes|no"))
  var vendorConfirms: VendorWord?

  /// What the person at the keyboard has from the vendor.
  var told: [ProbeEvidence: ProbeEvidence.State] {
    [.selfPing: self.selfPing, .vendorConfirms: self.vendorConfirms].compactMapValues {
      $0 == .yes ? .shows : $0.map { _ in .denies }
    }
  }

  func validate() throws {
    guard QueueKind.inRegister.contains(self.kind) else {
      throw ValidationError("The register holds async, sync and error queues only.")
    }
    if self.noSend, self.send { throw ValidationError("--send and --no-send exclude each other.") }
  }

  var configurationPath: String {
    self.config ?? ProcessInfo.processInfo.environment["BUS_PINGER_CONFIG"] ?? Self.defaultConfiguration
  }
}

/// What a vendor answers when asked.
enum VendorWord: String, ExpressibleByArgument, CaseIterable {
  case yes, no
}

extension QueueKind: ExpressibleByArgument {}

extension ProbeCode: ExpressibleByArgument {
  public init?(argument: String) { self.init(text: argument) }
}
