// SPDX-License-Identifier: Apache-2.0

import BusProbe

/// One party, once.
struct SingleRun: Sendable {
  let herID: String?
  let supportBundle: String?
  let target: TargetOptions
  let configuration: PingerConfiguration
  let output: OutputSettings

  init(
    herID: String?, supportBundle: String?, _ target: TargetOptions, _ configuration: PingerConfiguration,
    _ output: OutputSettings
  ) {
    self.herID = herID
    self.supportBundle = supportBundle
    self.target = target
    self.configuration = configuration
    self.output = output
  }

  /// - Returns: the exit code.
  func run() async throws -> Int32 {
    let look = try await self.configuration.withProbe { probe in
      try await PartyLooks(probe, self.target, self.configuration.vendorRecord).look(self.herID)
    }
    try Task.checkCancellation()
    if let supportBundle {
      let bundle = await BundleGathering.gather(look, self.configuration, self.output.language)
      try ReplacedFile.write(bundle, to: supportBundle)
    }
    try self.output.write(self.output.text(look))
    return self.output.exitCode(look)
  }
}
